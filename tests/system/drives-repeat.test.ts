// A machine with virtio devices on the clock of its instructions: every run is the same.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Core } from '../../src/core/core.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { Engine } from '../../src/machine/machine-types.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { linuxGuest } from '../determinism/linux.ts';
import { coreModule } from '../support/core.ts';

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
exec >/dev/console 2>&1
modprobe virtio_blk
modprobe virtio_rng
modprobe virtio_balloon
head -c 1000000 /dev/urandom > /a
dd if=/a of=/dev/vda bs=64k conv=fsync
md5sum < /a
head -c 64 /dev/hwrng | md5sum
dd if=/dev/vda of=/dev/null bs=4k count=200 iflag=direct
grep virtio /proc/interrupts
poweroff -f
`;

async function run(engine: Engine, sliceMs: number) {
  const { kernel, initrd, append } = linuxGuest(INIT);
  const drive = new MemoryBackend({ bytes: 8 << 20 });
  const config = { core: coreModule(), memory: 128 << 20, kernel, initrd, append, engine };
  const machine = new Machine({ ...config, clock: 'instructions', seed: 9 }, Core.create, {
    drives: [{ backend: drive }],
  });
  const parts: Uint8Array[] = [];
  machine.onConsoleOutput = (bytes) => parts.push(bytes.slice());
  for (let slices = 0; ; slices++) {
    const result = machine.runSlice(sliceMs);
    if (result.state === 'stopped') break;
    if (slices > 200_000) throw new Error('the guest does not end');
    await setImmediate();
  }
  const contents = new Uint8Array(drive.bytes);
  drive.read(0, contents);
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  return {
    output: Buffer.concat(parts).toString(),
    instructions: machine.stats().instructions,
    drive: sha256(contents),
  };
}

it('a guest with a drive, randomness and a balloon repeats exactly, on both engines and in slices of any length', async () => {
  const first = await run('auto', 5);
  expect(first.output).toMatch(/200\+0 records in/);
  expect(first.output).toMatch(/virtio0/);
  expect(await run('interpreter', 11)).toEqual(first);
});
