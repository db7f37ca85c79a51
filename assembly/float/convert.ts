// Conversions between formats, and between floating point and integers. RISC-V unprivileged ISA, section 11.7:
// out-of-range values saturate with NV alone, a NaN counts as the largest integer, 32-bit results are sign-extended.

import { isOrdinary32 } from './f32.ts';
import { NV, NX, RDN, RNE, RTZ, RUP, raise } from './flags.ts';
import {
  F16,
  F32,
  F64,
  F64_NAN,
  F64_SIGN,
  isNaN32,
  isSignaling32,
  roundPack,
  widen16,
  widen32,
} from './format.ts';
import { softRound } from './soft.ts';

/** x rounded to an integral value; exact, no flags. */
function integral(x: f64, rm: u32): f64 {
  if (rm == RTZ) return trunc<f64>(x);
  if (rm == RNE) return nearest<f64>(x);
  if (rm == RDN) return floor<f64>(x);
  if (rm == RUP) return ceil<f64>(x);
  const towardsZero = trunc<f64>(x);
  return abs<f64>(x - towardsZero) < 0.5 ? towardsZero : towardsZero + copysign<f64>(1, x);
}

/** NV, and the limit that an out-of-range value or a NaN saturates to. */
function saturate(x: f64, lowest: u64, highest: u64): u64 {
  raise(NV);
  return x < 0 ? lowest : highest;
}

@inline
function toI32(x: f64, rm: u32): u64 {
  const rounded = integral(x, rm);
  if (!(rounded >= -2147483648 && rounded <= 2147483647)) return saturate(x, 0xffffffff80000000, 0x7fffffff);
  if (rounded != x) raise(NX);
  return <u64>(<i64>(<i32>rounded));
}

@inline
function toU32(x: f64, rm: u32): u64 {
  const rounded = integral(x, rm);
  if (!(rounded >= 0 && rounded <= 4294967295)) return saturate(x, 0, 0xffffffffffffffff);
  if (rounded != x) raise(NX);
  return <u64>(<i64>(<i32>(<u32>rounded)));
}

@inline
function toI64(x: f64, rm: u32): u64 {
  const rounded = integral(x, rm);
  if (!(rounded >= -9223372036854775808.0 && rounded < 9223372036854775808.0)) {
    return saturate(x, 0x8000000000000000, 0x7fffffffffffffff);
  }
  if (rounded != x) raise(NX);
  return <u64>(<i64>rounded);
}

@inline
function toU64(x: f64, rm: u32): u64 {
  const rounded = integral(x, rm);
  if (!(rounded >= 0 && rounded < 18446744073709551616.0)) return saturate(x, 0, 0xffffffffffffffff);
  if (rounded != x) raise(NX);
  return <u64>rounded;
}

/** fcvt.w.d: the 64-bit register value. */
export function f64ToI32(a: u64, rm: u32): u64 {
  return toI32(reinterpret<f64>(a), rm);
}

/** fcvt.wu.d: the 64-bit register value (sign-extended from bit 31). */
export function f64ToU32(a: u64, rm: u32): u64 {
  return toU32(reinterpret<f64>(a), rm);
}

/** fcvt.l.d. */
export function f64ToI64(a: u64, rm: u32): u64 {
  return toI64(reinterpret<f64>(a), rm);
}

/** fcvt.lu.d. */
export function f64ToU64(a: u64, rm: u32): u64 {
  return toU64(reinterpret<f64>(a), rm);
}

/** fcvt.w.s: the 64-bit register value. */
export function f32ToI32(a: u32, rm: u32): u64 {
  return toI32(<f64>reinterpret<f32>(a), rm);
}

/** fcvt.wu.s: the 64-bit register value (sign-extended from bit 31). */
export function f32ToU32(a: u32, rm: u32): u64 {
  return toU32(<f64>reinterpret<f32>(a), rm);
}

/** fcvt.l.s. */
export function f32ToI64(a: u32, rm: u32): u64 {
  return toI64(<f64>reinterpret<f32>(a), rm);
}

/** fcvt.lu.s. */
export function f32ToU64(a: u32, rm: u32): u64 {
  return toU64(<f64>reinterpret<f32>(a), rm);
}

/** Rounds the integer (sign) * magnitude to a format; the magnitude is not zero. */
@inline
function roundInteger(sign: u64, magnitude: u64, rm: u32, format: u32): u64 {
  const shift = clz(magnitude);
  return roundPack(sign, 63 - <i32>shift, magnitude << shift, rm, format);
}

/** True if the integer has more significant bits than `precision`. */
@inline
function isLonger(magnitude: u64, precision: u64): bool {
  return magnitude >> precision != 0 && magnitude << (clz(magnitude) + precision) != 0;
}

@inline
function magnitudeOf(x: u64): u64 {
  return <i64>x < 0 ? 0 - x : x;
}

/** fcvt.d.w: bits 31..0 of x, signed; always exact. */
@inline
export function i32ToF64(x: u64): u64 {
  return reinterpret<u64>(<f64>(<i32>x));
}

/** fcvt.d.wu: bits 31..0 of x, unsigned; always exact. */
@inline
export function u32ToF64(x: u64): u64 {
  return reinterpret<u64>(<f64>(<u32>x));
}

/** fcvt.d.l. */
export function i64ToF64(x: u64, rm: u32): u64 {
  if (isLonger(magnitudeOf(x), 53)) {
    if (rm != RNE) return roundInteger(x, magnitudeOf(x), rm, F64);
    raise(NX);
  }
  return reinterpret<u64>(<f64>(<i64>x));
}

/** fcvt.d.lu. */
export function u64ToF64(x: u64, rm: u32): u64 {
  if (isLonger(x, 53)) {
    if (rm != RNE) return roundInteger(0, x, rm, F64);
    raise(NX);
  }
  return reinterpret<u64>(<f64>x);
}

/** fcvt.s.w: bits 31..0 of x, signed. */
export function i32ToF32(x: u64, rm: u32): u32 {
  return i64ToF32(<u64>(<i64>(<i32>x)), rm);
}

/** fcvt.s.wu: bits 31..0 of x, unsigned. */
export function u32ToF32(x: u64, rm: u32): u32 {
  return u64ToF32(x & 0xffffffff, rm);
}

/** fcvt.s.l. */
export function i64ToF32(x: u64, rm: u32): u32 {
  if (isLonger(magnitudeOf(x), 24)) {
    if (rm != RNE) return <u32>roundInteger(x, magnitudeOf(x), rm, F32);
    raise(NX);
  }
  return reinterpret<u32>(<f32>(<i64>x));
}

/** fcvt.s.lu. */
export function u64ToF32(x: u64, rm: u32): u32 {
  if (isLonger(x, 24)) {
    if (rm != RNE) return <u32>roundInteger(0, x, rm, F32);
    raise(NX);
  }
  return reinterpret<u32>(<f32>x);
}

/** fcvt.d.s: exact. */
@inline
export function f32ToF64(a: u32): u64 {
  if (isNaN32(a)) return widenNaN(a);
  return reinterpret<u64>(<f64>reinterpret<f32>(a));
}

function widenNaN(a: u32): u64 {
  if (isSignaling32(a)) raise(NV);
  return F64_NAN;
}

/** fcvt.s.d. */
export function f64ToF32(a: u64, rm: u32): u32 {
  if (rm == RNE) {
    const x = reinterpret<f64>(a);
    const rounded = <f32>x;
    const bits = reinterpret<u32>(rounded);
    if (isOrdinary32(bits) || (a & ~F64_SIGN) == 0) {
      if (<f64>rounded != x) raise(NX);
      return bits;
    }
  }
  return <u32>softRound(a, rm, F32);
}

/** fcvt.s.h: exact. */
export function f16ToF32(a: u32): u32 {
  return <u32>softRound(widen16(a), RNE, F32);
}

/** fcvt.d.h: exact. */
export function f16ToF64(a: u32): u64 {
  return softRound(widen16(a), RNE, F64);
}

/** fcvt.h.s. */
export function f32ToF16(a: u32, rm: u32): u32 {
  return <u32>softRound(widen32(a), rm, F16);
}

/** fcvt.h.d. */
export function f64ToF16(a: u64, rm: u32): u32 {
  return <u32>softRound(a, rm, F16);
}
