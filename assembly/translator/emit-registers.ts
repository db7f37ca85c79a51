// Guest registers in the locals of a region's function, and the function's own locals.
import { count } from '../hart/state';
import { F, HART_BASE, READ_TABLE, X } from '../layout';
import { namedRegisters } from './dataflow';
import {
  T_F32,
  T_F64,
  T_I32,
  T_I64,
  W_F64_LOAD,
  W_F64_REINTERPRET,
  W_F64_STORE,
  W_I32_LOAD,
  W_I32_WRAP,
  W_I64_LOAD,
  W_I64_REINTERPRET,
  W_I64_STORE,
  access,
  byte,
  get,
  i32c,
  i64c,
  set,
  u,
} from './wasm-writer';

export const L_PAGE: u32 = 0;
export const L_BASE: u32 = 1;
export const L_BUDGET: u32 = 2;
export const L_DEPTH: u32 = 3;
export const L_ADDRESS: u32 = 4; // i64
export const L_ENTRY: u32 = 5; // i32
export const L_CODE: u32 = 6; // i32
export const L_TLB: u32 = 7; // i32
export const L_FLOAT: u32 = 8; // i32: 0 leave, 1 by the core's functions, 2 by the machine's own arithmetic
export const L_PC: u32 = 9; // i64
export const L_TEMP: u32 = 10; // i64
export const L_DOUBLE: u32 = 11; // f64
export const L_VALUE: u32 = 12; // i64
export const L_KIND: u32 = 13; // i32: LEFT_BY_JUMP
export const L_TAG: u32 = 14; // i64
export const L_SINGLE: u32 = 15; // f32
export const L_SELECT: u32 = 16; // i32: which of a loop's entries
const FIRST_REGISTER: u32 = 17;

/** Local of each guest register, or 0. */
const locals = new StaticArray<u32>(32);
/** The same for the floating-point registers. */
const floats = new StaticArray<u32>(32);

/** Pushes a guest register. */
export function pushX(register: u32): void {
  if (register) get(unchecked(locals[register]));
  else i64c(0);
}
/** Pushes the low word of a guest register, as an i32. */
export function pushW(register: u32): void {
  if (register) {
    pushX(register);
    byte(W_I32_WRAP);
  } else i32c(0);
}
/** Pushes a floating-point register, as a double or as bits; pops into one. */
export function pushDouble(register: u32): void {
  get(unchecked(floats[register]));
}
export function pushF(register: u32): void {
  get(unchecked(floats[register]));
  byte(W_I64_REINTERPRET);
}
export function popDouble(register: u32): void {
  set(unchecked(floats[register]));
}
export function popF(register: u32): void {
  byte(W_F64_REINTERPRET);
  set(unchecked(floats[register]));
}
export function spillF(register: u32): void {
  i32c(0);
  get(unchecked(floats[register]));
  access(W_F64_STORE, 3, HART_BASE + F + (register << 3));
}
export function reloadF(register: u32): void {
  i32c(0);
  access(W_F64_LOAD, 3, HART_BASE + F + (register << 3));
  set(unchecked(floats[register]));
}

/** Stores a guest register where the core's functions look for it, or takes it back from there. */
export function spillX(register: u32): void {
  if (!register) return;
  i32c(0);
  get(unchecked(locals[register]));
  access(W_I64_STORE, 3, HART_BASE + X + (register << 3));
}
export function reloadX(register: u32): void {
  if (!register) return;
  i32c(0);
  access(W_I64_LOAD, 3, HART_BASE + X + (register << 3));
  set(unchecked(locals[register]));
}

/** Pops into a guest register other than x0. */
export function popX(register: u32): void {
  set(unchecked(locals[register]));
}

export function emitStores(registers: u64): void {
  for (let r: u32 = 1; r < 32; r++) if ((registers >> r) & 1) spillX(r);
  for (let r: u32 = 0; r < 32; r++) if ((registers >> (r + 32)) & 1) spillF(r);
}
export function emitLoads(registers: u64): void {
  for (let r: u32 = 1; r < 32; r++) if ((registers >> r) & 1) reloadX(r);
  for (let r: u32 = 0; r < 32; r++) if ((registers >> (r + 32)) & 1) reloadF(r);
}
/** L_TLB: the table that loads use now. A call may come back under another one. */
export function emitTlb(): void {
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + READ_TABLE);
  set(L_TLB);
}
export let integerLocals: u32 = 0;
export let floatLocals: u32 = 0;

/** Gives every register the region names a local. */
export function assignLocals(): void {
  let next = FIRST_REGISTER;
  for (let r: u32 = 0; r < 32; r++) unchecked((locals[r] = (namedRegisters >> r) & 1 ? next++ : 0));
  integerLocals = next - FIRST_REGISTER;
  const first = next;
  for (let r: u32 = 0; r < 32; r++) unchecked((floats[r] = (namedRegisters >> (r + 32)) & 1 ? next++ : 0));
  floatLocals = next - first;
}

/** Writes the vector of locals, parameters not among them. */
export function writeLocals(): void {
  u(11);
  declare(1, T_I64);
  declare(4, T_I32);
  declare(2, T_I64);
  declare(1, T_F64);
  declare(1, T_I64);
  declare(1, T_I32);
  declare(1, T_I64);
  declare(1, T_F32);
  declare(1, T_I32);
  declare(integerLocals, T_I64);
  declare(floatLocals, T_F64);
}
function declare(count: u32, type: u8): void {
  u(count);
  byte(type);
}
