// Operands that hurt: exponent extremes, subnormals, neighbours of powers of two, ties, cancellations, products at the
// overflow and underflow thresholds, exact quotients and squares, integers at the limits of their types.
import { FORMATS, type Kind, type Operation } from './operations.ts';
import { biasOf, type Format, infinityBits, nanBits, signBit, widthOf } from './oracle.ts';

/** A deterministic source of random bits (xorshift32 on two words). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** 32 random bits. */
  word(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.imul(x, 0x9e3779b1) >>> 0;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor((this.word() / 2 ** 32) * limit);
  }

  /** A random integer of `width` bits, at most 64. */
  bits(width: number): bigint {
    return BigInt.asUintN(width, (BigInt(this.word()) << 32n) | BigInt(this.word()));
  }
}

/** Every special value of a format, with neighbours; both signs. */
export function specials(format: Format): bigint[] {
  const one = 1n << BigInt(format.fraction);
  const bias = BigInt(biasOf(format));
  const precision = BigInt(format.fraction);
  const infinite = infinityBits(format);
  const positive = [
    0n,
    1n,
    2n,
    one / 2n,
    one - 1n,
    one,
    one + 1n,
    2n * one,
    2n * one - 1n,
    (bias - precision - 2n > 0n ? bias - precision - 2n : 1n) * one,
    (bias - 1n) * one, // 0.5
    bias * one - 1n,
    bias * one, // 1
    bias * one + 1n,
    bias * one + one / 2n, // 1.5
    (bias + 1n) * one,
    (bias + 1n) * one + one / 2n, // 3
    (bias + precision) * one,
    (bias + precision) * one + 1n,
    (bias + precision + 1n) * one - 1n,
    infinite - one,
    infinite - 1n,
    infinite - 2n,
    infinite,
    infinite + 1n, // signalling
    infinite + one / 4n, // signalling
    nanBits(format),
    nanBits(format) + 1n,
  ];
  return [...new Set(positive)].flatMap((bits) => [bits, bits | signBit(format)]);
}

/** Integers at the limits of types and formats. */
export const INTEGER_SPECIALS: readonly bigint[] = [
  0, 1, 10, 11, 12, 23, 24, 25, 26, 31, 32, 33, 52, 53, 54, 55, 62, 63, 64,
].flatMap((shift) => [
  ...[-2n, -1n, 0n, 1n, 2n].flatMap((step) => [
    BigInt.asUintN(64, (1n << BigInt(shift)) + step),
    BigInt.asUintN(64, -(1n << BigInt(shift)) + step),
  ]),
]);

/** A fraction field: random, sparse, nearly all ones, a few leading bits, or a run. */
function fraction(random: Random, width: number): bigint {
  const full = random.bits(width);
  const shape = random.below(6);
  const shift = BigInt(random.below(width + 1));
  if (shape === 0) return full;
  if (shape === 1) return BigInt.asUintN(width, 1n << shift);
  if (shape === 2) return BigInt.asUintN(width, -(1n << shift));
  if (shape === 3) return (full >> shift) << shift;
  if (shape === 4) return BigInt.asUintN(width, (1n << shift) + BigInt(random.below(5) - 2));
  return BigInt.asUintN(width, ~((full >> shift) << shift));
}

/** A finite number with the given biased exponent, clamped to the format. */
function numberAt(random: Random, format: Format, biased: number): bigint {
  const limit = 2 * biasOf(format);
  const field = BigInt(Math.max(0, Math.min(limit, biased)));
  const sign = random.below(2) ? signBit(format) : 0n;
  return sign | (field << BigInt(format.fraction)) | fraction(random, format.fraction);
}

function anyNumber(random: Random, format: Format): bigint {
  const bias = biasOf(format);
  switch (random.below(8)) {
    case 0:
      return random.bits(widthOf(format));
    case 1: {
      const pool = specials(format);
      return pool[random.below(pool.length)]!;
    }
    case 2:
      return numberAt(random, format, random.below(4)); // subnormal and just above
    case 3:
      return numberAt(random, format, 2 * bias - random.below(4));
    case 4:
      return numberAt(random, format, random.below(2 * bias + 1));
    default:
      return numberAt(random, format, bias + random.below(80) - 20);
  }
}

const exponentField = (bits: bigint, format: Format): number =>
  Number((bits & infinityBits(format)) >> BigInt(format.fraction));

/** A second operand chosen for what it does together with the first one. */
function partner(random: Random, a: bigint, format: Format): bigint {
  const bias = biasOf(format);
  const field = exponentField(a, format);
  const spread = random.below(2 * format.fraction + 8) - format.fraction - 4;
  switch (random.below(7)) {
    case 0: // a few units away: cancellation, exact quotients near one
      return BigInt.asUintN(widthOf(format), (a ^ signBit(format)) + BigInt(random.below(7) - 3));
    case 1: // within reach of rounding, ties included
      return numberAt(random, format, field + spread);
    case 2: // product near the smallest normal number
      return numberAt(
        random,
        format,
        bias + 1 - field + random.below(format.fraction + 8) - format.fraction - 4,
      );
    case 3: // product near the largest
      return numberAt(random, format, 3 * bias - field + random.below(5) - 2);
    case 4: // quotient near the smallest normal number
      return numberAt(random, format, field + bias - 1 + random.below(format.fraction + 8) - 4);
    case 5: // quotient near the largest
      return numberAt(random, format, field - bias + random.below(5) - 2);
    default:
      return anyNumber(random, format);
  }
}

const scratch = new DataView(new ArrayBuffer(8));

/** The nearest value of a host operation on two or one numbers of a format (a starting point, not an oracle). */
function hostValue(
  format: Format,
  operation: (a: number, b: number) => number,
  a: bigint,
  b: bigint,
): bigint {
  const wide = format.fraction === 52;
  const number = (bits: bigint): number => {
    scratch.setBigUint64(0, bits);
    return wide ? scratch.getFloat64(0) : scratch.getFloat32(4);
  };
  const value = operation(number(a), number(b));
  scratch.setBigUint64(0, 0n);
  if (wide) scratch.setFloat64(0, value);
  else scratch.setFloat32(4, value);
  return scratch.getBigUint64(0);
}

const nudge = (random: Random, bits: bigint, format: Format): bigint =>
  BigInt.asUintN(widthOf(format), bits + BigInt(random.below(5) - 2));

/** A number near an integer limit, a half, or a plain small number. */
function nearInteger(random: Random, format: Format): bigint {
  const bias = biasOf(format);
  if (random.below(4) === 0) return anyNumber(random, format);
  const exponent = [-1, 0, 1, 8, 15, 30, 31, 32, 33, 52, 53, 62, 63, 64][random.below(14)]!;
  return nudge(random, numberAt(random, format, bias + exponent), format);
}

function integer(random: Random): bigint {
  if (random.below(8) === 0) return INTEGER_SPECIALS[random.below(INTEGER_SPECIALS.length)]!;
  const value = (1n << BigInt(random.below(64))) | (fraction(random, 64) >> BigInt(random.below(64)));
  return BigInt.asUintN(64, random.below(2) ? value : -value);
}

/** A conversion's operand: at the thresholds of the narrower format, half-way between its numbers. */
function toNarrow(random: Random, from: Format, to: Format): bigint {
  if (random.below(3) === 0) return anyNumber(random, from);
  const edge = random.below(2) ? biasOf(to) : -biasOf(to) - random.below(to.fraction + 4);
  const bits = numberAt(random, from, biasOf(from) + edge + random.below(5) - 2);
  const dropped = BigInt(from.fraction - to.fraction - 1);
  return random.below(2) ? bits : nudge(random, (bits >> dropped) << dropped, from);
}

/** Random operands for an operation, most of them in the neighbourhood of trouble. */
export function randomOperands(random: Random, operation: Operation): bigint[] {
  const kind = operation.operands[0]!;
  if (kind === 'x') return [integer(random)];
  const format = FORMATS[kind];
  const a = anyNumber(random, format);
  const suffix = operation.name.slice(3);
  if (suffix === 'Sqrt' && random.below(2)) {
    return [
      nudge(
        random,
        hostValue(format, (x) => x * x, (a >> 27n) << 27n, 0n),
        format,
      ),
    ];
  }
  if (operation.operands.length === 1) {
    if (operation.result === 'x') return [nearInteger(random, format)];
    const to = FORMATS[operation.result];
    return [to.fraction < format.fraction ? toNarrow(random, format, to) : a];
  }
  const b = partner(random, a, format);
  if (suffix === 'Div' && random.below(3) === 0) {
    return [
      nudge(
        random,
        hostValue(format, (x, y) => x * y, a, b),
        format,
      ),
      b,
    ];
  }
  if (operation.operands.length === 2) return [a, b];
  return fusedOperands(random, a, b, format);
}

/** Operands of a fused multiply-add: few bits far apart, ties, cancellation, an addend within reach of rounding. */
function fusedOperands(random: Random, a: bigint, b: bigint, format: Format): bigint[] {
  const precision = format.fraction + 1;
  const shape = random.below(4);
  if (shape < 2) {
    const middle = biasOf(format) + random.below(40) - 20;
    const place = (field: bigint): bigint => (BigInt(middle) << BigInt(format.fraction)) + field;
    let x: bigint;
    let y: bigint;
    if (shape === 0) {
      // (1 + d) (1 - d) = 1 - d^2: a power of two but for a bit far below.
      const d = 1n << BigInt(random.below(precision));
      x = place(d);
      y = place(-(d >> 1n));
    } else {
      // Two halves of a precision: the product has one bit too many about half of the time.
      const half = BigInt(precision - (precision >> 1) - 1);
      const odd = (): bigint => place(((random.bits(format.fraction) >> half) | 1n) << half);
      x = odd();
      y = odd();
    }
    const exponent = 2 * middle - biasOf(format);
    const distance = random.below(2) ? random.below(5) - 2 : 0;
    const side = [precision, -precision, 2 * precision, -2 * precision, 0][random.below(5)]!;
    return [x, y, numberAt(random, format, exponent + side + distance)];
  }
  const product = hostValue(format, (x, y) => x * y, a, b);
  if (shape === 2) return [a, b, nudge(random, product ^ signBit(format), format)];
  return [a, b, random.below(4) ? partner(random, product, format) : anyNumber(random, format)];
}

/** Every combination of special operands (for three operands, of a smaller set). */
export function* specialOperands(operation: Operation): Generator<bigint[]> {
  const pool = (kind: Kind): readonly bigint[] => (kind === 'x' ? INTEGER_SPECIALS : specials(FORMATS[kind]));
  const first = pool(operation.operands[0]!);
  if (operation.operands.length === 1) {
    for (const a of first) yield [a];
  } else if (operation.operands.length === 2) {
    for (const a of first) for (const b of first) yield [a, b];
  } else {
    const few = first.filter((_, index) => index % 5 < 2);
    for (const a of few) for (const b of few) for (const c of few) yield [a, b, c];
  }
}
