// Single-precision arithmetic, built as f64.ts is. An f64 holds every product of two f32 exactly, so that NX is one
// comparison; the soft arithmetic takes the operands widened to f64.
import { NX, nearestAndInexact, RNE, raise } from './flags.ts';
import { F32, F32_INF, F32_SIGN, widen32 } from './format.ts';
import { softAdd, softDiv, softMul, softSqrt } from './soft.ts';

/** True for a finite result of at least twice the smallest normal number (see isOrdinary64). */
@inline
export function isOrdinary32(a: u32): bool {
  return ((a >> 23) & 0xff) - 2 < 253;
}

/** a + b. */
@inline
export function f32Add(a: u32, b: u32, rm: u32): u32 {
  const sum = reinterpret<u32>(reinterpret<f32>(a) + reinterpret<f32>(b));
  if (nearestAndInexact(rm) && (sum & F32_INF) != F32_INF) return sum;
  return f32AddSlow(a, b, rm);
}

/** a - b. */
@inline
export function f32Sub(a: u32, b: u32, rm: u32): u32 {
  const difference = reinterpret<u32>(reinterpret<f32>(a) - reinterpret<f32>(b));
  if (nearestAndInexact(rm) && (difference & F32_INF) != F32_INF) return difference;
  return f32SubSlow(a, b, rm);
}

/** a * b. */
@inline
export function f32Mul(a: u32, b: u32, rm: u32): u32 {
  const product = reinterpret<u32>(reinterpret<f32>(a) * reinterpret<f32>(b));
  if (nearestAndInexact(rm) && isOrdinary32(product)) return product;
  return f32MulSlow(a, b, rm);
}

/** a / b. */
@inline
export function f32Div(a: u32, b: u32, rm: u32): u32 {
  const quotient = reinterpret<u32>(reinterpret<f32>(a) / reinterpret<f32>(b));
  if (nearestAndInexact(rm) && isOrdinary32(quotient)) return quotient;
  return f32DivSlow(a, b, rm);
}

/** Square root. */
@inline
export function f32Sqrt(a: u32, rm: u32): u32 {
  const root = reinterpret<u32>(sqrt<f32>(reinterpret<f32>(a)));
  if (nearestAndInexact(rm) && isOrdinary32(root)) return root;
  return f32SqrtSlow(a, rm);
}

/** a + b, complete. */
export function f32AddSlow(a: u32, b: u32, rm: u32): u32 {
  if (rm == RNE) {
    const x = <f64>reinterpret<f32>(a);
    const y = <f64>reinterpret<f32>(b);
    const sum = reinterpret<f32>(a) + reinterpret<f32>(b);
    const bits = reinterpret<u32>(sum);
    if ((bits & F32_INF) != F32_INF) {
      // TwoSum in f64, where nothing overflows: what remains is exact.
      const virtual = <f64>sum - x;
      if (x - (<f64>sum - virtual) + (y - virtual) != 0) raise(NX);
      return bits;
    }
  }
  return <u32>softAdd(widen32(a), widen32(b), rm, F32);
}

/** a - b, complete. */
export function f32SubSlow(a: u32, b: u32, rm: u32): u32 {
  return f32AddSlow(a, b ^ F32_SIGN, rm);
}

/** a * b, complete. */
export function f32MulSlow(a: u32, b: u32, rm: u32): u32 {
  if (rm == RNE) {
    const exact = <f64>reinterpret<f32>(a) * <f64>reinterpret<f32>(b);
    const rounded = <f32>exact;
    const bits = reinterpret<u32>(rounded);
    if (isOrdinary32(bits) || exact == 0) {
      if (<f64>rounded != exact) raise(NX);
      return bits;
    }
  }
  return <u32>softMul(widen32(a), widen32(b), rm, F32);
}

/** a / b, complete. */
export function f32DivSlow(a: u32, b: u32, rm: u32): u32 {
  if (rm == RNE) {
    const quotient = reinterpret<f32>(a) / reinterpret<f32>(b);
    const bits = reinterpret<u32>(quotient);
    if (isOrdinary32(bits)) {
      if (<f64>quotient * <f64>reinterpret<f32>(b) != <f64>reinterpret<f32>(a)) raise(NX);
      return bits;
    }
  }
  return <u32>softDiv(widen32(a), widen32(b), rm, F32);
}

/** Square root, complete. */
export function f32SqrtSlow(a: u32, rm: u32): u32 {
  if (rm == RNE) {
    const root = sqrt<f32>(reinterpret<f32>(a));
    const bits = reinterpret<u32>(root);
    if (isOrdinary32(bits)) {
      if (<f64>root * <f64>root != <f64>reinterpret<f32>(a)) raise(NX);
      return bits;
    }
  }
  return <u32>softSqrt(widen32(a), rm, F32);
}
