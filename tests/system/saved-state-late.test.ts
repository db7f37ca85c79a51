// A guest whose drive and share answer later, saved with requests under way: it loses nothing.
import { expect, test } from 'vitest';
import type { MachineConfig, MachineParts } from '../../src/machine/machine-types.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { addFiles } from '../../src/storage/tree/file-set.ts';
import { MemoryTree } from '../../src/storage/tree/memory-tree.ts';
import { linuxGuest } from '../determinism/linux.ts';
import { coreModule } from '../support/core.ts';
import { lateDrive, lateTree, type Traffic } from '../support/late-storage.ts';
import { restoreMachine, saveMachine, testMachine } from '../support/saved-machine.ts';

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s
exec >/dev/console 2>&1
modprobe virtio_blk
mount -t virtiofs data /mnt
exec 3</mnt/open
head -c 400000 /dev/urandom > /a
sum=$(md5sum < /a)
(for i in 1 2 3 4 5 6; do cat /mnt/*/* | md5sum; head -c 40000 <&3 | md5sum; done > /share) &
for i in 1 2; do
  dd if=/a of=/dev/vda bs=7k conv=fsync 2>/dev/null
  echo 3 > /proc/sys/vm/drop_caches
  [ "$(head -c 400000 /dev/vda | md5sum)" = "$sum" ] && echo "round $i same"
done
wait
sort /share | uniq -c | sort -r | head -3
echo done
poweroff -f
`;

const FILES = Array.from({ length: 12 }, (_, file) => ({
  path: `d${file % 3}/f${file}`,
  contents: new Uint8Array(30_000).fill(file),
}));

function partsOver(drive: MemoryBackend, traffic: Traffic): MachineParts {
  const tree = new MemoryTree({ sharing: 'immutable' });
  addFiles(tree, [...FILES, { path: 'open', contents: new Uint8Array(240_000).fill(1) }]);
  tree.seal();
  return {
    drives: [{ backend: lateDrive(drive, traffic) }],
    shares: [{ tag: 'data', tree: lateTree(tree, traffic) }],
  };
}

test('requests that a drive and a share have not answered end before the machine is saved', async () => {
  const { kernel, initrd, append } = linuxGuest(INIT);
  const config: MachineConfig = {
    ...{ core: coreModule(), memory: 128 << 20, kernel, initrd, append, engine: 'auto' },
    clock: 'instructions',
    seed: 3,
  };
  let drive = new MemoryBackend({ bytes: 2 << 20 });
  const traffic: Traffic = { underWay: 0, total: 0 };
  let walker = testMachine(config, partsOver(drive, traffic));
  let output = '';
  let saved = 0;
  for (let next = 20; ; ) {
    const result = walker.machine.runSlice(2);
    if (result.state === 'stopped') {
      expect(result, output + walker.output).toMatchObject({ reason: { kind: 'poweroff' } });
      break;
    }
    // Only moments at which something is under way, and every so many requests.
    if (traffic.underWay > 0 && traffic.total >= next && saved < 8) {
      next = traffic.total + 40;
      const state = await saveMachine(walker);
      expect(traffic.underWay).toBe(0);
      saved++;
      output += walker.output;
      const contents = new Uint8Array(drive.bytes);
      drive.read(0, contents);
      drive = new MemoryBackend({ contents });
      walker = restoreMachine(config, state, partsOver(drive, traffic));
      // What the old machine might still do is done.
      for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
    }
    await new Promise((done) => setImmediate(done));
  }
  output += walker.output;
  expect(saved).toBe(8);
  for (const round of [1, 2]) expect(output).toContain(`round ${round} same`);
  // The files six times the same; the open one in six pieces of 40,000 bytes, each the same too.
  expect(output).toMatch(/6 [0-9a-f]{32} .*\r\n\s+6 [0-9a-f]{32} .*\r\ndone/);
});
