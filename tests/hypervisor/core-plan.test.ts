import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CoreClaim, planCores, plansDiffer, shareCores } from '../../src/hypervisor/core-plan.ts';
import { PERIOD_MS } from '../../src/worker/cpu-share.ts';

const claimOf = fc.record({
  weight: fc.integer({ min: 1, max: 10_000 }),
  quota: fc.integer({ min: 2, max: 100 }).map((percent) => percent / 100),
  used: fc.double({ min: 0, max: 1, noNaN: true }),
  wants: fc.boolean(),
});
const claimsOf = fc.array(claimOf, { minLength: 1, maxLength: 12 });
const coresOf = fc.integer({ min: 1, max: 8 });
const hog = (weight: number, quota = 1): CoreClaim => ({ weight, quota, used: 1, wants: true });
const rounded = (numbers: number[]) => numbers.map((number) => Number(number.toFixed(4)));
const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

describe("shares of the host's cores", () => {
  it('are by weight where machines compete', () => {
    expect(shareCores(1, [hog(300), hog(100)])).toEqual([0.75, 0.25]);
    expect(rounded(shareCores(2, [hog(100), hog(100), hog(100)]))).toEqual([0.6667, 0.6667, 0.6667]);
  });

  it('of a machine that needs no more than one core go to the others', () => {
    expect(shareCores(2, [hog(1000), hog(1), hog(1)])).toEqual([1, 0.5, 0.5]);
    expect(rounded(shareCores(1, [hog(100, 0.1), hog(100)]))).toEqual([0.1, 0.9]);
    expect(shareCores(1, [{ weight: 100, quota: 1, used: 0.2, wants: false }, hog(100)])).toEqual([0.2, 0.8]);
  });

  it('are never more than the cores, nor than a quota, and nothing is left while somebody wants it', () => {
    fc.assert(
      fc.property(coresOf, claimsOf, (cores, claims) => {
        const shares = shareCores(cores, claims);
        const content = sum(claims.map(({ wants, used, quota }) => (wants ? 0 : Math.min(used, quota))));
        const given = sum(shares);
        for (const [index, share] of shares.entries()) {
          expect(share).toBeLessThanOrEqual(claims[index]!.quota + 1e-9);
          expect(share).toBeGreaterThanOrEqual(0);
        }
        expect(given).toBeLessThanOrEqual(Math.max(cores, content) + 1e-9);
        const hungry = claims.some(({ wants, quota }, index) => wants && shares[index]! < quota - 1e-9);
        if (hungry) expect(given).toBeGreaterThanOrEqual(cores - 1e-9);
        // Of two that want more and are below their quotas, each has its weight's worth.
        const open = claims.flatMap(({ wants, quota, weight }, index) =>
          wants && shares[index]! < quota - 1e-9 ? [shares[index]! / weight] : [],
        );
        for (const level of open) expect(level).toBeCloseTo(open[0]!, 9);
      }),
    );
  });
});

describe('a plan', () => {
  it('needs no slots while there are cores for all that want one', () => {
    fc.assert(
      fc.property(coresOf, claimsOf, (cores, claims) => {
        fc.pre(claims.filter(({ wants }) => wants).length <= cores);
        expect(planCores(cores, claims)).toEqual(claims.map(({ quota }) => ({ quota })));
      }),
    );
  });

  it('never opens more slots at a time than there are cores, and gives each its share', () => {
    fc.assert(
      fc.property(coresOf, claimsOf, (cores, claims) => {
        fc.pre(claims.filter(({ wants }) => wants).length > cores);
        const plans = planCores(cores, claims);
        const shares = shareCores(cores, claims);
        const edges: [number, number][] = [];
        for (const [index, { slots }] of plans.entries()) {
          expect(slots === undefined).toBe(!claims[index]!.wants);
          if (slots === undefined) continue;
          let end = 0;
          for (const [from, to] of slots) {
            expect(from).toBeGreaterThanOrEqual(end - 1e-9);
            expect(to).toBeGreaterThan(from);
            expect(to).toBeLessThanOrEqual(PERIOD_MS + 1e-9);
            end = to;
            edges.push([from + 1e-6, 1], [to - 1e-6, -1]);
          }
          const length = sum(slots.map(([from, to]) => to - from));
          expect(length).toBeCloseTo(Math.max(1, shares[index]! * PERIOD_MS), 6);
        }
        // A share below a millisecond is rounded up to one, so that nobody starves: only then may it be more.
        const tiny = shares.filter((share, index) => claims[index]!.wants && share * PERIOD_MS < 1).length;
        let open = 0;
        for (const [, step] of edges.sort(([a], [b]) => a - b)) {
          open += step;
          expect(open).toBeLessThanOrEqual(cores + tiny);
        }
      }),
    );
  });

  it('differs from another when a slot has moved by more than two milliseconds', () => {
    expect(plansDiffer({ quota: 1 }, { quota: 1 })).toBe(false);
    expect(plansDiffer({ quota: 1 }, { quota: 0.5 })).toBe(true);
    expect(plansDiffer({ quota: 1 }, { quota: 1, slots: [[0, 50]] })).toBe(true);
    expect(plansDiffer({ quota: 1, slots: [[0, 51]] }, { quota: 1, slots: [[0, 50]] })).toBe(false);
    expect(plansDiffer({ quota: 1, slots: [[0, 54]] }, { quota: 1, slots: [[0, 50]] })).toBe(true);
  });
});
