// Access to the hart's state in linear memory. The offsets are those of layout.ts; this file gives them types.
import {
  ATTENTION,
  FFLAGS,
  HART_BASE,
  MSTATUS,
  PRIVILEGE,
  RAM_BYTES,
  SBI_MODE,
} from '../layout';

export const PRIVILEGE_U: u32 = 0;
export const PRIVILEGE_S: u32 = 1;
export const PRIVILEGE_M: u32 = 3;

/** Guest physical address of RAM. */
export const RAM_START: u64 = 0x80000000;

// What an instruction that left the interpreter's switch tells it to do next.
/** Done: go on behind the instruction. */
export const NEXT: i32 = 0;
/** Done, and PC holds where to go on: look at interrupts and fetch anew. */
export const REENTER: i32 = 1;
/** Not retired: a trap was taken, PC holds its handler. */
export const TRAPPED: i32 = 2;

/** Why run() is to return, once the instruction under way is over; 0: it is not. */
export let exitReason: i32 = 0;
export function setExit(reason: i32): void {
  exitReason = reason;
}

// @ts-ignore: decorator
@inline
export function get64(offset: usize): u64 {
  return load<u64>(HART_BASE + offset);
}
// @ts-ignore: decorator
@inline
export function set64(offset: usize, value: u64): void {
  store<u64>(HART_BASE + offset, value);
}
// @ts-ignore: decorator
@inline
export function get32(offset: usize): u32 {
  return load<u32>(HART_BASE + offset);
}
// @ts-ignore: decorator
@inline
export function set32(offset: usize, value: u32): void {
  store<u32>(HART_BASE + offset, value);
}
// @ts-ignore: decorator
@inline
export function count(offset: usize): void {
  set64(offset, get64(offset) + 1);
}
// @ts-ignore: decorator
@inline
export function privilege(): u32 {
  return get32(PRIVILEGE);
}
// @ts-ignore: decorator
@inline
export function ramBytes(): u64 {
  return get32(RAM_BYTES);
}
// @ts-ignore: decorator
@inline
export function sbiMode(): bool {
  return get32(SBI_MODE) != 0;
}
/** Leave the interpreter's inner loop before the next instruction. */
// @ts-ignore: decorator
@inline
export function attend(): void {
  set32(ATTENTION, 1);
}
// @ts-ignore: decorator
@inline
export function mstatus(): u64 {
  return get64(MSTATUS);
}
// @ts-ignore: decorator
@inline
export function raiseFlags(flags: u32): void {
  set32(FFLAGS, get32(FFLAGS) | flags);
}
