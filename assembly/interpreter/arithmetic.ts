// M extension: products' high halves, and division with RISC-V's results for zero and overflow (no trap).

export function mulhu(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}
export function mulh(a: u64, b: u64): u64 {
  let high = mulhu(a, b);
  if (<i64>a < 0) high -= b;
  if (<i64>b < 0) high -= a;
  return high;
}
export function mulhsu(a: u64, b: u64): u64 {
  const high = mulhu(a, b);
  return <i64>a < 0 ? high - b : high;
}

export function div(a: u64, b: u64): u64 {
  if (b == 0) return -1;
  if (a == 0x8000000000000000 && b == <u64>-1) return a;
  return <u64>(<i64>a / <i64>b);
}
export function divu(a: u64, b: u64): u64 {
  return b == 0 ? -1 : a / b;
}
export function rem(a: u64, b: u64): u64 {
  if (b == 0) return a;
  if (b == <u64>-1) return 0;
  return <u64>(<i64>a % <i64>b);
}
export function remu(a: u64, b: u64): u64 {
  return b == 0 ? a : a % b;
}
export function divw(a: i32, b: i32): i32 {
  if (b == 0) return -1;
  if (a == i32.MIN_VALUE && b == -1) return a;
  return a / b;
}
export function divuw(a: i32, b: i32): i32 {
  return b == 0 ? -1 : <i32>(<u32>a / <u32>b);
}
export function remw(a: i32, b: i32): i32 {
  if (b == 0) return a;
  if (b == -1) return 0;
  return a % b;
}
export function remuw(a: i32, b: i32): i32 {
  return b == 0 ? a : <i32>(<u32>a % <u32>b);
}
