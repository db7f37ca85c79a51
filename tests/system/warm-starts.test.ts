// Warm starts of a guest whose disk is kept: they hold as long as nobody writes to the disk, and never afterwards.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GuestFiles, VirtualMachine } from '../../src/index.ts';
import type { OverlayBackend } from '../../src/storage/overlay-backend.ts';

const folder = await mkdtemp(join(tmpdir(), 'hypertab-warm-'));
process.env.HYPERTAB_CACHE = join(folder, 'cache');
const build = new URL('../../build/src/', import.meta.url);
const load = (path: string) => import(/* @vite-ignore */ new URL(path, build).href);
const { Hypervisor, runCommand } = (await load('index.js')) as typeof import('../../src/index.ts');
const { resolveGuestNode } = (await load(
  'guests/prepare-node.js',
)) as typeof import('../../src/guests/prepare-node.ts');
const { openDriveNode } = (await load(
  'storage/open-drive-node.js',
)) as typeof import('../../src/storage/open-drive-node.ts');

const disk = join(folder, 'disk.img');
const drive = { kind: 'file', path: disk, overlay: { kind: 'file', path: `${disk}.changes` } } as const;
const resolveGuest = async (name: string): Promise<GuestFiles> => ({
  ...(await resolveGuestNode(name)),
  drives: [drive],
});
const hypervisor = new Hypervisor({ resolveGuest });
const options = { guest: 'busybox' };
/** One that is at its prompt at once, and never writes. */
const small = { guest: 'monitor' };

beforeAll(() => writeFile(disk, new Uint8Array(1 << 20)));
afterAll(async () => {
  await hypervisor.destroyAll();
  await rm(folder, { recursive: true });
});

const output = async (vm: VirtualMachine, command: string) => (await runCommand(vm, command)).output;
const READ = 'echo 3 >/proc/sys/vm/drop_caches; head -n 1 /dev/vda';

/** Boots the guest and keeps its warm start. */
async function keep(how: typeof options = small): Promise<VirtualMachine> {
  const vm = await hypervisor.create(how);
  await vm.start();
  expect(await hypervisor.keepWarm(vm, how)).toBe(true);
  return vm;
}

/** Uses what keeps the changes of the disk, while no machine does. */
async function withChanges<T>(action: (changes: OverlayBackend) => Promise<T>): Promise<T> {
  const changes = (await openDriveNode(drive)) as OverlayBackend;
  try {
    return await action(changes);
  } finally {
    await changes.close();
  }
}
const moments = () => withChanges(async ({ snapshots }) => snapshots);

it('a guest with a disk goes on from its first prompt, with its disk, until it writes to that', async () => {
  expect(await hypervisor.createWarm(options)).toBeUndefined();
  await (await keep(options)).destroy();
  for (let round = 0; round < 2; round++) {
    const vm = await hypervisor.createWarm(options);
    expect(vm?.isRestored).toBe(true);
    await vm!.start();
    expect(await output(vm!, 'echo alive')).toBe('alive\n');
    if (round === 1) await runCommand(vm!, 'echo mine > /dev/vda; sync');
    await vm!.destroy();
  }
  expect(await moments()).toHaveLength(1);
  expect(await hypervisor.createWarm(options)).toBeUndefined();
  // What the disk kept for it is given up, and the next start does not look again.
  expect(await moments()).toEqual([]);
  const vm = await hypervisor.create(options);
  await vm.start();
  expect(await output(vm, READ)).toBe('mine\n');
  await vm.destroy();
});

it('once the disk has been written by somebody else, cleared or lost, the guest boots', async () => {
  const isWarm = async () => {
    const vm = await hypervisor.createWarm(small);
    await vm?.destroy();
    return vm !== undefined;
  };
  for (const change of [
    () =>
      withChanges(async (changes) => {
        await changes.write(4096, Uint8Array.of(1));
        await changes.flush();
      }),
    () => withChanges((changes) => changes.discardChanges()),
    () => rm(`${disk}.changes`),
  ]) {
    await (await keep()).destroy();
    expect(await isWarm()).toBe(true);
    await change();
    expect(await isWarm()).toBe(false);
  }
});

it('there is one moment for it at a time, and a disk in use is said to be so', async () => {
  const vm = await keep();
  expect(await hypervisor.keepWarm(vm, small)).toBe(true);
  expect(await hypervisor.keepWarm(vm, small)).toBe(true);
  await expect(hypervisor.createWarm(small)).rejects.toThrow(/in use/);
  await vm.destroy();
  expect(await moments()).toHaveLength(1);
  const again = await hypervisor.createWarm(small);
  expect(again?.isRestored).toBe(true);
  await again!.destroy();
});

it('a start that loses its changes is another one', async () => {
  await (await keep()).destroy();
  const lost = { ...small, snapshot: true };
  expect(await hypervisor.createWarm(lost)).toBeUndefined();
  await (await keep(lost)).destroy();
  const vm = await hypervisor.createWarm(lost);
  expect(vm?.isRestored).toBe(true);
  await vm!.destroy();
});
