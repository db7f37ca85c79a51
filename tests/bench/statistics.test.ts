import fc from 'fast-check';
import { expect, test } from 'vitest';
import { geometricMean, median, spread } from './statistics.mjs';

const positive = fc.double({ min: 0.001, max: 1e6, noNaN: true });
const samples = fc.array(positive, { minLength: 1, maxLength: 20 });

test('half of the samples lie on each side of the median', () => {
  fc.assert(
    fc.property(samples, (values) => {
      const middle = median(values);
      expect(values.filter((value) => value <= middle).length * 2).toBeGreaterThanOrEqual(values.length);
      expect(values.filter((value) => value >= middle).length * 2).toBeGreaterThanOrEqual(values.length);
    }),
  );
});

test('the spread covers every sample', () => {
  fc.assert(
    fc.property(samples, (values) => {
      const reach = median(values) * spread(values) * (1 + 1e-9);
      for (const value of values) expect(Math.abs(value - median(values))).toBeLessThanOrEqual(reach);
    }),
  );
});

test('the geometric mean scales with its values, and that of inverses is its inverse', () => {
  fc.assert(
    fc.property(samples, positive, (values, factor) => {
      const mean = geometricMean(values);
      expect(geometricMean(values.map((value) => value * factor)) / (mean * factor)).toBeCloseTo(1, 6);
      expect(geometricMean(values.map((value) => 1 / value)) * mean).toBeCloseTo(1, 6);
    }),
  );
});
