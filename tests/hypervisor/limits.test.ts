import { afterEach, describe, expect, it, vi } from 'vitest';
import { OptionError, StateError } from '../../src/hypervisor/errors.ts';
import type { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import { Lease } from '../../src/hypervisor/lease.ts';
import { checkLimits, parseLease, type VmLimits } from '../../src/hypervisor/limits.ts';
import type { SliceResult } from '../../src/machine/machine-types.ts';
import { eventually } from '../worker/fake-machine.ts';
import { fakeHypervisor } from './harness.ts';

const kernel = new Uint8Array([1, 2, 3]);
const open: Hypervisor[] = [];
const make: typeof fakeHypervisor = (...args) => {
  const made = fakeHypervisor(...args);
  open.push(made.hypervisor);
  return made;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((hypervisor) => hypervisor.destroyAll()));
});

/** A machine that has work all the time, and takes a millisecond for a slice of it. */
const spin = (): SliceResult => {
  const end = performance.now() + 1;
  while (performance.now() < end);
  return { state: 'running' };
};

describe('limits', () => {
  const parts = { memory: 128 << 20, drives: 1, interfaces: 1 };

  it.each<[VmLimits, RegExp]>([
    [{ cpus: 0.001 }, /^cpus: 0.001 is no share/],
    [{ cpus: 2 }, /one hart/],
    [{ cpus: Number.NaN }, /^cpus/],
    [{ weight: 0 }, /^weight: 0/],
    [{ weight: 1.5 }, /^weight/],
    [{ memoryLimit: '1G' }, /^memoryLimit: 1G is no part of the machine's 128 MiB/],
    [{ memoryLimit: 'much' }, /^memoryLimit: 'much' is not a size/],
    [{ lease: '30 parsecs' }, /^lease/],
    [{ lease: 10 }, /^lease/],
    [{ driveRates: { 1: { bps: 1 } } }, /^driveRates: there is no drive 1/],
    [{ driveRates: { 0: { bps: -1 } } }, /^driveRates: bps of -1/],
    [{ driveRates: { 0: { speed: 1 } as object } }, /^driveRates: 'speed' is no rate/],
    [{ networkRates: { 3: {} } }, /^networkRates: there is no interface 3/],
  ])('that cannot be are refused by name: %j', (limits, message) => {
    expect(() => checkLimits(limits, parts)).toThrow(OptionError);
    expect(() => checkLimits(limits, parts)).toThrow(message);
  });

  it('read leases in the units people write them', () => {
    expect(['30m', '1.5h', '90s', '2d', '1500ms', '0', 60_000].map(parseLease)).toEqual([
      1_800_000, 5_400_000, 90_000, 172_800_000, 1500, 0, 60_000,
    ]);
  });

  it('reach the machine when it is made and when they change, and those not named stay', async () => {
    const { hypervisor, workers } = make();
    const vm = await hypervisor.create({ kernel, memory: '64M', cpus: 0.5, memoryLimit: '48M' });
    expect(vm.limits).toMatchObject({ cpus: 0.5, weight: 100, memoryLimit: 48 << 20, lease: 0 });
    expect(workers[0]!.machine.balloon).toBe(16 << 20);
    await vm.update({ weight: 200, memoryLimit: 0 });
    expect(vm.limits).toMatchObject({ cpus: 0.5, weight: 200, memoryLimit: 64 << 20 });
    expect(workers[0]!.machine.balloon).toBe(0);
    await expect(vm.update({ cpus: 0.25, weight: -1 })).rejects.toThrow(OptionError);
    expect(vm.limits.cpus).toBe(0.5);
    await vm.destroy();
    await expect(vm.update({ cpus: 0.25 })).rejects.toThrow(StateError);
  });

  it('hold a busy machine to its share of a core, and let go of it', async () => {
    const { hypervisor } = make(spin);
    const vm = await hypervisor.create({ kernel, cpus: 0.2 });
    await vm.start();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = await vm.stats();
    const from = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const after = await vm.stats();
    // Wall time on a busy host: a slice may take far longer than it should, never shorter.
    const share = (after.hostMs - before.hostMs) / (performance.now() - from);
    expect(share).toBeLessThan(0.5);
    expect(share).toBeGreaterThan(0.04);
    expect(after.throttled).toBeGreaterThan(before.throttled);
    await vm.update({ cpus: 0 });
    const { throttled } = await vm.stats();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await vm.stats()).throttled).toBeLessThanOrEqual(throttled + 1);
  });

  it('make machines take turns while there are more of them than cores, and no longer', async () => {
    const { hypervisor } = make(spin, { cores: 1 });
    const heavy = await hypervisor.create({ kernel, weight: 300 });
    const light = await hypervisor.create({ kernel, weight: 100 });
    await Promise.all([heavy.start(), light.start()]);
    const throttled = async (vm: typeof heavy) => (await vm.stats()).throttled;
    await expect.poll(() => throttled(heavy), { timeout: 10_000 }).toBeGreaterThan(2);
    await expect.poll(() => throttled(light), { timeout: 10_000 }).toBeGreaterThan(2);
    await heavy.pause();
    const alone = await throttled(light);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await throttled(light)).toBeLessThanOrEqual(alone + 2);
  });
});

describe('a lease', () => {
  it('warns before its end, and ends once', () => {
    vi.useFakeTimers();
    try {
      const log: string[] = [];
      const lease = new Lease({
        onWarning: (ms) => log.push(`warning ${ms}`),
        onEnd: (ms) => log.push(`end ${ms}`),
      });
      lease.grant(1_800_000);
      vi.advanceTimersByTime(1_739_999);
      expect(log).toEqual([]);
      vi.advanceTimersByTime(60_001);
      expect(log).toEqual(['warning 60000', 'end 1800000']);
      expect(lease.remainingMs).toBeUndefined();
      lease.grant(10_000);
      vi.advanceTimersByTime(9500);
      lease.grant(10_000);
      vi.advanceTimersByTime(8000);
      expect(log.slice(2)).toEqual(['warning 1000']);
      lease.end();
      vi.advanceTimersByTime(100_000);
      expect(log).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it('that is over saves its machine, then stops it and says why', async () => {
    const saved: string[] = [];
    const { hypervisor } = make(spin, {
      saveAtLeaseEnd: async ({ name, state }) => void saved.push(`${name} ${state}`),
    });
    const vm = await hypervisor.create({ kernel, name: 'guest', lease: 1000 });
    let warned = 0;
    vm.on('lease', ({ remainingMs }) => {
      warned = remainingMs;
    });
    expect(vm.leaseRemainingMs).toBeUndefined();
    await vm.start();
    expect(vm.leaseRemainingMs).toBeGreaterThan(0);
    expect(await vm.wait()).toEqual({ kind: 'limit', message: 'its lease of 1 s is over' });
    expect([saved, warned, vm.leaseRemainingMs]).toEqual([['guest running'], 100, undefined]);
    // Another start is another lease.
    await vm.start();
    expect(vm.leaseRemainingMs).toBeGreaterThan(0);
  });

  it('that is over and whose machine cannot be saved pauses it', async () => {
    const { hypervisor } = make(spin, {
      saveAtLeaseEnd: () => Promise.reject(new Error('the disk is full')),
    });
    const vm = await hypervisor.create({ kernel, lease: 1000 });
    const warnings: string[] = [];
    vm.on('warning', ({ message }) => warnings.push(message));
    await vm.start();
    await eventually(() => vm.state === 'paused', 10_000);
    expect(warnings).toEqual([
      'its lease of 1 s is over and it could not be saved: the disk is full; it is paused',
    ]);
  });
});
