// A guest that works with all its devices at once, in a machine whose every run is the same.
import type { MachineConfig, MachineParts } from '../../src/machine/machine-types.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { addFiles } from '../../src/storage/tree/file-set.ts';
import { MemoryTree } from '../../src/storage/tree/memory-tree.ts';
import { linuxGuest } from '../determinism/linux.ts';
import { coreModule } from './core.ts';
import { Reflector } from './reflector.ts';

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s
export PATH=/usr/local/sbin:/bin:/sbin:/usr/bin:/usr/sbin
exec >/dev/console 2>&1
for module in virtio_blk virtio_rng virtio_balloon virtio_net; do /usr/local/sbin/modprobe $module; done
mount -t virtiofs data /mnt
ifconfig eth0 10.0.0.2
exec 3</mnt/deep/er/file
(for i in 0 1 2 3 4 5; do dd if=/dev/urandom of=/dev/vda bs=32k count=2 seek=$((i * 2)) conv=fsync; done) 2>/dev/null &
(for i in 1 2 3; do head -c 20000 <&3 | md5sum; find /mnt -type f | xargs cat | md5sum; done) &
ping -c 3 -s 1200 10.0.0.1 | grep -v ' ms' &
head -c 3000 /dev/hwrng | md5sum &
echo terminal >/dev/hvc0
while read -r line; do
  [ "$line" = end ] && break
  echo "read: $line"
  sleep 0.05
done
wait
dd if=/dev/vda bs=64k count=6 2>/dev/null | md5sum
cat /proc/interrupts
date
poweroff -f
`;

/** What was typed before the guest looked; the last line ends the guest. */
export const TYPED = new TextEncoder().encode(
  `${Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join('')}end\n`,
);
const DRIVE_BYTES = 4 << 20;

export function busyConfig(engine: MachineConfig['engine']): MachineConfig {
  const { kernel, initrd, append } = linuxGuest(INIT);
  const config = { core: coreModule(), memory: 128 << 20, kernel, initrd, append, engine };
  return { ...config, clock: 'instructions', seed: 5, consoles: 1 };
}

export interface BusyParts extends MachineParts {
  drive: MemoryBackend;
  link: Reflector;
}

/** Parts of a machine; `contents` are those of its drive. */
export function busyParts(contents?: Uint8Array): BusyParts {
  const drive = new MemoryBackend({ bytes: DRIVE_BYTES });
  if (contents) drive.write(0, contents);
  const tree = new MemoryTree({ readonly: false, sharing: 'immutable', now: () => 1n });
  const text = (seed: number, bytes: number) =>
    Uint8Array.from({ length: bytes }, (_, index) => (index * seed + (index >> 8)) & 0xff);
  addFiles(tree, [
    { path: 'one', contents: text(3, 5000) },
    { path: 'deep/two', contents: text(5, 70_000) },
    { path: 'deep/er/file', contents: text(7, 300_000) },
  ]);
  tree.seal();
  const link = new Reflector();
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 2);
  return {
    drive,
    link,
    drives: [{ backend: drive }],
    shares: [{ tag: 'data', tree }],
    networks: [{ mac, mtu: 1500, link }],
  };
}

export function contentsOf({ drive }: BusyParts): Uint8Array {
  const bytes = new Uint8Array(drive.bytes);
  drive.read(0, bytes);
  return bytes;
}
