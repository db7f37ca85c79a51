// The reference fused multiply-add, in 128-bit integers. IEEE 754-2019, section 5.4.1.
import { NV, RDN, raise } from './flags.ts';
import {
  exponentOf,
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
import { softInvalid, softRound } from './soft.ts';

/** a * b + c with one rounding; operands are f64 bits, the result is in `format`. */
export function softFma(a: u64, b: u64, c: u64, rm: u32, format: u32): u64 {
  const sign = (a ^ b) & F64_SIGN;
  const differ = ((sign ^ c) & F64_SIGN) != 0;
  const x = a & ~F64_SIGN;
  const y = b & ~F64_SIGN;
  const z = c & ~F64_SIGN;
  const infTimesZero = (x == F64_INF && y == 0) || (x == 0 && y == F64_INF);
  if (x > F64_INF || y > F64_INF || z > F64_INF) {
    // Infinity times zero is invalid even when c is a quiet NaN (RISC-V, section 11.6).
    if (infTimesZero || isSignaling64(a) || isSignaling64(b) || isSignaling64(c)) raise(NV);
    return packNaN(format);
  }
  if (infTimesZero) return softInvalid(format);
  if (x == F64_INF || y == F64_INF) {
    return z == F64_INF && differ ? softInvalid(format) : packInf(sign, format);
  }
  if (z == F64_INF) return packInf(c, format);
  if (x == 0 || y == 0) {
    if (z != 0) return softRound(c, rm, format);
    return packZero(differ ? (rm == RDN ? F64_SIGN : 0) : sign, format);
  }

  const p = significandOf(x);
  const q = significandOf(y);
  let high = multiplyHigh(p, q);
  let low = p * q;
  const shift = clz(high);
  if (shift != 0) {
    high = (high << 1) | (low >> 63);
    low <<= 1;
  }
  let exponent = exponentOf(x) + exponentOf(y) + 1 - <i32>shift;
  if (z == 0) return roundPack(sign, exponent, high | <u64>(low != 0), rm, format);

  // Headroom of one bit; the product's low 22 bits and the addend's low 75 are zero, so nothing is lost.
  low = (low >> 1) | (high << 63);
  high >>= 1;
  let addHigh = significandOf(z) >> 1;
  let addLow: u64 = 0;
  let distance = exponent - exponentOf(z);
  let result = sign;
  if (distance < 0 || (distance == 0 && (high < addHigh || (high == addHigh && low == 0)))) {
    // The addend is the larger one, or an equal one.
    const swapHigh = high;
    addLow = low;
    low = 0;
    high = addHigh;
    addHigh = swapHigh;
    exponent -= distance;
    distance = -distance;
    result = c;
  }
  // Shift the smaller one right by the distance; what falls out is kept in bit 0.
  if (distance >= 64) {
    // All of it lies below the rounding: that it is not zero is enough.
    addLow = shiftRightJam(addHigh, distance - 64);
    addHigh = 0;
  } else if (distance > 0) {
    addLow = (addHigh << (64 - distance)) | (addLow >> distance) | <u64>(addLow << (64 - distance) != 0);
    addHigh >>= distance;
  }
  if (differ) {
    const difference = low - addLow;
    high = high - addHigh - <u64>(difference > low);
    low = difference;
    if ((high | low) == 0) return packZero(rm == RDN ? F64_SIGN : 0, format);
  } else {
    const sum = low + addLow;
    high = high + addHigh + <u64>(sum < low);
    low = sum;
  }
  if (high == 0) {
    high = low;
    low = 0;
    exponent -= 64;
  }
  const normalise = clz(high);
  if (normalise != 0) {
    high = (high << normalise) | (low >> (64 - normalise));
    low <<= normalise;
  }
  return roundPack(result, exponent + 1 - <i32>normalise, high | <u64>(low != 0), rm, format);
}
