import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateGate, RateLimiter } from '../../src/virtio/rate-limiter.ts';

describe('a rate', () => {
  it('holds in the mean for operations of any size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 100_000_000 }),
        fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 20, maxLength: 200 }),
        (rate, sizes) => {
          let now = 0;
          const limiter = new RateLimiter(() => now);
          limiter.rates = { bytes: rate };
          let passed = 0;
          for (const size of sizes) {
            while (limiter.waitMs > 0) now += limiter.waitMs;
            limiter.take(size);
            passed += size;
          }
          const last = sizes.at(-1)!;
          // What passed before the last is paid for, but for the burst that a full bucket allows.
          expect(now / 1000).toBeGreaterThan((passed - last) / rate - 0.1 - 1e-6);
          // Waits are at least a millisecond each, so that small operations may be slower than they must.
          expect(now / 1000).toBeLessThan((passed - last) / rate + 0.001 * sizes.length + 1e-6);
        },
      ),
    );
  });

  it('counts operations as well as bytes', () => {
    let now = 0;
    const limiter = new RateLimiter(() => now);
    limiter.rates = { operations: 100 };
    let passed = 0;
    while (now < 10_000) {
      const wait = limiter.waitMs;
      if (wait > 0) now += wait;
      else {
        limiter.take(1e9);
        passed++;
      }
    }
    expect(passed).toBeGreaterThanOrEqual(1000);
    expect(passed).toBeLessThan(1020);
  });

  it('is none until it is set, and none again when it is taken away', () => {
    const limiter = new RateLimiter(() => 0);
    limiter.take(1e12);
    expect(limiter.waitMs).toBe(0);
    limiter.rates = { bytes: 1 };
    limiter.take(1000);
    expect(limiter.waitMs).toBeGreaterThan(0);
    limiter.rates = {};
    expect(limiter.waitMs).toBe(0);
  });

  it('keeps a debt that is owed when it changes, as the time that it is', () => {
    let now = 0;
    const limiter = new RateLimiter(() => now);
    limiter.rates = { bytes: 1000 };
    limiter.take(1100);
    expect(limiter.waitMs).toBeCloseTo(1000);
    limiter.rates = { bytes: 1_000_000 };
    expect(limiter.waitMs).toBeCloseTo(1000);
    now = 1001;
    expect(limiter.waitMs).toBe(0);
  });

  it('wakes its device once it allows more', async () => {
    const limiter = new RateLimiter();
    limiter.rates = { operations: 100 };
    const gate = new RateGate();
    let woken = 0;
    while (gate.open([limiter], () => woken++)) limiter.take(1);
    expect(gate.open([limiter], () => woken++)).toBe(false);
    await expect.poll(() => woken).toBe(1);
    await expect.poll(() => limiter.waitMs).toBe(0);
  });
});
