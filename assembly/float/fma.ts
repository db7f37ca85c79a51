// Fused multiply-add, a * b + c with one rounding. Wasm has no such instruction: the double one is composed of an
// error-free product and sums rounded to odd (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums",
// IEEE Trans. Computers 57(4), 2008); the single one needs one sum rounded to odd in f64.

import { isOrdinary32 } from './f32.ts';
import { f64AddSlow, f64MulSlow } from './f64.ts';
import { NX, RNE, raise } from './flags.ts';
import { F32, F64, F64_INF, F64_SIGN, widen32 } from './format.ts';
import { softFma } from './soft-fma.ts';

/** Error of a sum that overflows nowhere (TwoSum). */
@inline
function sumError(a: f64, b: f64, sum: f64): f64 {
  const virtual = sum - a;
  return a - (sum - virtual) + (b - virtual);
}

/** The sum rounded to odd, from the nearest one and its error: of the two neighbours the odd one. */
@inline
function toOdd(sum: f64, error: f64): f64 {
  const bits = reinterpret<u64>(sum);
  if (error == 0 || (bits & 1) != 0) return sum;
  // Away from zero when the error has the sum's sign, towards it otherwise.
  return reinterpret<f64>(bits + ((reinterpret<u64>(error) ^ bits) >> 63 != 0 ? -1 : 1));
}

/** True for biased exponents from 600 to 1446: the last bit of a product of two such numbers is at least 2^-950. */
@inline
function isModerate(a: u64): bool {
  return (<u32>(a >> 52) & 0x7ff) - 600 < 847;
}

/** a * b + c. The caller flips signs for the subtracting and negating forms. */
export function f64Fma(a: u64, b: u64, c: u64, rm: u32): u64 {
  if (rm == RNE && isModerate(a) && isModerate(b) && isModerate(c)) {
    const x = reinterpret<f64>(a);
    const y = reinterpret<f64>(b);
    const z = reinterpret<f64>(c);
    // Dekker's product: product + tail is a * b exactly.
    const product = x * y;
    // Upper parts of 26 bits, rounded so that the lower ones have 26 as well.
    const xHigh = reinterpret<f64>((a + 0x4000000) & 0xfffffffff8000000);
    const yHigh = reinterpret<f64>((b + 0x4000000) & 0xfffffffff8000000);
    const xLow = x - xHigh;
    const yLow = y - yHigh;
    const tail = xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
    const low = z + tail;
    const lowError = sumError(z, tail, low);
    const high = product + low;
    const highError = sumError(product, low, high);
    const rest = highError + lowError;
    const restError = sumError(highError, lowError, rest);
    const odd = toOdd(rest, restError);
    const sum = high + odd;
    const bits = reinterpret<u64>(sum);
    // An exact zero keeps the right sign: + in this mode. A small sum is a cancellation, far above the subnormals.
    if (restError != 0 || sumError(high, odd, sum) != 0) raise(NX);
    return bits;
  }
  const x = a & ~F64_SIGN;
  const y = b & ~F64_SIGN;
  // Zeros are common in matrices and polynomials: no rounding but that of the other part.
  if (x == 0 || y == 0) {
    if (x < F64_INF && y < F64_INF) return f64AddSlow((a ^ b) & F64_SIGN, c, rm);
  } else if ((c & ~F64_SIGN) == 0) {
    return f64MulSlow(a, b, rm);
  }
  return softFma(a, b, c, rm, F64);
}

/** a * b + c. The caller flips signs for the subtracting and negating forms. */
export function f32Fma(a: u32, b: u32, c: u32, rm: u32): u32 {
  if (rm == RNE) {
    const z = <f64>reinterpret<f32>(c);
    const product = <f64>reinterpret<f32>(a) * <f64>reinterpret<f32>(b);
    const sum = product + z;
    const error = sumError(product, z, sum);
    const odd = toOdd(sum, error);
    const rounded = <f32>odd;
    const bits = reinterpret<u32>(rounded);
    if (isOrdinary32(bits) || odd == 0) {
      if (<f64>rounded != odd) raise(NX);
      return bits;
    }
  }
  return <u32>softFma(widen32(a), widen32(b), widen32(c), rm, F32);
}
