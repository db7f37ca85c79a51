// Drives in Debian's kernel: written, synced and read back in the guest, and compared with the file on the host.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guestsFolder } from '../../src/guests/paths-node.ts';
import { hypertab, oracle, startHypertab, temporaryFolder } from './cli.ts';

const MIB = 1 << 20;
const folder = temporaryFolder();
let count = 0;

/** A file of zeroes. */
function blank(bytes: number): string {
  const path = join(folder, `drive${count++}.img`);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  return path;
}

/** A file of random bytes. */
function random(bytes: number): string {
  const path = join(folder, `drive${count++}.img`);
  writeFileSync(path, randomBytes(bytes));
  return path;
}

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
const withDrives = (drives: string[], command: string) =>
  hypertab(['run', 'busybox', ...drives.flatMap((drive) => ['--drive', drive]), '--exec', command]);

describe('hypertab run busybox --drive', () => {
  it('reads what the file holds, through the page cache and past it', async () => {
    const path = random(24 * MIB);
    const { status, stdout, stderr } = await withDrives(
      [`${path},readonly`],
      [
        'md5sum < /dev/vda',
        'dd if=/dev/vda bs=1M iflag=direct 2>/dev/null | md5sum',
        'dd if=/dev/vda bs=4k skip=1111 count=333 iflag=direct 2>/dev/null | md5sum',
        'cat /sys/block/vda/size /sys/block/vda/ro',
        'grep -o "\\[.*\\]" /sys/block/vda/queue/scheduler',
      ].join('; '),
    );
    const bytes = readFileSync(path);
    expect(stderr).toBe('');
    expect(stdout.replaceAll('  -', '').trim().split('\n')).toEqual([
      md5(bytes),
      md5(bytes),
      md5(bytes.subarray(1111 * 4096, (1111 + 333) * 4096)),
      String((24 * MIB) / 512),
      '1',
      // The guest leaves the order of requests to what is behind the drive.
      '[none]',
    ]);
    expect(status).toBe(0);
  });

  it('writes what the guest writes, and nothing else', async () => {
    const path = random(16 * MIB);
    const before = readFileSync(path);
    const { status, stdout } = await withDrives(
      [path],
      [
        'dd if=/dev/urandom of=/tmp/a bs=1M count=6',
        'dd if=/tmp/a of=/dev/vda bs=1M seek=5',
        'sync; echo 3 > /proc/sys/vm/drop_caches',
        'dd if=/dev/vda of=/tmp/b bs=1M skip=5 count=6',
        'cmp /tmp/a /tmp/b && echo same',
        'dd if=/tmp/a of=/dev/vda bs=512 seek=77 count=3 oflag=direct',
        'md5sum < /tmp/a; head -c 1536 /tmp/a | md5sum',
      ].join(' 2>/dev/null; '),
    );
    expect(status).toBe(0);
    const [same, all, head] = stdout.replaceAll('  -', '').trim().split('\n');
    expect(same).toBe('same');
    const after = readFileSync(path);
    expect(md5(after.subarray(5 * MIB, 11 * MIB))).toBe(all);
    expect(md5(after.subarray(77 * 512, 80 * 512))).toBe(head);
    before.set(after.subarray(5 * MIB, 11 * MIB), 5 * MIB);
    before.set(after.subarray(77 * 512, 80 * 512), 77 * 512);
    expect(after.equals(before)).toBe(true);
  });

  it('carries an ext4 file system that e2fsck and QEMU find sound', async () => {
    const path = blank(64 * MIB);
    oracle('mkfs.ext4', 'e2fsprogs', ['-q', path]);
    const { status, stdout } = await withDrives(
      [path],
      [
        'mount /dev/vda /mnt && cd /mnt',
        'for i in $(seq 200); do echo "file $i" > f$i; done; mkdir -p a/b; cp /bin/busybox a/b/copy',
        'rm f1?; cmp /bin/busybox a/b/copy && md5sum < a/b/copy; cd /; umount /mnt && echo done',
      ].join('; '),
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{32} {2}-\ndone\n$/);
    oracle('e2fsck', 'e2fsprogs', ['-fn', path]);
    // The same image under QEMU's virtio-blk, with the same kernel and files.
    const seen = await underQemu(
      path,
      'mount -o ro /dev/vda /mnt; cd /mnt; md5sum < a/b/copy; ls | wc -l; cat f200',
    );
    expect(seen).toContain(stdout.split('\n')[0]!);
    expect(seen).toMatch(/^192\r?$/m);
    expect(seen).toMatch(/^file 200\r?$/m);
  });

  it('gives back the space of what the guest discards', async () => {
    const path = random(32 * MIB);
    const before = statSync(path).blocks;
    const contents = readFileSync(path);
    const { status } = await withDrives([path], 'blkdiscard -o 8M -l 16M /dev/vda');
    expect(status).toBe(0);
    const now = readFileSync(path);
    expect(now.length).toBe(32 * MIB);
    expect(now.subarray(0, 8 * MIB).equals(contents.subarray(0, 8 * MIB))).toBe(true);
    expect(now.subarray(24 * MIB).equals(contents.subarray(24 * MIB))).toBe(true);
    // Where the host can punch holes, the file takes less room; elsewhere discarded data may stay.
    if (now[16 * MIB] === 0 && now[16 * MIB + 1] === 0) expect(statSync(path).blocks).toBeLessThan(before);
  });

  it('keeps changes of a snapshot to the guest', async () => {
    const path = random(8 * MIB);
    const before = readFileSync(path);
    const { stdout } = await withDrives(
      [`${path},snapshot`],
      'echo changed | dd of=/dev/vda conv=notrunc 2>/dev/null; sync; head -c 7 /dev/vda',
    );
    expect(stdout).toBe('changed');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('has several drives in their order', async () => {
    const drives = ['one', 'two', 'three'].map((text) => {
      const path = blank(MIB);
      writeFileSync(path, text, { flag: 'r+' });
      return path;
    });
    const { stdout } = await withDrives(drives, 'for d in a b c; do head -c 3 /dev/vd$d; echo; done');
    expect(stdout).toBe('one\ntwo\nthr\n');
  });

  it('keeps what was synced when the machine is killed', async () => {
    const path = blank(8 * MIB);
    const child = startHypertab(['run', 'busybox', '--drive', path]);
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
    });
    child.stdin.write('dd if=/bin/busybox of=/dev/vda bs=64k count=16 && sync && echo SYN"CED"\n');
    const killed = new Promise((resolve) => child.once('exit', resolve));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`never synced: ${output}`)), 60_000);
      child.stdout.on('data', () => {
        if (!output.includes('SYNCED')) return;
        clearTimeout(timer);
        resolve();
      });
    });
    child.kill('SIGKILL');
    await killed;
    const { stdout } = await withDrives(
      [path],
      'head -c 1048576 /bin/busybox | cmp - /dev/vda -n 1048576 && echo kept',
    );
    expect(stdout).toBe('kept\n');
  });

  it('refuses what cannot be a drive, and a drive that another machine writes', async () => {
    const missing = await withDrives([join(folder, 'nowhere.img')], 'true');
    expect(missing.status).toBe(2);
    expect(missing.stderr).toMatch(/^hypertab: .*nowhere\.img.*\n$/);
    const path = blank(MIB);
    const first = startHypertab(['run', 'busybox', '--drive', path]);
    await new Promise((resolve) => first.stdout.once('data', resolve));
    const second = await withDrives([path], 'true');
    expect(second.stderr).toMatch(/^hypertab: .*in use by another machine.*\n$/);
    expect(second.status).not.toBe(0);
    const ended = new Promise((resolve) => first.once('exit', resolve));
    first.kill('SIGKILL');
    await ended;
    expect((await withDrives([path], 'true')).status).toBe(0);
  });
});

/** What a guest prints under QEMU with a drive. */
function underQemu(drive: string, command: string): Promise<string> {
  const guest = join(guestsFolder(), 'busybox');
  const { append } = JSON.parse(readFileSync(join(guest, 'guest.json'), 'utf8')) as { append: string };
  oracle('qemu-system-riscv64', 'qemu-system-misc', ['--version']);
  const args = [
    ...['-M', 'virt', '-m', '256M', '-nographic', '-no-reboot', '-append', append],
    ...['-kernel', join(guest, 'kernel'), '-initrd', join(guest, 'initrd')],
    ...['-drive', `file=${drive},format=raw,if=none,id=d,read-only=on`, '-device', 'virtio-blk-pci,drive=d'],
  ];
  const child = spawn('timeout', ['120', 'qemu-system-riscv64', ...args]);
  return new Promise((resolve) => {
    let output = '';
    let typed = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // What is typed before the shell listens is lost.
      if (typed || !output.includes(' # ')) return;
      typed = true;
      child.stdin.write(`${command}\npoweroff -f\n`);
    });
    child.on('close', () => resolve(output));
  });
}
