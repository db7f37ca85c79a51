// Directories of the host in Debian's kernel: what the guest does to them is there on the host, and the other way round.
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { extractModules } from '../../src/guests/modules-node.ts';
import { guestsFolder } from '../../src/guests/paths-node.ts';
import { repository } from '../long/packages.ts';
import { hypertab, oracle, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();
let count = 0;
function newShare(): string {
  const path = join(folder, `share${count++}`);
  mkdirSync(path);
  return path;
}

const run = (share: string, command: string, ...more: string[]) =>
  hypertab(['run', 'busybox', '--share', `w=${share}`, ...more, '--exec', command]);

const md5 = (bytes: Uint8Array | string) => createHash('md5').update(bytes).digest('hex');

describe('hypertab run busybox --share w=DIR', () => {
  it('shows DIR at /mnt/w, and what is done there is done to DIR', async () => {
    const share = newShare();
    writeFileSync(join(share, 'hello'), 'hello\n');
    const { stdout, status, stderr } = await run(
      share,
      [
        'cd /mnt/w; cat hello',
        'mkdir -p a/b; echo one > a/b/one; ln a/b/one a/two; ln -s b/one a/three; mv a/b a/c; rm hello',
        'echo more >> a/two; cat a/c/one; readlink a/three; stat -c "%h %s" a/two',
        'chmod 4711 a/two; chown 12:34 a/two; chmod 4711 a/two; mknod a/null c 1 3; mkfifo a/fifo',
        'stat -c "%a %u %g %F %t %T" a/two a/null a/fifo',
        'echo gone > a/null; cat a/null; truncate -s 1000000 a/hole; stat -c %s a/hole; rmdir a 2>&1',
        `touch -d @1234567890 a/two; stat -c %Y a/two; touch "$(printf 'a/\\377')"; df -P /mnt/w | wc -l`,
      ].join('; '),
    );
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual([
      'hello',
      'one',
      'more',
      'b/one',
      '2 9',
      '4711 12 34 regular file 0 0',
      '644 0 0 character special file 1 3',
      '644 0 0 fifo 0 0',
      '1000000',
      "rmdir: 'a': Directory not empty",
      '1234567890',
      '2',
      '',
    ]);
    expect(status).toBe(0);
    expect(readFileSync(join(share, 'a/c/one'), 'utf8')).toBe('one\nmore\n');
    expect(lstatSync(join(share, 'a/two')).nlink).toBe(2);
    expect(lstatSync(join(share, 'a/two')).mode & 0o7777).toBe(0o711);
    expect(lstatSync(join(share, 'a/hole')).size).toBe(1_000_000);
    expect(readlinkSync(join(share, 'a/three'))).toBe('b/one');
    expect(readdirSync(join(share, 'a'), 'latin1')).toContain('\xff');
    expect(existsSync(join(share, 'hello'))).toBe(false);
    // The same again, by a machine of its own.
    const again = await run(share, 'stat -c "%a %u %g %F %t %T" /mnt/w/a/two /mnt/w/a/null; ls -1a /mnt/w');
    expect(again.stdout).toBe('4711 12 34 regular file 0 0\n644 0 0 character special file 1 3\n.\n..\na\n');
  });

  it('unpacks an archive that the host packed, and packs one that the host unpacks', async () => {
    const share = newShare();
    const source = join(folder, 'source');
    mkdirSync(join(source, 'deep/er'), { recursive: true });
    for (let index = 0; index < 300; index++) {
      writeFileSync(
        join(source, index % 2 ? 'deep' : 'deep/er', `file${index}`),
        `${index}\n`.repeat(index * 20),
      );
    }
    symlinkSync('er/file0', join(source, 'deep/link'));
    oracle('tar', 'tar', ['-C', source, '-cf', join(share, 'in.tar'), '.']);
    const { stdout, status } = await run(
      share,
      'mkdir /mnt/w/x; cd /mnt/w/x; tar xf ../in.tar; find . -type f | sort | xargs cat | md5sum; tar cf ../out.tar .; sync',
    );
    expect(status).toBe(0);
    const files = oracle('find', 'findutils', [source, '-type', 'f', '-printf', '%P\n'])
      .trim()
      .split('\n')
      .sort();
    const all = files.map((name) => readFileSync(join(source, name), 'utf8')).join('');
    expect(stdout).toBe(`${md5(all)}  -\n`);
    oracle('diff', 'diffutils', ['-r', '--no-dereference', source, join(share, 'x')]);
    const unpacked = join(folder, 'unpacked');
    mkdirSync(unpacked);
    oracle('tar', 'tar', ['-C', unpacked, '-xf', join(share, 'out.tar')]);
    oracle('diff', 'diffutils', ['-r', '--no-dereference', source, unpacked]);
  });

  it('runs programs from the share, mapped into memory, and keeps what is written while it is open', async () => {
    const share = newShare();
    const { stdout, status } = await run(
      share,
      [
        'cp /bin/busybox /mnt/w/busybox; /mnt/w/busybox echo it runs; md5sum < /mnt/w/busybox',
        'exec 3>/mnt/w/open; rm /mnt/w/open; echo still >&3; cat /proc/self/fd/3; exec 3>&-',
        'dd if=/dev/urandom of=/mnt/w/synced bs=4k count=50 conv=fsync 2>/dev/null; md5sum < /mnt/w/synced',
      ].join('; '),
    );
    const lines = stdout.split('\n');
    expect(status).toBe(0);
    expect(lines.slice(0, 3)).toEqual([
      'it runs',
      `${md5(readFileSync(join(share, 'busybox')))}  -`,
      'still',
    ]);
    expect(lines[3]).toBe(`${md5(readFileSync(join(share, 'synced')))}  -`);
    expect(readdirSync(share).filter((name) => name === 'open')).toEqual([]);
  });

  it('shows a change made on the host while the guest runs', async () => {
    const share = newShare();
    const answered = (async () => {
      while (!existsSync(join(share, 'ready'))) await new Promise((resolve) => setTimeout(resolve, 50));
      writeFileSync(join(share, 'file'), 'changed by the host\n');
      writeFileSync(join(share, 'answer'), '');
    })();
    writeFileSync(join(share, 'file'), 'as it was\n');
    const { stdout } = await run(
      share,
      'cd /mnt/w; cat file; : > ready; while [ ! -e answer ]; do sleep 0.1; done; sleep 1.2; cat file',
    );
    await answered;
    expect(stdout).toBe('as it was\nchanged by the host\n');
  });

  it('readonly shows and changes nothing; a second share has a place of its own', async () => {
    const share = newShare();
    const other = newShare();
    writeFileSync(join(share, 'file'), 'text\n');
    const command = [
      'cat /mnt/w/file; echo x > /mnt/w/new; echo x >> /mnt/w/file; rm /mnt/w/file; mkdir /mnt/w/dir',
      'chmod 777 /mnt/w/file; echo y > /mnt/v.2/new; ls -1 /mnt',
    ].join('; ');
    const { stdout } = await hypertab([
      ...['run', 'busybox', '--share', `w=${share},readonly`, `--share=v.2=${other}`],
      ...['--exec', `(${command}) 2>&1`],
    ]);
    expect(stdout.match(/Read-only file system/g)).toHaveLength(5);
    expect(stdout.endsWith('\nv.2\nw\n')).toBe(true);
    expect(readdirSync(share)).toEqual(['file']);
    expect(readFileSync(join(share, 'file'), 'utf8')).toBe('text\n');
    expect(readFileSync(join(other, 'new'), 'utf8')).toBe('y\n');
  });

  it.each([
    [['--share', 'w'], /give TAG=DIRECTORY/],
    [['--share', 'w=/nowhere/at/all'], /share w: there is no directory \/nowhere\/at\/all/],
    [['--share', 'a/b=/tmp'], /'a\/b' is no tag/],
    [['--share', 'w=/tmp', '--share', 'w=/var'], /the tag 'w' comes twice/],
  ])('%j is refused in a line', async (options, message) => {
    const { status, stderr } = await hypertab(['run', 'busybox', ...options, '--exec', 'true']);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(2);
  });
});

it("Linux's overlayfs stands on a share, with its lower layer and with its upper one", async () => {
  const share = newShare();
  const { sources } = JSON.parse(readFileSync(join(guestsFolder(), 'busybox', 'guest.json'), 'utf8')) as {
    sources: { package: string }[];
  };
  const kernel = sources.find(({ package: name }) => name.startsWith('linux-image-'))!.package;
  const { path, package: found } = await (await repository('trixie')).fetch(kernel);
  for (const { name, data } of await extractModules(path, found.filename, ['overlay'])) {
    writeFileSync(join(share, `${name}.ko`), data);
  }
  const { stdout, stderr, status } = await run(
    share,
    [
      'cd /mnt/w; insmod overlay.ko; mkdir -p lower/dir/sub upper work m; echo below > lower/dir/file',
      'echo kept > lower/kept; echo gone > lower/gone',
      'mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work o m',
      'cat m/dir/file; echo above > m/dir/file; rm m/gone; rm -r m/dir/sub; mkdir m/dir/sub; mv m/kept m/moved',
      'ls -1 m m/dir; cat m/dir/file lower/dir/file m/moved; umount m',
      'stat -c "%F %t %T" upper/gone upper/kept',
      // A whiteout that was made on the share hides when the layer is a lower one.
      'mkdir upper2 work2; mount -t overlay -o lowerdir=upper:lower,upperdir=upper2,workdir=work2 o m',
      'ls -1 m; cat m/dir/file; umount m',
      'mkdir /tmp/u /tmp/k; mount -t tmpfs t /tmp/u; mkdir /tmp/u/u /tmp/u/w',
      'mount -t overlay -o lowerdir=lower,upperdir=/tmp/u/u,workdir=/tmp/u/w o /tmp/k; echo x >> /tmp/k/gone; cat /tmp/k/gone',
      'umount /tmp/k; dmesg | grep -i overlay | grep -iv "evm:\\|using index=off\\|tainting\\|loading out-of-tree\\|tmpfile" ',
    ].join('; '),
  );
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual([
    'below',
    ...['m:', 'dir', 'moved', '', 'm/dir:', 'file', 'sub'],
    ...['above', 'below', 'kept'],
    ...['character special file 0 0', 'character special file 0 0'],
    ...['dir', 'moved', 'above'],
    ...['gone', 'x'],
    '',
  ]);
  expect(status).toBe(1); // grep found no complaint
});
