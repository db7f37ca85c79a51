import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HostScheduler, type Schedulable } from '../../src/hypervisor/host-scheduler.ts';
import { NO_STATS } from '../../src/hypervisor/vm-metrics.ts';
import { type CpuPlan, PERIOD_MS, WHOLE_CORE } from '../../src/worker/cpu-share.ts';

/** A machine that uses, of what its plan gives it, so much as it wants. */
class Machine implements Schedulable {
  running = true;
  weight = 100;
  quota = 1;
  /** Cores that it would use. */
  wanted = 1;
  plan: CpuPlan = WHOLE_CORE;
  plans = 0;
  #hostMs = 0;
  #throttled = 0;
  #at = 0;

  constructor(set: Partial<Machine> = {}) {
    Object.assign(this, set);
  }

  /** Cores that its plan gives it. */
  get given(): number {
    const { quota, slots } = this.plan;
    return slots === undefined ? quota : slots.reduce((sum, [from, to]) => sum + to - from, 0) / PERIOD_MS;
  }

  live(milliseconds: number): void {
    const part = Math.min(this.wanted, this.given);
    // A machine that idles all the time wakes nobody to say so.
    if (this.wanted === 0 || !this.running) return;
    this.#hostMs += part * milliseconds;
    this.#at += milliseconds;
    if (this.wanted > part) this.#throttled++;
  }

  sample() {
    return { at: this.#at, stats: { ...NO_STATS, hostMs: this.#hostMs, throttled: this.#throttled } };
  }

  setPlan(plan: CpuPlan): void {
    this.plan = plan;
    this.plans++;
  }
}

/** Lets time pass for all of them. */
function pass(machines: Machine[], milliseconds: number): void {
  for (let at = 0; at < milliseconds; at += 50) {
    for (const machine of machines) machine.live(50);
    vi.advanceTimersByTime(50);
  }
}

function schedule(cores: number, machines: Machine[]) {
  const scheduler = new HostScheduler(cores);
  const entries = machines.map((machine) => scheduler.add(machine));
  for (const entry of entries) entry.changed();
  return entries;
}

describe("the scheduler of the host's cores", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('leaves machines alone while there are cores for all that run', () => {
    const machines = [new Machine(), new Machine({ quota: 0.5 }), new Machine({ running: false })];
    schedule(2, machines);
    pass(machines, 1000);
    expect(machines.map(({ plan }) => plan)).toEqual([{ quota: 1 }, { quota: 0.5 }, { quota: 1 }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('divides the cores by weight', () => {
    const machines = [new Machine({ weight: 300 }), new Machine({ weight: 100 })];
    schedule(1, machines);
    pass(machines, 1000);
    expect(machines.map(({ given }) => given)).toEqual([0.75, 0.25]);
  });

  it('gives what an idle machine leaves to the others, and back within two ticks of its waking', () => {
    const machines = [new Machine({ weight: 300 }), new Machine(), new Machine()];
    schedule(1, machines);
    pass(machines, 1000);
    expect(machines.map(({ given }) => Number(given.toFixed(2)))).toEqual([0.6, 0.2, 0.2]);
    machines[0]!.wanted = 0;
    pass(machines, 2000);
    expect(machines.map(({ given }) => Number(given.toFixed(2)))).toEqual([1, 0.5, 0.5]);
    machines[0]!.wanted = 1;
    pass(machines, 2 * PERIOD_MS + 50);
    expect(machines.map(({ given }) => Number(given.toFixed(2)))).toEqual([0.6, 0.2, 0.2]);
  });

  it('counts what a machine uses that wants no more', () => {
    const machines = [new Machine({ wanted: 0.2 }), new Machine(), new Machine()];
    schedule(1, machines);
    pass(machines, 2000);
    expect(machines.map(({ given }) => Number(given.toFixed(2)))).toEqual([1, 0.4, 0.4]);
  });

  it('lets go of machines when others have stopped, and follows a new limit at once', () => {
    const machines = [new Machine(), new Machine(), new Machine()];
    const entries = schedule(2, machines);
    pass(machines, 500);
    expect(machines.every(({ plan }) => plan.slots !== undefined)).toBe(true);
    machines[0]!.quota = 0.1;
    entries[0]!.changed();
    expect(machines.map(({ given }) => Number(given.toFixed(2)))).toEqual([0.1, 0.95, 0.95]);
    machines[1]!.running = false;
    entries[1]!.changed();
    expect([machines[0]!.plan, machines[2]!.plan]).toEqual([{ quota: 0.1 }, { quota: 1 }]);
    entries[2]!.remove();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says nothing new while nothing changes', () => {
    const machines = [new Machine(), new Machine(), new Machine()];
    schedule(2, machines);
    pass(machines, 1000);
    const told = machines.map(({ plans }) => plans);
    pass(machines, 5000);
    expect(machines.map(({ plans }) => plans)).toEqual(told);
  });
});
