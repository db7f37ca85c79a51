// Double-precision arithmetic. The inline functions hold the common case, the hardware instruction and one test; what
// fails it goes to the …Slow function (complete in itself: any operands, any mode), which first derives NX exactly
// from the hardware's result, and leaves the rest to the soft arithmetic. Measured by tests/bench/float.mjs.
import { NX, nearestAndInexact, RNE, raise } from './flags.ts';
import { F64, F64_FRACTION, F64_INF, F64_SIGN } from './format.ts';
import { softAdd, softDiv, softMul, softSqrt } from './soft.ts';

/**
 * True for a finite result of at least twice the smallest normal number. (The smallest one itself may come from
 * below by rounding, and is then tiny.)
 */
@inline
export function isOrdinary64(a: u64): bool {
  return (<u32>(a >> 52) & 0x7ff) - 2 < 2045;
}

/** 53-bit integer significand of a normal number. */
@inline
function integerOf(a: u64): u64 {
  return (a & F64_FRACTION) | (F64_FRACTION + 1);
}

@inline
function biasedOf(a: u64): u32 {
  return <u32>(a >> 52) & 0x7ff;
}

/** a + b. */
@inline
export function f64Add(a: u64, b: u64, rm: u32): u64 {
  const sum = reinterpret<u64>(reinterpret<f64>(a) + reinterpret<f64>(b));
  // A subnormal sum is exact, so only overflow and NaN need care.
  if (nearestAndInexact(rm) && (sum & F64_INF) != F64_INF) return sum;
  return f64AddSlow(a, b, rm);
}

/** a - b. */
@inline
export function f64Sub(a: u64, b: u64, rm: u32): u64 {
  const difference = reinterpret<u64>(reinterpret<f64>(a) - reinterpret<f64>(b));
  if (nearestAndInexact(rm) && (difference & F64_INF) != F64_INF) return difference;
  return f64SubSlow(a, b, rm);
}

/** a * b. */
@inline
export function f64Mul(a: u64, b: u64, rm: u32): u64 {
  const product = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
  if (nearestAndInexact(rm) && isOrdinary64(product)) return product;
  return f64MulSlow(a, b, rm);
}

/** a / b. */
@inline
export function f64Div(a: u64, b: u64, rm: u32): u64 {
  const quotient = reinterpret<u64>(reinterpret<f64>(a) / reinterpret<f64>(b));
  // Ordinary only if a and b are finite and not zero.
  if (nearestAndInexact(rm) && isOrdinary64(quotient)) return quotient;
  return f64DivSlow(a, b, rm);
}

/** Square root. */
@inline
export function f64Sqrt(a: u64, rm: u32): u64 {
  const root = reinterpret<u64>(sqrt<f64>(reinterpret<f64>(a)));
  if (nearestAndInexact(rm) && isOrdinary64(root)) return root;
  return f64SqrtSlow(a, rm);
}

/** a + b, complete. */
export function f64AddSlow(a: u64, b: u64, rm: u32): u64 {
  if (rm == RNE) {
    const x = reinterpret<f64>(a);
    const y = reinterpret<f64>(b);
    const sum = x + y;
    const bits = reinterpret<u64>(sum);
    // TwoSum; the bound keeps its intermediate values finite.
    if (biasedOf(bits) < 2045 && biasedOf(a) < 2045) {
      const virtual = sum - x;
      if (x - (sum - virtual) + (y - virtual) != 0) raise(NX);
      return bits;
    }
  }
  return softAdd(a, b, rm, F64);
}

/** a - b, complete. */
export function f64SubSlow(a: u64, b: u64, rm: u32): u64 {
  return f64AddSlow(a, b ^ F64_SIGN, rm);
}

/** a * b, complete. */
export function f64MulSlow(a: u64, b: u64, rm: u32): u64 {
  if (rm == RNE) {
    const bits = reinterpret<u64>(reinterpret<f64>(a) * reinterpret<f64>(b));
    if (isOrdinary64(bits)) {
      const aBiased = biasedOf(a);
      const bBiased = biasedOf(b);
      if (aBiased != 0 && bBiased != 0) {
        // The product has 105 or 106 bits and keeps 53: it is exact when the 52 or 53 below are zero.
        const low = integerOf(a) * integerOf(b);
        const carried: u64 = biasedOf(bits) + 1023 != aBiased + bBiased ? 1 : 0;
        if ((low & (F64_FRACTION | (carried << 52))) != 0) raise(NX);
        return bits;
      }
    } else if ((bits & ~F64_SIGN) == 0 && ((a & ~F64_SIGN) == 0 || (b & ~F64_SIGN) == 0)) {
      return bits;
    }
  }
  return softMul(a, b, rm, F64);
}

/** a / b, complete. */
export function f64DivSlow(a: u64, b: u64, rm: u32): u64 {
  if (rm == RNE) {
    const bits = reinterpret<u64>(reinterpret<f64>(a) / reinterpret<f64>(b));
    if (isOrdinary64(bits)) {
      const aBiased = biasedOf(a);
      const bBiased = biasedOf(b);
      if (aBiased != 0 && bBiased != 0) {
        // a - quotient * b in integers fits 54 bits: zero modulo 2^64 is zero.
        const shift = <u64>(aBiased + 1075 - bBiased - biasedOf(bits));
        if (integerOf(a) << shift != integerOf(bits) * integerOf(b)) raise(NX);
        return bits;
      }
    } else if ((a & ~F64_SIGN) == 0 && (bits & ~F64_SIGN) == 0) {
      return bits;
    }
  }
  return softDiv(a, b, rm, F64);
}

/** Square root, complete. */
export function f64SqrtSlow(a: u64, rm: u32): u64 {
  if (rm == RNE) {
    const bits = reinterpret<u64>(sqrt<f64>(reinterpret<f64>(a)));
    const biased = biasedOf(a);
    if (isOrdinary64(bits) && biased != 0) {
      const root = integerOf(bits);
      const shift = <u64>(52 + ((biased & 1) ^ 1));
      if (integerOf(a) << shift != root * root) raise(NX);
      return bits;
    }
  }
  return softSqrt(a, rm, F64);
}
