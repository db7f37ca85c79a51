import { expect, it } from 'vitest';
import { fakeHypervisor } from './harness.ts';

const BIOS = new Uint8Array(4);

it('a hypervisor that is ready has a worker in reserve, and its next machine is made in that one', async () => {
  const { hypervisor, workers } = fakeHypervisor();
  await hypervisor.ready();
  await hypervisor.ready();
  expect(workers.length).toBe(1);
  expect(hypervisor.list()).toEqual([]);
  const vm = await hypervisor.create({ bios: BIOS });
  expect(workers.length).toBe(1);
  expect(workers[0]!.config).toBeDefined();
  // The next one does not compete with the machine that has just been made.
  await expect.poll(() => workers.length, { timeout: 10_000 }).toBe(2);
  const other = await hypervisor.create({ bios: BIOS });
  expect(workers[1]!.config).toBeDefined();
  await vm.destroy();
  await other.destroy();
  expect(workers.slice(0, 2).map(({ terminated }) => terminated)).toEqual([true, true]);
  await hypervisor.destroyAll();
});

it('machines that are made while the reserve is being filled start workers of their own', async () => {
  const { hypervisor, workers } = fakeHypervisor();
  await hypervisor.ready();
  await Promise.all([1, 2, 3].map(() => hypervisor.create({ bios: BIOS })));
  expect(workers.slice(0, 3).every(({ config }) => config !== undefined)).toBe(true);
  await hypervisor.destroyAll();
});

it('a worker that is lost while it is in reserve is no machine’s', async () => {
  const { hypervisor, workers } = fakeHypervisor();
  await hypervisor.ready();
  workers[0]!.lose(new Error('short of memory'));
  const vm = await hypervisor.create({ bios: BIOS });
  expect(workers[0]!.config).toBeUndefined();
  expect(workers[1]!.config).toBeDefined();
  expect(vm.state).toBe('created');
  await hypervisor.destroyAll();
});

it('destroyAll() ends the worker in reserve, and none follows it', async () => {
  const { hypervisor, workers } = fakeHypervisor();
  await hypervisor.ready();
  await hypervisor.create({ bios: BIOS });
  await hypervisor.destroyAll();
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(workers.length).toBe(1);
  await hypervisor.ready();
  expect(workers.length).toBe(2);
  await hypervisor.destroyAll();
  expect(workers.every(({ terminated }) => terminated)).toBe(true);
});
