import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuShare, PERIOD_MS, WHOLE_CORE } from '../../src/worker/cpu-share.ts';

/** Runs a machine that always has work against a share, on a clock of its own; returns when it ran. */
function spin(
  share: CpuShare,
  clock: { now: number },
  until: number,
  slice: (allowed: number) => number,
): [number, number][] {
  const ran: [number, number][] = [];
  while (clock.now < until) {
    const allowed = share.allowance();
    if (allowed <= 0) {
      const wait = share.wait();
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(100 * PERIOD_MS);
      clock.now += wait;
      continue;
    }
    const took = slice(Math.min(4, allowed));
    ran.push([clock.now, clock.now + took]);
    clock.now += took;
    share.charge(took);
  }
  return ran;
}

const total = (ran: [number, number][]) => ran.reduce((sum, [from, to]) => sum + to - from, 0);

describe('the share of a core', () => {
  it('is no limit until there is one', () => {
    const share = new CpuShare();
    expect([share.allowance(), share.unlimited]).toEqual([Infinity, true]);
    share.plan = { quota: 0.5 };
    expect(share.unlimited).toBe(false);
    share.plan = WHOLE_CORE;
    expect(share.allowance()).toBe(Infinity);
  });

  it('is the quota of every period, within 3 %, for a machine that always has work', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (percent, start) => {
          const quota = percent / 100;
          const begin = Math.ceil(start / PERIOD_MS) * PERIOD_MS;
          const clock = { now: begin };
          const share = new CpuShare(() => clock.now);
          share.plan = { quota };
          const ran = spin(share, clock, begin + 20 * PERIOD_MS, (allowed) => allowed);
          for (let period = 0; period < 20; period++) {
            const from = begin + period * PERIOD_MS;
            const inside = ran.map(
              ([a, b]) =>
                [Math.max(a, from), Math.max(from, Math.min(b, from + PERIOD_MS))] as [number, number],
            );
            const got = total(inside.filter(([a, b]) => b > a));
            expect(Math.abs(got - quota * PERIOD_MS)).toBeLessThan(0.03 * quota * PERIOD_MS + 0.06);
          }
        },
      ),
    );
  });

  it('is right in the mean when slices take longer than they should', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 90 }),
        fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 1, maxLength: 50 }),
        (percent, overruns) => {
          const quota = percent / 100;
          const clock = { now: 0 };
          const share = new CpuShare(() => clock.now);
          share.plan = { quota };
          let index = 0;
          const ran = spin(share, clock, 200 * PERIOD_MS, (allowed) => {
            return allowed + overruns[index++ % overruns.length]! * Math.min(1, quota * 4);
          });
          const most = quota * clock.now + 10 + quota * PERIOD_MS;
          expect(total(ran)).toBeLessThanOrEqual(most);
          expect(total(ran)).toBeGreaterThan(0.97 * quota * (200 * PERIOD_MS) - 10 - quota * PERIOD_MS);
        },
      ),
    );
  });

  it('is of processor time, where that is known, on a host that gives a slice less than its time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 45 }),
        fc.array(fc.double({ min: 0.5, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 }),
        (percent, parts) => {
          const quota = percent / 100;
          const clock = { now: 0 };
          let used = 0;
          const share = new CpuShare(
            () => clock.now,
            () => used,
          );
          share.plan = { quota };
          let index = 0;
          spin(share, clock, 100 * PERIOD_MS, (allowed) => {
            used += allowed * parts[index++ % parts.length]!;
            return allowed;
          });
          expect(Math.abs(used / (quota * clock.now) - 1)).toBeLessThan(0.03);
        },
      ),
    );
  });

  it('is, where processor time is known, that of each period within 3 %, waking up and counting included', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0.05, 0.07, 0.1, 0.25, 0.5),
        fc.array(fc.double({ min: 0.1, max: 0.6, noNaN: true }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.double({ min: 0, max: 0.04, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (quota, wakeUps, overruns) => {
          const clock = { now: 0 };
          let used = 0;
          let step = 0;
          const share = new CpuShare(
            () => clock.now,
            () => used,
          );
          share.plan = { quota };
          /** What had been used at the end of each period. */
          const ends: number[] = [];
          while (ends.length < 40) {
            const allowed = share.allowance();
            if (allowed > 0) {
              const took = Math.min(4, allowed) + overruns[step++ % overruns.length]!;
              used += took;
              clock.now += took;
              share.charge(took);
              continue;
            }
            const wake = clock.now + share.wait();
            while (ends.length < Math.floor(wake / PERIOD_MS)) ends.push(used);
            // A thread that has woken up has used some of its time before anything of ours runs.
            const cost = wakeUps[step++ % wakeUps.length]!;
            used += cost;
            clock.now = wake + cost;
          }
          for (let period = 3; period < ends.length; period++) {
            const got = ends[period]! - ends[period - 1]!;
            // LEAST_MS is not worth a slice.
            expect(Math.abs(got - quota * PERIOD_MS)).toBeLessThan(0.03 * quota * PERIOD_MS + 0.05);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is not lost for long to a slice that a busy host did not run', () => {
    const clock = { now: 0 };
    const share = new CpuShare(() => clock.now);
    share.plan = { quota: 0.2 };
    expect(share.allowance()).toBeCloseTo(20);
    clock.now += 900;
    share.charge(900);
    clock.now += PERIOD_MS;
    expect(share.allowance()).toBeGreaterThan(0);
  });

  it('is not saved by a machine that idles', () => {
    const clock = { now: 0 };
    const share = new CpuShare(() => clock.now);
    share.plan = { quota: 0.25 };
    clock.now = 1000 * PERIOD_MS;
    const ran = spin(share, clock, clock.now + PERIOD_MS, (allowed) => allowed);
    expect(total(ran)).toBeCloseTo(25, 0);
  });

  it('lies in its slots, whatever the quota', () => {
    const clock = { now: 12_345 };
    const share = new CpuShare(() => clock.now);
    share.plan = {
      quota: 0.1,
      slots: [
        [0, 20],
        [70, 100],
      ],
    };
    const ran = spin(share, clock, 20_000, (allowed) => allowed);
    for (const [from, to] of ran) {
      const at = from % PERIOD_MS;
      const inside = (at >= 0 && at + (to - from) <= 20.001) || (at >= 70 && at + (to - from) <= 100.001);
      expect(inside, `${from} to ${to}`).toBe(true);
    }
    expect(total(ran) / (20_000 - 12_345)).toBeCloseTo(0.5, 1);
  });

  it('is the length of its slots in the mean, when slices take longer than they should', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 60 }),
        fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (length, overruns) => {
          const clock = { now: 0 };
          const share = new CpuShare(() => clock.now);
          share.plan = { quota: 1, slots: [[30, 30 + length]] };
          let index = 0;
          // Only the last slice of a slot is late; what it takes is less than its slot, so that it can be paid for.
          const ran = spin(share, clock, 200 * PERIOD_MS, (allowed) =>
            allowed > 4 ? 4 : allowed + Math.min(length / 2, overruns[index++ % overruns.length]!),
          );
          expect(Math.abs(total(ran) - 200 * length)).toBeLessThan(0.03 * 200 * length + 2 * PERIOD_MS);
        },
      ),
    );
  });

  it('shrinks at once when the quota does', () => {
    const clock = { now: 0 };
    const share = new CpuShare(() => clock.now);
    share.plan = { quota: 0.9 };
    expect(share.allowance()).toBeCloseTo(90);
    share.plan = { quota: 0.1 };
    expect(share.allowance()).toBeCloseTo(10);
  });
});
