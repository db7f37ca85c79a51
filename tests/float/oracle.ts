// An exact model of IEEE 754 arithmetic in BigInt, written from the standard and not from the core: every result is an
// exact rational number first, and is rounded once. Slow and plain on purpose.

/** A binary interchange format: fraction bits and exponent bits. */
export interface Format {
  readonly fraction: number;
  readonly exponent: number;
}

export const F64: Format = { fraction: 52, exponent: 11 };
export const F32: Format = { fraction: 23, exponent: 8 };
export const F16: Format = { fraction: 10, exponent: 5 };

export const NX = 1;
export const UF = 2;
export const OF = 4;
export const DZ = 8;
export const NV = 16;

/** Rounding modes as RISC-V encodes them. */
export type Rounding = 0 | 1 | 2 | 3 | 4;
export const ROUNDINGS: readonly Rounding[] = [0, 1, 2, 3, 4];
export const ROUNDING_NAMES = ['RNE', 'RTZ', 'RDN', 'RUP', 'RMM'] as const;

/** A result: its bits and the flags raised. */
export interface Outcome {
  readonly bits: bigint;
  readonly flags: number;
}

/** What bits mean: a number is (-1)^negative * integer * 2^scale. */
export type Datum =
  | { readonly kind: 'nan'; readonly negative: boolean; readonly signaling: boolean }
  | { readonly kind: 'infinity'; readonly negative: boolean }
  | { readonly kind: 'number'; readonly negative: boolean; readonly integer: bigint; readonly scale: number };

const mask = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

export const biasOf = (format: Format): number => 2 ** (format.exponent - 1) - 1;
export const widthOf = (format: Format): number => 1 + format.exponent + format.fraction;
export const infinityBits = (format: Format): bigint => mask(format.exponent) << BigInt(format.fraction);
export const signBit = (format: Format): bigint => 1n << BigInt(widthOf(format) - 1);
export const nanBits = (format: Format): bigint => infinityBits(format) | (1n << BigInt(format.fraction - 1));

export function decode(bits: bigint, format: Format): Datum {
  const negative = (bits & signBit(format)) !== 0n;
  const field = Number((bits >> BigInt(format.fraction)) & mask(format.exponent));
  const fraction = bits & mask(format.fraction);
  if (field === Number(mask(format.exponent))) {
    if (fraction === 0n) return { kind: 'infinity', negative };
    return { kind: 'nan', negative, signaling: ((fraction >> BigInt(format.fraction - 1)) & 1n) === 0n };
  }
  const least = 1 - biasOf(format) - format.fraction;
  if (field === 0) return { kind: 'number', negative, integer: fraction, scale: least };
  return {
    kind: 'number',
    negative,
    integer: fraction | (1n << BigInt(format.fraction)),
    scale: least + field - 1,
  };
}

const bitLength = (n: bigint): number => n.toString(2).length;

const signed = (bits: bigint, negative: boolean, format: Format): bigint =>
  negative ? bits | signBit(format) : bits;

export const zero = (negative: boolean, format: Format): Outcome => ({
  bits: signed(0n, negative, format),
  flags: 0,
});
export const infinity = (negative: boolean, format: Format, flags = 0): Outcome => ({
  bits: signed(infinityBits(format), negative, format),
  flags,
});
export const invalid = (format: Format): Outcome => ({ bits: nanBits(format), flags: NV });

/** The canonical NaN for an operation with NaN operands: NV if one of them is signalling. */
export function propagate(format: Format, ...operands: Datum[]): Outcome | undefined {
  const nans = operands.filter((datum) => datum.kind === 'nan');
  if (nans.length === 0) return undefined;
  return { bits: nanBits(format), flags: nans.some((nan) => nan.signaling) ? NV : 0 };
}

/** Quotient of a division of non-negative integers, rounded to an integer. */
function roundQuotient(
  numerator: bigint,
  denominator: bigint,
  negative: boolean,
  rounding: Rounding,
): { integer: bigint; exact: boolean } {
  const floor = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  if (twice === 0n) return { integer: floor, exact: true };
  let up: boolean;
  switch (rounding) {
    case 0:
      up = twice > denominator || (twice === denominator && (floor & 1n) === 1n);
      break;
    case 1:
      up = false;
      break;
    case 2:
      up = negative;
      break;
    case 3:
      up = !negative;
      break;
    case 4:
      up = twice >= denominator;
      break;
  }
  return { integer: up ? floor + 1n : floor, exact: false };
}

/** numerator / denominator as a multiple of 2^scale, rounded. */
function roundAt(
  numerator: bigint,
  denominator: bigint,
  scale: number,
  negative: boolean,
  rounding: Rounding,
): { integer: bigint; exact: boolean } {
  if (scale >= 0) return roundQuotient(numerator, denominator << BigInt(scale), negative, rounding);
  return roundQuotient(numerator << BigInt(-scale), denominator, negative, rounding);
}

/** Rounds a positive rational number with a sign to a format. Tininess is detected after rounding. */
export function roundRational(
  negative: boolean,
  numerator: bigint,
  denominator: bigint,
  format: Format,
  rounding: Rounding,
): Outcome {
  const precision = format.fraction + 1;
  let exponent = bitLength(numerator) - bitLength(denominator);
  const below =
    exponent >= 0
      ? numerator < denominator << BigInt(exponent)
      : numerator << BigInt(-exponent) < denominator;
  if (below) exponent--;
  const least = 1 - biasOf(format);

  // As if the exponent were unbounded.
  const free = roundAt(numerator, denominator, exponent - format.fraction, negative, rounding);
  const freeExponent = bitLength(free.integer) > precision ? exponent + 1 : exponent;
  if (freeExponent > biasOf(format)) {
    const toInfinity = rounding === 0 || rounding === 4 || rounding === (negative ? 2 : 3);
    const bits = toInfinity ? infinityBits(format) : infinityBits(format) - 1n;
    return { bits: signed(bits, negative, format), flags: OF | NX };
  }
  const tiny = freeExponent < least;
  const scale = Math.max(exponent, least) - format.fraction;
  const { integer, exact } = roundAt(numerator, denominator, scale, negative, rounding);
  // Consecutive bit patterns are consecutive numbers: the field counts binades above the least.
  const field = BigInt(scale + format.fraction - least);
  const bits = (field << BigInt(format.fraction)) + integer;
  return { bits: signed(bits, negative, format), flags: exact ? 0 : tiny ? UF | NX : NX };
}

/** Rounds (-1)^negative * integer * 2^scale; integer is positive. */
export function roundDyadic(
  negative: boolean,
  integer: bigint,
  scale: number,
  format: Format,
  rounding: Rounding,
): Outcome {
  return scale >= 0
    ? roundRational(negative, integer << BigInt(scale), 1n, format, rounding)
    : roundRational(negative, integer, 1n << BigInt(-scale), format, rounding);
}

/** Rounds a rational to an integer (which may be negative). */
export function roundToInteger(
  datum: Extract<Datum, { kind: 'number' }>,
  rounding: Rounding,
): { integer: bigint; exact: boolean } {
  const { integer, exact } =
    datum.scale >= 0
      ? { integer: datum.integer << BigInt(datum.scale), exact: true }
      : roundQuotient(datum.integer, 1n << BigInt(-datum.scale), datum.negative, rounding);
  return { integer: datum.negative ? -integer : integer, exact };
}

/** Largest integer whose square is at most n. */
export function integerSquareRoot(n: bigint): bigint {
  let root = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
