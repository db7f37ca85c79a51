// Images made by us, mounted by Debian's kernel under QEMU and in our machine.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { extractModules } from '../../src/guests/modules-node.ts';
import { cacheFolder, guestsFolder } from '../../src/guests/paths-node.ts';
import { writeCpio } from '../../src/storage/cpio.ts';
import { FileBackend } from '../../src/storage/file-backend-node.ts';
import { writeErofs } from '../../src/storage/image/erofs-writer.ts';
import { writeExt4 } from '../../src/storage/image/ext4-writer.ts';
import type { ImageEntry } from '../../src/storage/image/image-entry.ts';
import { hypertab, oracle, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();
const guest = join(guestsFolder(), 'busybox');
const bytesOf = (seed: number, length: number) =>
  Uint8Array.from({ length }, (_, index) => (Math.imul(index + seed, 2654435761) >>> 24) & 0xff);
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

const large = bytesOf(1, 5_000_001);
const entries: ImageEntry[] = [
  { kind: 'directory', path: '', mode: 0o755, mtime: 1_000_000 },
  {
    kind: 'file',
    path: 'large',
    mode: 0o640,
    uid: 5,
    gid: 70_000,
    mtime: 2_000_000_000,
    bytes: large.length,
    contents: [large],
  },
  { kind: 'file', path: 'empty', mode: 0o4755, mtime: 1, bytes: 0, contents: [] },
  { kind: 'link', path: 'sub/again', to: 'large' },
  { kind: 'symlink', path: 'short', target: 'large', mtime: 7 },
  { kind: 'symlink', path: 'long', target: `${'x/'.repeat(100)}y`, mtime: 8 },
  { kind: 'character', path: 'null', mode: 0o666, major: 1, minor: 3, mtime: 9 },
  { kind: 'fifo', path: 'pipe', mode: 0o600, mtime: 10 },
  { kind: 'directory', path: 'sticky', mode: 0o1777, mtime: 11 },
  ...Array.from({ length: 600 }, (_, index): ImageEntry => {
    const contents = bytesOf(index, index * 7);
    return {
      kind: 'file',
      path: `many/äfile-${index}`,
      mode: 0o644,
      mtime: index,
      bytes: contents.length,
      contents: [contents],
    };
  }),
];

/** What the guest is to say of the tree. */
const COMMANDS = [
  'cd /mnt',
  "stat -c '%n %a %u %g %Y %s %h %F' large empty sub/again short long pipe sticky",
  "stat -c '%n %t:%T' null",
  'readlink long',
  'md5sum large sub/again',
  'find many -type f | wc -l',
  'cat $(find many -type f | sort -t - -k 2 -n) | md5sum',
].join('; ');
const EXPECTED = [
  `large 640 5 70000 2000000000 ${large.length} 2 regular file`,
  'empty 4755 0 0 1 0 1 regular empty file',
  `sub/again 640 5 70000 2000000000 ${large.length} 2 regular file`,
  'short 777 0 0 7 5 1 symbolic link',
  'long 777 0 0 8 201 1 symbolic link',
  'pipe 600 0 0 10 0 1 fifo',
  'null 1:3',
  `${'x/'.repeat(100)}y`,
  `${md5(large)}  large`,
  `${md5(large)}  sub/again`,
  '600',
  `${md5(Buffer.concat(Array.from({ length: 600 }, (_, index) => bytesOf(index, index * 7))))}  -`,
];
const matches = (output: string) => {
  const lines = output.split(/\r?\n/);
  for (const line of EXPECTED) expect(lines).toContain(line);
  expect(output).toMatch(/^sticky 1777 0 0 11 \d+ 2 directory/m);
};

async function makeImage(kind: 'ext4' | 'erofs'): Promise<string> {
  const path = join(folder, `${kind}.img`);
  const drive = await FileBackend.open(path, { create: 64 * 1024 ** 2 });
  if (kind === 'ext4') await writeExt4(drive, entries, { label: 'system' });
  else await writeErofs(drive, entries, { label: 'system' });
  await drive.close();
  return path;
}

/** The guest's RAM disk, and behind it the modules that erofs needs. */
async function withErofs(): Promise<string> {
  const { sources } = JSON.parse(readFileSync(join(guest, 'guest.json'), 'utf8')) as {
    sources: { package: string; sha256: string }[];
  };
  const source = sources.find((one) => one.package.startsWith('linux-image-'))!;
  const pool = join(cacheFolder(), 'pool', source.sha256.slice(0, 16));
  const name = existsSync(pool) ? readdirSync(pool).find((file) => file.endsWith('.deb')) : undefined;
  if (name === undefined) {
    throw new Error(`${pool} has no package: run \`npx hypertab guest prepare --refresh busybox\``);
  }
  const deb = join(pool, name);
  const modules = await extractModules(deb, name, ['erofs']);
  const archive = writeCpio([
    { type: 'directory', path: 'erofs' },
    ...modules.map(({ name: module, data }) => ({ type: 'file' as const, path: `erofs/${module}.ko`, data })),
    {
      type: 'file',
      path: 'erofs/load',
      data: new TextEncoder().encode(modules.map((module) => `insmod /erofs/${module.name}.ko\n`).join('')),
    },
  ]);
  const first = readFileSync(join(guest, 'initrd'));
  const path = join(folder, 'initrd-erofs');
  writeFileSync(path, Buffer.concat([first, Buffer.alloc((4 - (first.length % 4)) % 4), archive]));
  return path;
}

/** What a guest prints under QEMU with a drive. */
function underQemu(drive: string, initrd: string, command: string): Promise<string> {
  const { append } = JSON.parse(readFileSync(join(guest, 'guest.json'), 'utf8')) as { append: string };
  oracle('qemu-system-riscv64', 'qemu-system-misc', ['--version']);
  const child = spawn('timeout', [
    ...[
      '120',
      'qemu-system-riscv64',
      '-M',
      'virt',
      '-m',
      '256M',
      '-nographic',
      '-no-reboot',
      '-append',
      append,
    ],
    ...['-kernel', join(guest, 'kernel'), '-initrd', initrd],
    ...['-drive', `file=${drive},format=raw,if=none,id=d`, '-device', 'virtio-blk-pci,drive=d'],
  ]);
  return new Promise((resolve) => {
    let output = '';
    let typed = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (typed || !output.includes(' # ')) return;
      typed = true;
      child.stdin.write(`${command}\ncd /; umount /mnt; poweroff -f\n`);
    });
    child.on('close', () => resolve(output));
  });
}

describe('images made by us', () => {
  it('ext4: Debian mounts it under QEMU and in our machine, writes to it, and e2fsck is content afterwards', async () => {
    const path = await makeImage('ext4');
    const initrd = join(guest, 'initrd');
    matches(await underQemu(path, initrd, `mount -t ext4 /dev/vda /mnt && ( ${COMMANDS} )`));
    expect(oracle('e2fsck', 'e2fsprogs', ['-fn', path])).toContain('Pass 5');
    const write =
      'cp -a large copy; mkdir -p new/deep; cp /bin/busybox new/deep/; rm many/äfile-5; sync; umount /mnt';
    const ours = await hypertab([
      ...['run', 'busybox', '--drive', path, '--exec'],
      `mount -t ext4 /dev/vda /mnt && ( ${COMMANDS} ) && ( cd /mnt; ${write.replace('; umount /mnt', '')} ); umount /mnt`,
    ]);
    expect(ours.status, ours.stderr).toBe(0);
    matches(ours.stdout);
    expect(oracle('e2fsck', 'e2fsprogs', ['-fn', path])).toContain('Pass 5');
    const again = await underQemu(
      path,
      initrd,
      'mount -t ext4 /dev/vda /mnt && cmp /mnt/new/deep/busybox /bin/busybox && cmp /mnt/large /mnt/copy && echo equal-$((1+1))',
    );
    expect(again).toContain('equal-2');
  });

  it('erofs: Debian mounts it under QEMU and in our machine', async () => {
    const path = await makeImage('erofs');
    const initrd = await withErofs();
    const command = `sh /erofs/load; mount -t erofs /dev/vda /mnt && ( ${COMMANDS} )`;
    matches(await underQemu(path, initrd, command));
    const ours = await hypertab([
      'run',
      'busybox',
      '--initrd',
      initrd,
      '--drive',
      `${path},readonly`,
      '--exec',
      command,
    ]);
    expect(ours.status, ours.stderr).toBe(0);
    matches(ours.stdout);
  });
});
