// Workers that are killed while their machine is saved, restored or cloned: what was saved before stays whole, nothing
// runs twice. HYPERTAB_KILLS sets the rounds of each kind.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FreshSnapshot, VirtualMachine, WorkerHandle } from '../../src/index.ts';

const entry = new URL('../../build/src/index.js', import.meta.url);
const workerEntry = new URL('../../build/src/worker/machine-worker-node.js', import.meta.url);
const folder = await mkdtemp(join(tmpdir(), 'hypertab-faults-'));
process.env.HYPERTAB_SNAPSHOTS = join(folder, 'store');
process.env.HYPERTAB_CACHE = join(folder, 'cache');
const { resolveGuestNode } = (await import(
  /* @vite-ignore */ new URL('../../build/src/guests/prepare-node.js', import.meta.url).href
)) as typeof import('../../src/guests/prepare-node.ts');
const { Hypervisor, waitForPrompt } = (await import(
  /* @vite-ignore */ entry.href
)) as typeof import('../../src/index.ts');

const ROUNDS = Number(process.env.HYPERTAB_KILLS ?? 5);

/** The workers that there are, the newest last: a kill ends one as a browser that is out of memory would. */
const threads: Worker[] = [];

function workerFactory(name: string): WorkerHandle {
  const thread = new Worker(workerEntry, { name });
  threads.push(thread);
  let ended = false;
  return {
    hello: (message) =>
      thread.postMessage(message, [message.port as unknown as import('node:worker_threads').MessagePort]),
    onLost: (listener) => {
      thread.on('exit', (code) => {
        if (!ended) listener(new Error(`it ended with exit code ${code}`));
        ended = true;
      });
    },
    terminate: async () => {
      ended = true;
      await thread.terminate();
    },
  };
}

const hypervisor = new Hypervisor({ workerFactory });
let first: FreshSnapshot;

async function startGuest(): Promise<VirtualMachine> {
  const vm = await hypervisor.create({
    guest: 'monitor',
    memory: '32M',
    drives: [{ kind: 'memory', bytes: 4 << 20 }],
  });
  await vm.start();
  await waitForPrompt(vm);
  return vm;
}

/** Runs an action and kills a worker some time into it; milliseconds that the action takes undisturbed set the scale. */
async function withKill(worker: Worker, scale: number, action: () => Promise<unknown>): Promise<void> {
  const begun = action();
  begun.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, Math.random() * scale));
  await worker.terminate();
  await begun.catch(() => {});
}

/** What was saved first is whole: all of it is read, and its machine goes on. */
async function checkFirst(): Promise<void> {
  const names = (await hypervisor.snapshots.list()).map(({ id }) => id);
  expect(names).toContain(first.id);
  for (const id of names) await hypervisor.snapshots.export(id);
  const vm = await hypervisor.restore(first);
  await vm.start();
  vm.console().write('help\n');
  await expect
    .poll(() => new TextDecoder().decode(vm.console().backlog), { timeout: 30_000 })
    .toContain('poke ADDR VALUE');
  await vm.destroy();
}

beforeAll(async () => {
  const vm = await startGuest();
  first = await vm.snapshot({ name: 'first' });
  await vm.destroy();
});
afterAll(async () => {
  await hypervisor.destroyAll();
  await rm(folder, { recursive: true });
});

it('a worker killed while it saves its machine leaves the snapshots that there were, and no half of one', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const vm = await startGuest();
    await withKill(threads.at(-1)!, 60, () => vm.snapshot({ name: `round ${round}` }));
    await vm.destroy();
    // Each that is listed is whole, whether it came to its end or not.
    await checkFirst();
  }
});

it('a worker killed while a machine is restored into it leaves the snapshot, and no machine', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const count = threads.length;
    const begun = hypervisor.restore(first);
    begun.catch(() => {});
    while (threads.length === count) await new Promise((resolve) => setTimeout(resolve, 1));
    await withKill(threads.at(-1)!, 100, () => begun);
    const vm = await begun.catch(() => undefined);
    if (vm === undefined) expect(hypervisor.list()).toEqual([]);
    else await expect(vm.start()).rejects.toThrow(/worker is lost/);
    await vm?.destroy();
    await checkFirst();
  }
});

it('a worker killed while it is to become a clone leaves the machine that it was to be of, which runs on', async () => {
  const vm = await startGuest();
  for (let round = 0; round < ROUNDS; round++) {
    const count = threads.length;
    const begun = vm.clone();
    begun.catch(() => {});
    while (threads.length === count) await new Promise((resolve) => setTimeout(resolve, 1));
    await withKill(threads.at(-1)!, 100, () => begun);
    await (await begun.catch(() => undefined))?.destroy();
    expect(hypervisor.list()).toEqual([vm]);
    vm.console().write(`echo ${round}\n`);
    await expect
      .poll(() => new TextDecoder().decode(vm.console().backlog), { timeout: 30_000 })
      .toContain(`echo ${round}`);
  }
  await vm.destroy();
  await checkFirst();
});

it('a worker killed while a warm start is taken of it leaves the disk, and a warm start that holds or none', async () => {
  const disk = join(folder, 'disk.img');
  await writeFile(disk, new Uint8Array(1 << 20));
  const overlay = { kind: 'file' as const, path: `${disk}.changes` };
  const warm = new Hypervisor({
    workerFactory,
    resolveGuest: async (name) => ({
      ...(await resolveGuestNode(name)),
      drives: [{ kind: 'file', path: disk, overlay }],
    }),
  });
  const options = { guest: 'monitor' };
  // Each waits for the disk to rest.
  for (let round = 0; round < Math.ceil(ROUNDS / 5); round++) {
    const vm = await warm.create(options);
    await vm.start();
    const kept = warm.keepWarm(vm, options);
    await new Promise((resolve) => setTimeout(resolve, 600 + Math.random() * 200));
    await threads.at(-1)!.terminate();
    await kept;
    await vm.destroy();
    const again = (await warm.createWarm(options)) ?? (await warm.create(options));
    await again.start();
    again.console().write('help\n');
    await expect
      .poll(() => new TextDecoder().decode(again.console().backlog), { timeout: 30_000 })
      .toContain('poke ADDR VALUE');
    await again.destroy();
    expect(warm.list()).toEqual([]);
  }
});
