// One decoded instruction: reading its fields, and the registers they name.
import { HART_BASE } from '../layout';

// @ts-ignore: decorator
@inline
export function advance(ip: usize): usize {
  return load<u8>(ip, 12);
}
// @ts-ignore: decorator
@inline
export function imm(ip: usize): i64 {
  return load<i32>(ip, 8);
}
// @ts-ignore: decorator
@inline
export function imm32(ip: usize): i32 {
  return load<i32>(ip, 8);
}
// @ts-ignore: decorator
@inline
export function rs1(ip: usize): u64 {
  return load<u64>(<usize>load<u16>(ip, 4), HART_BASE);
}
// @ts-ignore: decorator
@inline
export function rs2(ip: usize): u64 {
  return load<u64>(<usize>load<u16>(ip, 6), HART_BASE);
}
// @ts-ignore: decorator
@inline
export function rs3(ip: usize): u64 {
  return load<u64>(<usize>load<u16>(ip, 14) & 0xfff, HART_BASE);
}
/** Zero-extended low half. Not by way of rs1w: Binaryen 131 turns an i32 load that is zero-extended into i64.load32_s. */
// @ts-ignore: decorator
@inline
export function rs1uw(ip: usize): u64 {
  return load<u32>(<usize>load<u16>(ip, 4), HART_BASE);
}
// @ts-ignore: decorator
@inline
export function rs1w(ip: usize): i32 {
  return load<i32>(<usize>load<u16>(ip, 4), HART_BASE);
}
// @ts-ignore: decorator
@inline
export function rs2w(ip: usize): i32 {
  return load<i32>(<usize>load<u16>(ip, 6), HART_BASE);
}
// @ts-ignore: decorator
@inline
export function setRd(ip: usize, value: u64): void {
  store<u64>(<usize>load<u16>(ip, 2), value, HART_BASE);
}
/** A 32-bit result, sign-extended. */
// @ts-ignore: decorator
@inline
export function setRdW(ip: usize, value: i32): void {
  store<i64>(<usize>load<u16>(ip, 2), <i64>value, HART_BASE);
}
/** Rounding mode field as encoded (7 = dynamic). */
// @ts-ignore: decorator
@inline
export function rmField(ip: usize): u32 {
  return load<u16>(ip, 14) >> 12;
}
/** Operation number. */
// @ts-ignore: decorator
@inline
export function operation(ip: usize): u32 {
  return load<u16>(ip);
}

/** Single-precision operand: the low half if it is NaN-boxed, else the canonical NaN (section 11.2 of the F/D chapter). */
// @ts-ignore: decorator
@inline
export function unbox(value: u64): u32 {
  return value >= 0xffffffff00000000 ? <u32>value : 0x7fc00000;
}
// @ts-ignore: decorator
@inline
export function box(value: u32): u64 {
  return <u64>value | 0xffffffff00000000;
}
/** Half-precision, likewise. */
// @ts-ignore: decorator
@inline
export function unboxHalf(value: u64): u32 {
  return value >= 0xffffffffffff0000 ? <u32>value & 0xffff : 0x7e00;
}
// @ts-ignore: decorator
@inline
export function boxHalf(value: u32): u64 {
  return <u64>value | 0xffffffffffff0000;
}
