// The three binary formats (IEEE 754-2019, section 3.4), taken apart and put together. The soft arithmetic works on
// numbers of the form significand / 2^63 * 2^exponent whose significand has bit 63 set; operands come as f64 bits
// (f32 and f16 widen exactly), and only the last step, roundPack, knows the format of the result.
import { NX, OF, RDN, RMM, RNE, RUP, raise, UF } from './flags.ts';

/** A result format, named by its number of fraction bits. */
export const F64: u32 = 52;
export const F32: u32 = 23;
export const F16: u32 = 10;

export const F64_SIGN: u64 = 0x8000000000000000;
export const F64_INF: u64 = 0x7ff0000000000000;
export const F64_NAN: u64 = 0x7ff8000000000000;
export const F64_QUIET: u64 = 0x0008000000000000;
export const F64_FRACTION: u64 = 0x000fffffffffffff;

export const F32_SIGN: u32 = 0x80000000;
export const F32_INF: u32 = 0x7f800000;
export const F32_NAN: u32 = 0x7fc00000;
export const F32_QUIET: u32 = 0x00400000;

@inline
export function isNaN64(a: u64): bool {
  return (a & ~F64_SIGN) > F64_INF;
}

@inline
export function isSignaling64(a: u64): bool {
  return isNaN64(a) && (a & F64_QUIET) == 0;
}

@inline
export function isNaN32(a: u32): bool {
  return (a & ~F32_SIGN) > F32_INF;
}

@inline
export function isSignaling32(a: u32): bool {
  return isNaN32(a) && (a & F32_QUIET) == 0;
}

/** f32 bits as f64 bits of the same value; a NaN keeps its quiet bit, so that a signalling one stays one. */
@inline
export function widen32(a: u32): u64 {
  if (isNaN32(a)) return F64_INF | (((<u64>a) << 29) & F64_FRACTION);
  return reinterpret<u64>(<f64>reinterpret<f32>(a));
}

/** f16 bits as f64 bits of the same value; a NaN keeps its quiet bit. */
export function widen16(a: u32): u64 {
  const sign = (<u64>(a & 0x8000)) << 48;
  const exponent = (a >> 10) & 31;
  const fraction = a & 0x3ff;
  if (exponent == 31) return sign | F64_INF | ((<u64>fraction) << 42);
  if (exponent == 0) return sign | reinterpret<u64>(<f64>fraction * reinterpret<f64>(0x3e70000000000000)); // 2^-24
  return sign | ((<u64>exponent + 1008) << 52) | ((<u64>fraction) << 42);
}

/** Unbiased exponent of a finite non-zero f64, as if subnormals were normalised. */
@inline
export function exponentOf(a: u64): i32 {
  const biased = <i32>(a >> 52) & 0x7ff;
  return biased != 0 ? biased - 1023 : -1011 - <i32>clz(a & F64_FRACTION);
}

/** Significand of a finite non-zero f64, its leading one at bit 63; bits 10..0 are zero. */
@inline
export function significandOf(a: u64): u64 {
  const fraction = a & F64_FRACTION;
  return (a & F64_INF) != 0 ? F64_SIGN | (fraction << 11) : fraction << clz(fraction);
}

/** Shifts right by any amount >= 0; ones shifted out are kept in bit 0. */
@inline
export function shiftRightJam(a: u64, count: u32): u64 {
  if (count == 0) return a;
  if (count > 63) return <u64>(a != 0);
  return (a >> count) | <u64>(a << (64 - count) != 0);
}

/** High half of a 64 x 64-bit product. */
@inline
export function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  return aHigh * bHigh + (middle >> 32) + ((aLow * bHigh + (middle & 0xffffffff)) >> 32);
}

@inline
function biasOf(format: u32): i32 {
  return format == F64 ? 1023 : format == F32 ? 127 : 15;
}

/** Moves a sign from bit 63 to where the format has it. */
@inline
function placeSign(sign: u64, format: u32): u64 {
  return format == F64 ? sign : format == F32 ? sign >> 32 : sign >> 48;
}

/** Zero with the sign in bit 63 of `sign`. */
@inline
export function packZero(sign: u64, format: u32): u64 {
  return placeSign(sign & F64_SIGN, format);
}

/** Infinity with the sign in bit 63 of `sign`. */
@inline
export function packInf(sign: u64, format: u32): u64 {
  return placeSign(sign & F64_SIGN, format) | ((<u64>(biasOf(format) * 2 + 1)) << (<u64>format));
}

/** The canonical NaN of a format. */
@inline
export function packNaN(format: u32): u64 {
  return packInf(0, format) | ((<u64>1) << (<u64>format - 1));
}

/**
 * Rounds significand / 2^63 * 2^exponent to a format and raises NX, UF (tininess after rounding) and OF.
 * @param sign bit 63 is the sign, the other bits are ignored
 * @param significand bit 63 set; bit 0 also stands for all that lies below it
 */
export function roundPack(sign: u64, exponent: i32, significand: u64, rm: u32, format: u32): u64 {
  const negative = sign >> 63 != 0;
  const dropped = <u64>(63 - format);
  const below = ((<u64>1) << dropped) - 1;
  const half = (<u64>1) << (dropped - 1);
  const bias = biasOf(format);
  let increment: u64 = 0;
  if (rm == RNE || rm == RMM) increment = half;
  else if (rm == (negative ? RDN : RUP)) increment = below;

  let biased = exponent + bias;
  let tiny = false;
  if (biased <= 0) {
    // Rounded with an unbounded exponent, only the binade below the smallest normal number can reach it.
    tiny = biased < 0 || significand + increment >= significand;
    significand = shiftRightJam(significand, 1 - biased);
    biased = 1;
    // A number without its leading one packs as subnormal: the field becomes 0 by the addition below.
  }
  const remainder = significand & below;
  let rounded = (significand >> dropped) + ((remainder + increment) >> dropped);
  if (rm == RNE && remainder == half) rounded &= ~1;
  const packed = ((<u64>(biased - 1)) << (<u64>format)) + rounded;
  if (packed >= packInf(0, format)) {
    raise(OF | NX);
    return packInf(sign, format) - <u64>(increment == 0);
  }
  if (remainder != 0) raise(tiny ? UF | NX : NX);
  return packZero(sign, format) | packed;
}
