import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MachineClock } from '../../src/machine/clock.ts';
import { Pacer } from '../../src/machine/pacer.ts';

describe('machine clock', () => {
  it('counts 10 MHz ticks, stands still while suspended, and never runs backwards', () => {
    const step = fc.tuple(fc.constantFrom('run', 'suspend', 'resume'), fc.integer({ min: 0, max: 5000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let host = 1000;
        const clock = new MachineClock(() => host);
        let suspended = false;
        let expected = 0;
        for (const [what, ms] of steps) {
          if (what !== 'run') {
            suspended = what === 'suspend';
            if (suspended) clock.suspend();
            else clock.resume();
          }
          host += ms;
          if (!suspended) expected += ms;
          expect(clock.now()).toBe(expected * 10_000);
        }
      }),
    );
  });

  it('goes on from the time it is set to, and from zero after a reset', () => {
    let host = 5;
    const clock = new MachineClock(() => host);
    clock.set(1_000_000);
    host += 3;
    expect(clock.now()).toBe(1_030_000);
    clock.reset();
    host += 1;
    expect(clock.now()).toBe(10_000);
  });
});

describe('pacer', () => {
  it('settles on budgets that take about two milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20_000, max: 5_000_000 }), (perMs) => {
        const pacer = new Pacer();
        for (let run = 0; run < 60; run++) pacer.note(pacer.budget(), pacer.budget() / perMs);
        const ms = pacer.budget() / perMs;
        expect(ms).toBeGreaterThan(0.9);
        expect(ms).toBeLessThan(2.2);
        // What is left of a share is not overrun by more than the least that is worth a run.
        expect(pacer.budget(0.3)).toBeLessThanOrEqual(Math.max(20_000, Math.ceil(pacer.budget() * 0.3)));
      }),
    );
  });
});
