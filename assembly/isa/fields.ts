// Fields of a 32-bit instruction word. Unprivileged ISA 20240411, sections 2.2 and 2.3.

// @ts-ignore: decorator
@inline
export function rd(insn: u32): u32 {
  return (insn >> 7) & 31;
}
// @ts-ignore: decorator
@inline
export function rs1(insn: u32): u32 {
  return (insn >> 15) & 31;
}
// @ts-ignore: decorator
@inline
export function rs2(insn: u32): u32 {
  return (insn >> 20) & 31;
}
// @ts-ignore: decorator
@inline
export function rs3(insn: u32): u32 {
  return insn >> 27;
}
/** Rounding mode, or funct3. */
// @ts-ignore: decorator
@inline
export function rm(insn: u32): u32 {
  return (insn >> 12) & 7;
}
// @ts-ignore: decorator
@inline
export function immI(insn: u32): i32 {
  return <i32>insn >> 20;
}
// @ts-ignore: decorator
@inline
export function immS(insn: u32): i32 {
  return ((<i32>insn >> 25) << 5) | <i32>rd(insn);
}
// @ts-ignore: decorator
@inline
export function immB(insn: u32): i32 {
  return (
    ((<i32>insn >> 31) << 12) |
    <i32>(((insn >> 7) & 1) << 11) |
    <i32>(((insn >> 25) & 0x3f) << 5) |
    <i32>(((insn >> 8) & 0xf) << 1)
  );
}
/** The upper 20 bits in place. */
// @ts-ignore: decorator
@inline
export function immU(insn: u32): i32 {
  return <i32>(insn & 0xfffff000);
}
// @ts-ignore: decorator
@inline
export function immJ(insn: u32): i32 {
  return (
    ((<i32>insn >> 31) << 20) |
    <i32>(insn & 0xff000) |
    <i32>(((insn >> 20) & 1) << 11) |
    <i32>(((insn >> 21) & 0x3ff) << 1)
  );
}
/** Six bits: where only five are meant, the decoder has made sure that the sixth is 0. */
// @ts-ignore: decorator
@inline
export function shamt6(insn: u32): u32 {
  return (insn >> 20) & 63;
}
// @ts-ignore: decorator
@inline
export function csrNumber(insn: u32): u32 {
  return insn >> 20;
}
