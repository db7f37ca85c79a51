// A VM whose drive has no room for what the guest writes.
import { afterEach, expect, it } from 'vitest';
import type { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { eventually } from '../worker/fake-machine.ts';
import { fakeHypervisor } from './harness.ts';

const kernel = new Uint8Array([1, 2, 3]);
let hypervisor: Hypervisor;
afterEach(() => hypervisor.destroyAll());

async function makeVm(werror?: 'report' | 'enospc') {
  const made = fakeHypervisor(() => ({ state: 'running' }));
  hypervisor = made.hypervisor;
  const vm = await hypervisor.create({ kernel, drives: [{ kind: 'memory', bytes: 4096, werror }] });
  const warnings: string[] = [];
  vm.on('warning', ({ message }) => warnings.push(message));
  await vm.start();
  return { vm, warnings, worker: made.workers[0]! };
}

it('is paused, says why, and tries again when it goes on', async () => {
  const { vm, warnings, worker } = await makeVm('enospc');
  let tries = 0;
  const retry = () => {
    tries++;
  };
  const states: string[] = [];
  vm.on('state', ({ state }) => states.push(state));
  const full = () => worker.drives[0]!.onFull!(new StorageError('full', 'the quota is used up'), retry);
  full();
  await eventually(() => warnings.length > 0);
  expect(vm.state).toBe('paused');
  expect(warnings[0]).toBe(
    'the memory drive: the quota is used up; the machine is paused: make room, then resume it',
  );
  const { slices } = worker.machine;
  expect(tries).toBe(0);
  await vm.resume();
  await eventually(() => worker.machine.slices > slices);
  expect(tries).toBe(1);
  // Full again, with two requests: one pause, one retry of each drive.
  full();
  full();
  await eventually(() => vm.state === 'paused');
  await vm.resume();
  expect(tries).toBe(2);
  expect(states).toEqual(['paused', 'running', 'paused', 'running']);
});

it('tries again when it is switched on anew', async () => {
  const { vm, worker } = await makeVm('enospc');
  let tries = 0;
  worker.drives[0]!.onFull!(new StorageError('full', 'the quota is used up'), () => {
    tries++;
  });
  await eventually(() => vm.state === 'paused');
  await vm.powerOff();
  await vm.start();
  expect([vm.state, tries]).toEqual(['running', 1]);
});

it('gets an I/O error where it is not to be paused', async () => {
  for (const werror of [undefined, 'report'] as const) {
    const { worker } = await makeVm(werror);
    expect(worker.drives[0]!.onFull).toBeUndefined();
    await hypervisor.destroyAll();
  }
});
