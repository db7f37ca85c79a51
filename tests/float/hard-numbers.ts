// Numbers and integers at every boundary of a format, as TestFloat's generator has them: each interesting exponent with
// each interesting significand, both signs.
import { Random } from './operands.ts';
import { biasOf, type Format, signBit } from './oracle.ts';

const ALTERNATING = 0x5555_5555_5555_5555n;

/** Fraction fields: empty, one bit at an end or in the middle, runs from both ends, neighbours of these, patterns. */
function fractions(format: Format): bigint[] {
  const width = format.fraction;
  const half = BigInt(width >> 1);
  const top = 1n << BigInt(width - 1);
  const full = (1n << BigInt(width)) - 1n;
  const low = (1n << half) - 1n;
  return [
    ...[0n, 1n, 2n, 3n, top - 1n, top, top + 1n, full - 1n, full],
    ...[low, low + 1n, low + 2n, full ^ low, ALTERNATING & full],
  ];
}

/** Biased exponents: both ends, around one, around the precision, around the widths of integers. */
function exponents(format: Format): number[] {
  const bias = biasOf(format);
  const precision = format.fraction + 1;
  const near = [0, 1, 2, precision >> 1, precision - 1, precision, precision + 1, 31, 32, 63, 64];
  const all = [0, 1, 2, 2 * bias - 1, 2 * bias, 2 * bias + 1, precision, precision + 1];
  for (const distance of near) all.push(bias + distance, bias - distance);
  return [...new Set(all)].filter((field) => field >= 0 && field <= 2 * bias + 1);
}

const spread = (format: Format, fields: readonly number[], patterns: readonly bigint[]): bigint[] =>
  fields.flatMap((field) =>
    patterns.flatMap((fraction) => {
      const bits = (BigInt(field) << BigInt(format.fraction)) | fraction;
      return [bits, bits | signBit(format)];
    }),
  );

/** Operands for two and three at a time: 500 to 800 of a format. */
export function hardNumbers(format: Format): bigint[] {
  return spread(format, exponents(format), fractions(format));
}

/** Operands for one at a time: every exponent with every fraction of one bit, one run, or a neighbour of these. */
export function everyExponent(format: Format): bigint[] {
  const width = format.fraction;
  if (width === 10) return Array.from({ length: 0x10000 }, (_, bits) => BigInt(bits));
  const full = (1n << BigInt(width)) - 1n;
  const patterns = new Set(fractions(format));
  for (let bit = 0; bit < width; bit++) {
    const one = 1n << BigInt(bit);
    for (const pattern of [one, one - 1n, one + 1n, full ^ one, full ^ (one - 1n)])
      patterns.add(pattern & full);
  }
  const fields = Array.from({ length: 2 * biasOf(format) + 2 }, (_, field) => field);
  return spread(format, fields, [...patterns]);
}

/** Integers of one and two bits, their neighbours and negatives. */
export function hardIntegers(): bigint[] {
  const all = new Set<bigint>();
  for (let high = 0n; high < 64n; high++) {
    for (let low = 0n; low <= high; low++) {
      for (const step of [-1n, 0n, 1n]) {
        for (const value of [(1n << high) + (1n << low), (1n << high) - (1n << low)]) {
          all.add(BigInt.asUintN(64, value + step));
          all.add(BigInt.asUintN(64, -value + step));
        }
      }
    }
  }
  const random = new Random(64);
  while (all.size < 60_000) all.add(random.bits(64) >> BigInt(random.below(64)));
  return [...all];
}
