// Machines saved while they run, restored and cloned, with the real guest, in Node; tests/browser/snapshots.test.ts is
// the same in Chromium.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { VirtualMachine } from '../../src/index.ts';
import { hypertab } from './cli.ts';

const entry = new URL('../../build/src/index.js', import.meta.url);
const folder = await mkdtemp(join(tmpdir(), 'hypertab-snapshots-'));
process.env.HYPERTAB_SNAPSHOTS = join(folder, 'store');
const { Hypervisor, runCommand, SnapshotError, waitForPrompt } = (await import(
  /* @vite-ignore */ entry.href
)) as typeof import('../../src/index.ts');

const hypervisor = new Hypervisor();
const network = hypervisor.createNetwork();
let vm: VirtualMachine;

beforeAll(async () => {
  vm = await hypervisor.create({
    guest: 'busybox',
    network,
    drives: [{ kind: 'memory', bytes: 8 << 20, serial: 'scratch' }],
    shares: [{ tag: 'box', kind: 'memory', shared: true }],
  });
  await vm.start();
  await runCommand(vm, 'echo 0123 > /etc/machine-id');
});
afterAll(async () => {
  await hypervisor.destroyAll();
  await rm(folder, { recursive: true });
});

const output = async (machine: VirtualMachine, command: string) =>
  (await runCommand(machine, command)).output;

it('a machine saved while it writes to its disk and its console runs on, and so does what is restored of it', async () => {
  await runCommand(
    vm,
    'dd if=/dev/urandom of=/tmp/data bs=64k count=2 2>/dev/null; sha256sum </tmp/data >/tmp/sum',
  );
  // Rounds of 128 KiB to the disk, each of which is read back and compared.
  const round =
    'cat /tmp/data >/dev/vda; sync; echo 3 >/proc/sys/vm/drop_caches; head -c 131072 /dev/vda | sha256sum';
  const loop = `i=0; while [ $i -lt 12 ]; do i=$((i+1)); [ "$(${round})" = "$(cat /tmp/sum)" ] || echo bad; echo round $i; done; echo over`;
  const written: string[] = [];
  const off = vm.console().onData((bytes) => void written.push(new TextDecoder().decode(bytes)));
  vm.console().write(`(${loop})\n`);
  const reached = async (machine: VirtualMachine, text: string) => {
    const shown = () => new TextDecoder().decode(machine.console().backlog);
    while (!shown().includes(text)) await new Promise((resolve) => setTimeout(resolve, 20));
    return shown();
  };
  await reached(vm, '\nround 3\r\n');
  const snapshot = await vm.snapshot({ name: 'busy', store: false });
  off();
  const again = await hypervisor.restore(snapshot, { network });
  expect(again.state).toBe('created');
  await again.start();
  const shown = await reached(again, '\nover\r\n');
  expect(shown).toContain('round 12');
  expect(shown).not.toContain('\nbad');
  await again.destroy();
  expect(await reached(vm, '\nover\r\n')).not.toContain('\nbad');
  await waitForPrompt(vm);
});

it('what is restored or cloned repeats no random number, network address or machine id, and knows the time', async () => {
  const tell =
    'sleep 0.3; head -c 16 /dev/urandom | xxd -p; cat /sys/class/net/eth0/address /etc/machine-id; date +%s';
  // The address and the id are given by a program in the guest, some time after it goes on.
  const told = async (machine: VirtualMachine): Promise<string[]> => {
    for (;;) {
      const lines = (await output(machine, tell)).trim().split('\n');
      if (lines[2] !== '0123') return lines;
    }
  };
  const snapshot = await vm.snapshot({ store: false });
  const others = [
    await hypervisor.restore(snapshot, { network }),
    await hypervisor.restore(await snapshot.blob(), { network }),
    await vm.clone(),
    await vm.clone({ name: 'second' }),
  ];
  expect(others.map(({ name }) => name)).toEqual(['busybox', 'busybox', 'busybox-clone', 'second']);
  const lines: string[][] = [];
  for (const other of others) {
    await other.start();
    lines.push(await told(other));
    await other.destroy();
  }
  lines.push((await output(vm, tell)).trim().split('\n'));
  for (const [index, pattern] of [
    /^[0-9a-f]{32}$/,
    /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/,
    /^0123$|^[0-9a-f]{32}$/,
  ].entries()) {
    const values = lines.map((line) => line[index]!);
    for (const value of values) expect(value).toMatch(pattern);
    expect(new Set(values).size).toBe(values.length);
  }
  for (const [, , , seconds] of lines) expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(60);
});

it('files of a share in memory are in the snapshot, those that the guest has open too', async () => {
  const contents = new TextEncoder().encode('from outside\n');
  await vm.shares.get('box')!.add([{ path: 'sub/outside', contents }]);
  await runCommand(
    vm,
    'cd /mnt/box; echo inside >inside; ln inside sub/link; ln -s inside soft; chmod 640 inside',
  );
  // A shell that has a file open and goes on reading it.
  vm.console().write('exec 3</mnt/box/sub/outside; read -n 5 word <&3\n');
  await waitForPrompt(vm);
  const snapshot = await vm.snapshot({ store: false });
  expect(snapshot.shares).toEqual([]);
  await runCommand(vm, 'rm /mnt/box/inside; echo changed >/mnt/box/sub/outside');
  for (const other of [await hypervisor.restore(snapshot), await vm.clone()]) {
    await other.start();
    const isClone = other.name === 'busybox-clone';
    const shown = await output(
      other,
      'cd /mnt/box; cat soft sub/link sub/outside; stat -c "%a %h" inside; cat <&3',
    );
    if (!isClone) expect(shown).toBe('inside\ninside\nfrom outside\n640 2\noutside\n');
    else expect(shown).toContain('inside\nchanged\n');
    expect((await other.shares.get('box')!.list()).map(({ path }) => path).sort()).toEqual(
      isClone ? ['sub/link', 'sub/outside'] : ['inside', 'sub/link', 'sub/outside'],
    );
    await other.destroy();
  }
  vm.console().write('exec 3<&-\n');
  await waitForPrompt(vm);
});

it('increments are restored with what they stand on, exported without, and keep that from being removed', async () => {
  const whole = await vm.snapshot({ name: 'whole' });
  await runCommand(vm, 'echo later > /tmp/later');
  const increment = await vm.snapshot({ name: 'increment', incremental: true });
  expect(increment.parent).toBe(whole.id);
  expect(increment.bytes).toBeLessThan(whole.bytes / 3);
  expect((await hypervisor.snapshots.list()).map(({ name }) => name)).toEqual(['increment', 'whole']);
  await expect(hypervisor.snapshots.remove('whole')).rejects.toMatchObject({ fault: 'parent' });
  const exported = await hypervisor.snapshots.export('increment');

  const orphan = await increment.blob();
  await hypervisor.snapshots.remove('increment');
  await hypervisor.snapshots.remove(whole.id.slice(0, 12));
  await expect(hypervisor.restore(orphan)).rejects.toMatchObject({ fault: 'parent' });

  const imported = await hypervisor.snapshots.import(exported);
  const again = await hypervisor.restore(imported);
  await again.start();
  expect(await output(again, 'cat /tmp/later')).toBe('later\n');
  await again.destroy();
  await hypervisor.snapshots.remove('increment');
  expect(await hypervisor.snapshots.list()).toEqual([]);
});

it('disks with changes kept beside them, or lost at the end, are as they were when the machine was saved', async () => {
  const [kept, lost] = ['kept.img', 'lost.img'].map((name) => join(folder, name)) as [string, string];
  await writeFile(kept, new Uint8Array(1 << 20));
  await writeFile(lost, new Uint8Array(1 << 20));
  const drives = [
    { kind: 'file', path: kept, overlay: { kind: 'file', path: `${kept}.changes` } },
    { kind: 'file', path: lost, snapshot: true },
  ] as const;
  const machine = await hypervisor.create({ guest: 'busybox', drives });
  await machine.start();
  await runCommand(machine, 'echo then | tee /dev/vda >/dev/vdb; sync');
  const snapshot = await machine.snapshot({ store: false });
  expect(snapshot.drives.map((drive) => drive.kept)).toEqual(['overlay', 'changes']);
  await runCommand(machine, 'echo later | tee /dev/vda >/dev/vdb; sync');
  // What a snapshot keeps of an overlay goes with it: there is room for seven.
  for (let round = 0; round < 8; round++) {
    const { id } = await machine.snapshot({ compression: 'none' });
    await hypervisor.snapshots.remove(id);
  }
  await expect(machine.clone()).rejects.toMatchObject({
    fault: 'configuration',
    message: expect.stringContaining('cannot write one disk'),
  });
  await expect(hypervisor.restore(snapshot, { drives })).rejects.toThrow(/in use/);
  await machine.destroy();
  const again = await hypervisor.restore(snapshot, { drives });
  await again.start();
  const read = 'echo 3 >/proc/sys/vm/drop_caches; head -n 1 /dev/vda; head -n 1 /dev/vdb';
  expect(await output(again, read)).toBe('then\nthen\n');
  await again.destroy();
  expect(hypervisor.list()).toEqual([vm]);
  await expect(hypervisor.restore(snapshot)).rejects.toMatchObject({
    fault: 'missing',
    message: expect.stringContaining('kept.img'),
  });
  const other = [{ kind: 'file', path: lost, overlay: { kind: 'memory' } }, drives[1]] as const;
  await expect(hypervisor.restore(snapshot, { drives: other })).rejects.toThrow(/no snapshot|given/);
});

it('a snapshot that does not fit is refused with a word why', async () => {
  const snapshot = await vm.snapshot({ store: false });
  const refused = async (options: Parameters<typeof hypervisor.restore>[1], fault: string, words: RegExp) => {
    const error = await hypervisor.restore(snapshot, options).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SnapshotError);
    expect(error).toMatchObject({ fault, message: expect.stringMatching(words) });
  };
  const before = hypervisor.list().length;
  await refused({ memory: '256M' }, 'configuration', /saved with 128 MiB/);
  await refused({ drives: [{ kind: 'memory', bytes: 512 }] }, 'configuration', /1 more are given/);
  await refused({ network: [network, network] }, 'configuration', /1 interfaces, and 2/);
  await refused({ shares: [{ tag: 'x', kind: 'memory' }] }, 'configuration', /share x/);
  await refused({ bios: new Uint8Array(4) }, 'configuration', /bios/);
  const bytes = new Uint8Array(await (await snapshot.blob()).arrayBuffer());
  const damaged = bytes.slice();
  damaged[bytes.length >> 1]! ^= 1;
  for (const wrong of [bytes.subarray(0, bytes.length - 1), damaged]) {
    await expect(hypervisor.restore(wrong)).rejects.toBeInstanceOf(SnapshotError);
  }
  expect(hypervisor.list()).toHaveLength(before);
});

it('hypertab run --save leaves a machine that --restore goes on with, disks included', async () => {
  const disk = join(folder, 'disk.img');
  const file = join(folder, 'saved.htvm');
  await writeFile(disk, new Uint8Array(1 << 20));
  const saved = await hypertab([
    ...['run', 'busybox', '--drive', disk, '--save', file],
    ...['--exec', 'cd /tmp; echo here >mark; echo on disk >/dev/vda; (exit 7)'],
  ]);
  expect(saved).toMatchObject({ status: 7, stderr: '' });
  expect((await readFile(disk, 'utf8')).slice(0, 7)).toBe('on disk');
  const restore = [
    'run',
    '--restore',
    file,
    '--drive',
    disk,
    '--exec',
    'cat /tmp/mark; head -n 1 /dev/vda; uptime -s; exit 9',
  ];
  expect(await hypertab(restore)).toMatchObject({
    status: 9,
    stdout: expect.stringMatching(/^here\non disk\n/),
  });
  expect(await hypertab(['run', '--restore', file, '--exec', 'true'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/disk\.img is not in the snapshot; give it/),
  });
  await writeFile(disk, new Uint8Array(1 << 20).fill(1));
  expect(await hypertab(restore)).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/disk\.img has changed since the machine was saved/),
  });
});
