// The reference arithmetic: every operand, every rounding mode, every flag. Operands are f64 bits (f32 widened), the
// result is in `format`. IEEE 754-2019, sections 5.4.1, 6 and 7; NaN results are canonical (RISC-V, section 11.3).
import { DZ, NV, RDN, raise } from './flags.ts';
import {
  exponentOf,
  F64_FRACTION,
  F64_INF,
  F64_SIGN,
  isNaN64,
  isSignaling64,
  multiplyHigh,
  packInf,
  packNaN,
  packZero,
  roundPack,
  shiftRightJam,
  significandOf,
} from './format.ts';

/** The canonical NaN, after raising NV if an operand is signalling. */
export function softNaN(a: u64, b: u64, format: u32): u64 {
  if (isSignaling64(a) || isSignaling64(b)) raise(NV);
  return packNaN(format);
}

/** The canonical NaN of an invalid operation. */
export function softInvalid(format: u32): u64 {
  raise(NV);
  return packNaN(format);
}

/** Rounds an f64 to a format. */
export function softRound(a: u64, rm: u32, format: u32): u64 {
  const magnitude = a & ~F64_SIGN;
  if (magnitude > F64_INF) return softNaN(a, a, format);
  if (magnitude == F64_INF) return packInf(a, format);
  if (magnitude == 0) return packZero(a, format);
  return roundPack(a, exponentOf(a), significandOf(a), rm, format);
}

/** a + b. */
export function softAdd(a: u64, b: u64, rm: u32, format: u32): u64 {
  if (isNaN64(a) || isNaN64(b)) return softNaN(a, b, format);
  const differ = ((a ^ b) & F64_SIGN) != 0;
  // From here on a has the larger magnitude.
  if ((a & ~F64_SIGN) < (b & ~F64_SIGN)) {
    const swap = a;
    a = b;
    b = swap;
  }
  if ((a & ~F64_SIGN) == F64_INF) {
    return (b & ~F64_SIGN) == F64_INF && differ ? softInvalid(format) : packInf(a, format);
  }
  if ((b & ~F64_SIGN) == 0) {
    if ((a & ~F64_SIGN) != 0) return softRound(a, rm, format);
    return packZero(differ ? (rm == RDN ? F64_SIGN : 0) : a, format);
  }
  const exponent = exponentOf(a);
  // One bit of headroom; 10 bits below the operands' last one guard the rounding.
  const large = significandOf(a) >> 1;
  const small = shiftRightJam(significandOf(b) >> 1, exponent - exponentOf(b));
  const sum = differ ? large - small : large + small;
  if (sum == 0) return packZero(rm == RDN ? F64_SIGN : 0, format);
  const shift = clz(sum);
  return roundPack(a, exponent + 1 - <i32>shift, sum << shift, rm, format);
}

/** a * b. */
export function softMul(a: u64, b: u64, rm: u32, format: u32): u64 {
  if (isNaN64(a) || isNaN64(b)) return softNaN(a, b, format);
  const sign = (a ^ b) & F64_SIGN;
  a &= ~F64_SIGN;
  b &= ~F64_SIGN;
  if (a == F64_INF || b == F64_INF) return a == 0 || b == 0 ? softInvalid(format) : packInf(sign, format);
  if (a == 0 || b == 0) return packZero(sign, format);
  const x = significandOf(a);
  const y = significandOf(b);
  const product = multiplyHigh(x, y) | <u64>(x * y != 0);
  const shift = clz(product);
  return roundPack(sign, exponentOf(a) + exponentOf(b) + 1 - <i32>shift, product << shift, rm, format);
}

/** An f64 in [1, 2) with the fraction of a significand. */
@inline
function unitOf(significand: u64): f64 {
  return reinterpret<f64>(0x3ff0000000000000 | ((significand >> 11) & F64_FRACTION));
}

/**
 * Rounds a result whose 53-bit nearest value is known, and the sign of what it lacks. Quotients and square roots
 * are never half-way between two f64, so that stepping a unit of 2^-63 towards the exact value places it rightly
 * against every rounding boundary of every format.
 * @param nearest a normal positive f64
 * @param residual sign of (exact - nearest)
 */
@inline
function roundNear(sign: u64, exponent: i32, nearest: f64, residual: i64, rm: u32, format: u32): u64 {
  const bits = reinterpret<u64>(nearest);
  let significand = significandOf(bits);
  exponent += exponentOf(bits);
  if (residual > 0) significand |= 1;
  if (residual < 0) {
    // Stepping down from a power of two enters the binade below.
    if (significand == F64_SIGN) {
      exponent--;
      significand = ~(<u64>0);
    } else {
      significand--;
    }
  }
  return roundPack(sign, exponent, significand, rm, format);
}

/** a / b. */
export function softDiv(a: u64, b: u64, rm: u32, format: u32): u64 {
  if (isNaN64(a) || isNaN64(b)) return softNaN(a, b, format);
  const sign = (a ^ b) & F64_SIGN;
  a &= ~F64_SIGN;
  b &= ~F64_SIGN;
  if (a == F64_INF) return b == F64_INF ? softInvalid(format) : packInf(sign, format);
  if (b == F64_INF) return packZero(sign, format);
  if (b == 0) {
    if (a == 0) return softInvalid(format);
    raise(DZ);
    return packInf(sign, format);
  }
  if (a == 0) return packZero(sign, format);
  const x = significandOf(a);
  const y = significandOf(b);
  const quotient = unitOf(x) / unitOf(y);
  // x * 2^k - quotient * y fits 54 bits, so its low 64 bits are the whole of it.
  const q = significandOf(reinterpret<u64>(quotient)) >> 11;
  const scale: u64 = quotient < 1 ? 53 : 52;
  const residual = <i64>(((x >> 11) << scale) - q * (y >> 11));
  return roundNear(sign, exponentOf(a) - exponentOf(b), quotient, residual, rm, format);
}

/** Square root. */
export function softSqrt(a: u64, rm: u32, format: u32): u64 {
  if (isNaN64(a)) return softNaN(a, a, format);
  if ((a & ~F64_SIGN) == 0) return packZero(a, format);
  if ((a & F64_SIGN) != 0) return softInvalid(format);
  if (a == F64_INF) return packInf(0, format);
  const exponent = exponentOf(a);
  const odd = exponent & 1;
  const x = significandOf(a);
  const root = sqrt<f64>(odd ? 2 * unitOf(x) : unitOf(x));
  const r = significandOf(reinterpret<u64>(root)) >> 11;
  // As in softDiv: |x * 2^k - r * r| is at most r.
  const residual = <i64>(((x >> 11) << (52 + <u64>odd)) - r * r);
  return roundNear(0, (exponent - odd) >> 1, root, residual, rm, format);
}
