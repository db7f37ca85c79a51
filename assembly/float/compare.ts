// Comparisons, minimum and maximum, and classification. RISC-V unprivileged ISA, sections 11.8 and 11.9; minimum and
// maximum are IEEE 754-2019's minimumNumber and maximumNumber (RISC-V F 2.2).
import { NV, raise } from './flags.ts';
import {
  F32_INF,
  F32_NAN,
  F32_QUIET,
  F32_SIGN,
  F64_INF,
  F64_NAN,
  F64_QUIET,
  F64_SIGN,
  isNaN32,
  isNaN64,
  isSignaling32,
  isSignaling64,
} from './format.ts';

/** 1 if a = b; a quiet comparison. */
@inline
export function f64Eq(a: u64, b: u64): u32 {
  if (isNaN64(a) || isNaN64(b)) return unordered64(a, b, false);
  return <u32>(reinterpret<f64>(a) == reinterpret<f64>(b));
}

/** 1 if a < b; a signalling comparison. */
@inline
export function f64Lt(a: u64, b: u64): u32 {
  if (isNaN64(a) || isNaN64(b)) return unordered64(a, b, true);
  return <u32>(reinterpret<f64>(a) < reinterpret<f64>(b));
}

/** 1 if a <= b; a signalling comparison. */
@inline
export function f64Le(a: u64, b: u64): u32 {
  if (isNaN64(a) || isNaN64(b)) return unordered64(a, b, true);
  return <u32>(reinterpret<f64>(a) <= reinterpret<f64>(b));
}

function unordered64(a: u64, b: u64, signaling: bool): u32 {
  if (signaling || isSignaling64(a) || isSignaling64(b)) raise(NV);
  return 0;
}

/** The smaller number; -0 is smaller than +0, a NaN yields to a number. */
@inline
export function f64Min(a: u64, b: u64): u64 {
  if (isNaN64(a) || isNaN64(b)) return numberOf64(a, b);
  return reinterpret<u64>(min<f64>(reinterpret<f64>(a), reinterpret<f64>(b)));
}

/** The larger number; +0 is larger than -0, a NaN yields to a number. */
@inline
export function f64Max(a: u64, b: u64): u64 {
  if (isNaN64(a) || isNaN64(b)) return numberOf64(a, b);
  return reinterpret<u64>(max<f64>(reinterpret<f64>(a), reinterpret<f64>(b)));
}

function numberOf64(a: u64, b: u64): u64 {
  if (isSignaling64(a) || isSignaling64(b)) raise(NV);
  return !isNaN64(a) ? a : !isNaN64(b) ? b : F64_NAN;
}

/** One bit for the class of a, as fclass.d gives it: bits 0 to 9 are -inf, -normal, -subnormal, -0, +0, ... qNaN. */
export function f64Class(a: u64): u32 {
  const magnitude = a & ~F64_SIGN;
  if (magnitude > F64_INF) return (a & F64_QUIET) != 0 ? 1 << 9 : 1 << 8;
  const rank: u32 = magnitude == F64_INF ? 0 : magnitude > 0x000fffffffffffff ? 1 : magnitude != 0 ? 2 : 3;
  return 1 << ((a & F64_SIGN) != 0 ? rank : 7 - rank);
}

/** 1 if a = b; a quiet comparison. */
@inline
export function f32Eq(a: u32, b: u32): u32 {
  if (isNaN32(a) || isNaN32(b)) return unordered32(a, b, false);
  return <u32>(reinterpret<f32>(a) == reinterpret<f32>(b));
}

/** 1 if a < b; a signalling comparison. */
@inline
export function f32Lt(a: u32, b: u32): u32 {
  if (isNaN32(a) || isNaN32(b)) return unordered32(a, b, true);
  return <u32>(reinterpret<f32>(a) < reinterpret<f32>(b));
}

/** 1 if a <= b; a signalling comparison. */
@inline
export function f32Le(a: u32, b: u32): u32 {
  if (isNaN32(a) || isNaN32(b)) return unordered32(a, b, true);
  return <u32>(reinterpret<f32>(a) <= reinterpret<f32>(b));
}

function unordered32(a: u32, b: u32, signaling: bool): u32 {
  if (signaling || isSignaling32(a) || isSignaling32(b)) raise(NV);
  return 0;
}

/** The smaller number; -0 is smaller than +0, a NaN yields to a number. */
@inline
export function f32Min(a: u32, b: u32): u32 {
  if (isNaN32(a) || isNaN32(b)) return numberOf32(a, b);
  return reinterpret<u32>(min<f32>(reinterpret<f32>(a), reinterpret<f32>(b)));
}

/** The larger number; +0 is larger than -0, a NaN yields to a number. */
@inline
export function f32Max(a: u32, b: u32): u32 {
  if (isNaN32(a) || isNaN32(b)) return numberOf32(a, b);
  return reinterpret<u32>(max<f32>(reinterpret<f32>(a), reinterpret<f32>(b)));
}

function numberOf32(a: u32, b: u32): u32 {
  if (isSignaling32(a) || isSignaling32(b)) raise(NV);
  return !isNaN32(a) ? a : !isNaN32(b) ? b : F32_NAN;
}

/** One bit for the class of a, as fclass.s gives it (see f64Class). */
export function f32Class(a: u32): u32 {
  const magnitude = a & ~F32_SIGN;
  if (magnitude > F32_INF) return (a & F32_QUIET) != 0 ? 1 << 9 : 1 << 8;
  const rank: u32 = magnitude == F32_INF ? 0 : magnitude > 0x007fffff ? 1 : magnitude != 0 ? 2 : 3;
  return 1 << ((a & F32_SIGN) != 0 ? rank : 7 - rank);
}
