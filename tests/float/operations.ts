// Every operation of assembly/float: how it is called, which instruction it is, and what the exact model says.
import {
  type Datum,
  DZ,
  decode,
  F16,
  F32,
  F64,
  type Format,
  infinity,
  integerSquareRoot,
  invalid,
  NV,
  NX,
  nanBits,
  type Outcome,
  propagate,
  type Rounding,
  roundDyadic,
  roundRational,
  roundToInteger,
  zero,
} from './oracle.ts';

/** Formats by name, and x: an integer register. */
export type Kind = 'f64' | 'f32' | 'f16' | 'x';

export const FORMATS = { f64: F64, f32: F32, f16: F16 } as const;

export interface Operation {
  /** Name of the core's export. */
  readonly name: string;
  /** RISC-V mnemonic. */
  readonly instruction: string;
  readonly operands: readonly Kind[];
  readonly result: Kind;
  /** False when the export takes no rounding mode. */
  readonly rounds: boolean;
  /** The exact answer for raw operand bits. */
  readonly expect: (operands: readonly bigint[], rounding: Rounding) => Outcome;
}

type Num = Extract<Datum, { kind: 'number' }>;

/** Sum of exact numbers, rounded; an exact zero takes the sign that section 6.3 gives it. */
function roundSum(a: Num, b: Num, format: Format, rounding: Rounding): Outcome {
  const scale = Math.min(a.scale, b.scale);
  const term = (n: Num): bigint => (n.negative ? -n.integer : n.integer) << BigInt(n.scale - scale);
  const sum = term(a) + term(b);
  if (sum === 0n) {
    return zero(a.negative === b.negative ? a.negative : rounding === 2, format);
  }
  return roundDyadic(sum < 0n, sum < 0n ? -sum : sum, scale, format, rounding);
}

function add(a: Datum, b: Datum, format: Format, rounding: Rounding): Outcome {
  const nan = propagate(format, a, b);
  if (nan) return nan;
  if (a.kind === 'infinity' && b.kind === 'infinity' && a.negative !== b.negative) return invalid(format);
  if (a.kind === 'infinity') return infinity(a.negative, format);
  if (b.kind === 'infinity') return infinity(b.negative, format);
  return roundSum(a as Num, b as Num, format, rounding);
}

const negate = <T extends Datum>(a: T): T => ({ ...a, negative: !a.negative });

const isZero = (a: Datum): boolean => a.kind === 'number' && a.integer === 0n;

function multiply(a: Datum, b: Datum, format: Format, rounding: Rounding): Outcome {
  const nan = propagate(format, a, b);
  if (nan) return nan;
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinity' || b.kind === 'infinity') {
    return isZero(a) || isZero(b) ? invalid(format) : infinity(negative, format);
  }
  const [x, y] = [a as Num, b as Num];
  if (isZero(x) || isZero(y)) return zero(negative, format);
  return roundDyadic(negative, x.integer * y.integer, x.scale + y.scale, format, rounding);
}

function divide(a: Datum, b: Datum, format: Format, rounding: Rounding): Outcome {
  const nan = propagate(format, a, b);
  if (nan) return nan;
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinity') return b.kind === 'infinity' ? invalid(format) : infinity(negative, format);
  if (b.kind === 'infinity') return zero(negative, format);
  const [x, y] = [a as Num, b as Num];
  if (isZero(y)) return isZero(x) ? invalid(format) : infinity(negative, format, DZ);
  if (isZero(x)) return zero(negative, format);
  const scale = x.scale - y.scale;
  return scale >= 0
    ? roundRational(negative, x.integer << BigInt(scale), y.integer, format, rounding)
    : roundRational(negative, x.integer, y.integer << BigInt(-scale), format, rounding);
}

function squareRoot(a: Datum, format: Format, rounding: Rounding): Outcome {
  const nan = propagate(format, a);
  if (nan) return nan;
  if (isZero(a)) return zero(a.negative, format);
  if (a.negative) return invalid(format);
  if (a.kind === 'infinity') return infinity(false, format);
  const x = a as Num;
  // 128 more bits than the format can hold, and one that stands for the rest.
  const shift = 256 + (x.scale & 1);
  const square = x.integer << BigInt(shift);
  const root = integerSquareRoot(square);
  const sticky = root * root === square ? 0n : 1n;
  return roundDyadic(false, root * 2n + sticky, (x.scale - shift) / 2 - 1, format, rounding);
}

function fusedMultiplyAdd(a: Datum, b: Datum, c: Datum, format: Format, rounding: Rounding): Outcome {
  const undefinedProduct = (isZero(a) && b.kind === 'infinity') || (isZero(b) && a.kind === 'infinity');
  if (undefinedProduct) return invalid(format);
  const nan = propagate(format, a, b, c);
  if (nan) return nan;
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinity' || b.kind === 'infinity') {
    return add({ kind: 'infinity', negative }, c, format, rounding);
  }
  const [x, y] = [a as Num, b as Num];
  const product: Num = {
    kind: 'number',
    negative,
    integer: x.integer * y.integer,
    scale: x.scale + y.scale,
  };
  return add(product, c, format, rounding);
}

/** Order of two numbers or infinities: negative, zero or positive. */
function compare(a: Datum, b: Datum): number {
  const place = (d: Datum): bigint => {
    if (d.kind === 'infinity') return (d.negative ? -1n : 1n) << 5000n;
    const n = d as Num;
    return (n.negative ? -n.integer : n.integer) << BigInt(n.scale + 1100);
  };
  const difference = place(a) - place(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function relation(a: Datum, b: Datum, quiet: boolean, holds: (order: number) => boolean): Outcome {
  if (a.kind === 'nan' || b.kind === 'nan') {
    const signaling = [a, b].some((d) => d.kind === 'nan' && d.signaling);
    return { bits: 0n, flags: quiet && !signaling ? 0 : NV };
  }
  return { bits: holds(compare(a, b)) ? 1n : 0n, flags: 0 };
}

function extremum(a: bigint, b: bigint, format: Format, wanted: number): Outcome {
  const [x, y] = [decode(a, format), decode(b, format)];
  const flags = propagate(format, x, y)?.flags ?? 0;
  if (x.kind === 'nan') return { bits: y.kind === 'nan' ? nanBits(format) : b, flags };
  if (y.kind === 'nan') return { bits: a, flags };
  // Equal numbers with different signs are the zeros: -0 counts as the smaller one.
  const order = compare(x, y) || (x.negative === y.negative ? 0 : x.negative ? -1 : 1);
  return { bits: order === wanted || order === 0 ? a : b, flags };
}

function classify(a: bigint, format: Format): Outcome {
  const datum = decode(a, format);
  let index: number;
  if (datum.kind === 'nan') index = datum.signaling ? 8 : 9;
  else {
    let distance = 0;
    if (datum.kind === 'number') {
      const subnormal = datum.integer >> BigInt(format.fraction) === 0n;
      distance = datum.integer === 0n ? 3 : subnormal ? 2 : 1;
    }
    index = datum.negative ? distance : 7 - distance;
  }
  return { bits: 1n << BigInt(index), flags: 0 };
}

function toInteger(a: Datum, bits: number, isSigned: boolean, rounding: Rounding): Outcome {
  const low = isSigned ? -(1n << BigInt(bits - 1)) : 0n;
  const high = (1n << BigInt(isSigned ? bits - 1 : bits)) - 1n;
  // A register holds a 32-bit result sign-extended, an unsigned one too.
  const register = (n: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(bits, n));
  if (a.kind === 'nan') return { bits: register(high), flags: NV };
  if (a.kind === 'infinity') return { bits: register(a.negative ? low : high), flags: NV };
  const { integer, exact } = roundToInteger(a, rounding);
  if (integer < low || integer > high) return { bits: register(integer < low ? low : high), flags: NV };
  return { bits: register(integer), flags: exact ? 0 : NX };
}

function fromInteger(
  x: bigint,
  bits: number,
  isSigned: boolean,
  format: Format,
  rounding: Rounding,
): Outcome {
  const value = isSigned ? BigInt.asIntN(bits, x) : BigInt.asUintN(bits, x);
  if (value === 0n) return zero(false, format);
  return roundDyadic(value < 0n, value < 0n ? -value : value, 0, format, rounding);
}

function convert(a: Datum, format: Format, rounding: Rounding): Outcome {
  const nan = propagate(format, a);
  if (nan) return nan;
  if (a.kind === 'infinity') return infinity(a.negative, format);
  const n = a as Num;
  if (isZero(n)) return zero(n.negative, format);
  return roundDyadic(n.negative, n.integer, n.scale, format, rounding);
}

function arithmetic(kind: 'f64' | 'f32', suffix: 'd' | 's'): Operation[] {
  const format = FORMATS[kind];
  type Rule = (operands: Datum[], rounding: Rounding) => Outcome;
  const rounded = (name: string, mnemonic: string, arity: number, rule: Rule): Operation => ({
    name: `${kind}${name}`,
    instruction: `${mnemonic}.${suffix}`,
    operands: Array<Kind>(arity).fill(kind),
    result: kind,
    rounds: true,
    expect: (operands, rounding) =>
      rule(
        operands.map((bits) => decode(bits, format)),
        rounding,
      ),
  });
  const exact = (
    name: string,
    mnemonic: string,
    arity: number,
    result: Kind,
    rule: (operands: readonly bigint[]) => Outcome,
  ): Operation => ({
    name: `${kind}${name}`,
    instruction: `${mnemonic}.${suffix}`,
    operands: Array<Kind>(arity).fill(kind),
    result,
    rounds: false,
    expect: rule,
  });
  const compared =
    (quiet: boolean, holds: (order: number) => boolean) =>
    ([a, b]: readonly bigint[]): Outcome =>
      relation(decode(a!, format), decode(b!, format), quiet, holds);
  return [
    rounded('Add', 'fadd', 2, ([a, b], rm) => add(a!, b!, format, rm)),
    rounded('Sub', 'fsub', 2, ([a, b], rm) => add(a!, negate(b!), format, rm)),
    rounded('Mul', 'fmul', 2, ([a, b], rm) => multiply(a!, b!, format, rm)),
    rounded('Div', 'fdiv', 2, ([a, b], rm) => divide(a!, b!, format, rm)),
    rounded('Sqrt', 'fsqrt', 1, ([a], rm) => squareRoot(a!, format, rm)),
    rounded('Fma', 'fmadd', 3, ([a, b, c], rm) => fusedMultiplyAdd(a!, b!, c!, format, rm)),
    exact('Min', 'fmin', 2, kind, ([a, b]) => extremum(a!, b!, format, -1)),
    exact('Max', 'fmax', 2, kind, ([a, b]) => extremum(a!, b!, format, 1)),
    exact(
      'Eq',
      'feq',
      2,
      'x',
      compared(true, (order) => order === 0),
    ),
    exact(
      'Lt',
      'flt',
      2,
      'x',
      compared(false, (order) => order < 0),
    ),
    exact(
      'Le',
      'fle',
      2,
      'x',
      compared(false, (order) => order <= 0),
    ),
    exact('Class', 'fclass', 1, 'x', ([a]) => classify(a!, format)),
  ];
}

const INTEGERS = [
  { name: 'I32', letter: 'w', bits: 32, isSigned: true },
  { name: 'U32', letter: 'wu', bits: 32, isSigned: false },
  { name: 'I64', letter: 'l', bits: 64, isSigned: true },
  { name: 'U64', letter: 'lu', bits: 64, isSigned: false },
] as const;

function integerConversions(kind: 'f64' | 'f32', suffix: 'd' | 's'): Operation[] {
  const format = FORMATS[kind];
  return INTEGERS.flatMap(({ name, letter, bits, isSigned }): Operation[] => [
    {
      name: `${kind}To${name}`,
      instruction: `fcvt.${letter}.${suffix}`,
      operands: [kind],
      result: 'x',
      rounds: true,
      expect: ([a], rounding) => toInteger(decode(a!, format), bits, isSigned, rounding),
    },
    {
      name: `${name.toLowerCase()}To${kind.toUpperCase()}`,
      instruction: `fcvt.${suffix}.${letter}`,
      operands: ['x'],
      result: kind,
      rounds: !(kind === 'f64' && bits === 32),
      expect: ([x], rounding) => fromInteger(x!, bits, isSigned, format, rounding),
    },
  ]);
}

function conversion(from: 'f64' | 'f32' | 'f16', to: 'f64' | 'f32' | 'f16'): Operation {
  const suffix = { f64: 'd', f32: 's', f16: 'h' } as const;
  return {
    name: `${from}To${to.toUpperCase()}`,
    instruction: `fcvt.${suffix[to]}.${suffix[from]}`,
    operands: [from],
    result: to,
    rounds: FORMATS[to].fraction < FORMATS[from].fraction,
    expect: ([a], rounding) => convert(decode(a!, FORMATS[from]), FORMATS[to], rounding),
  };
}

export const OPERATIONS: readonly Operation[] = [
  ...arithmetic('f64', 'd'),
  ...arithmetic('f32', 's'),
  ...integerConversions('f64', 'd'),
  ...integerConversions('f32', 's'),
  conversion('f32', 'f64'),
  conversion('f64', 'f32'),
  conversion('f16', 'f32'),
  conversion('f16', 'f64'),
  conversion('f32', 'f16'),
  conversion('f64', 'f16'),
];
