// Guest registers in the locals of a region's function, and the function's own locals.
import { count } from '../hart/state';
import { F, HART_BASE, X } from '../layout';
import { namedRegisters } from './dataflow';
import {
  T_F32,
  T_F64,
  T_I32,
  T_I64,
  W_F64_LOAD,
  W_F64_REINTERPRET,
  W_F64_STORE,
  W_I32_WRAP,
  W_I64_EXTEND_S,
  W_I64_LOAD,
  W_I64_OR,
  W_I64_REINTERPRET,
  W_I64_STORE,
  W_I64_XOR,
  access,
  byte,
  get,
  i32c,
  i64c,
  set,
  tee,
  u,
} from './wasm-writer';
import { isWorthwhile, narrowRegisters } from './words';

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
/** i32, several: host addresses of groups (groups.ts). */
export const L_GROUP: u32 = 17;
export const GROUP_LOCALS: u32 = 4;
const FIRST_REGISTER: u32 = L_GROUP + GROUP_LOCALS;

/** Local of each guest register, or 0. */
const locals = new StaticArray<u32>(32);
/** The same for the floating-point registers. */
const floats = new StaticArray<u32>(32);
/** The i32 local of each guest register that is narrow somewhere (words.ts), or 0. */
const words = new StaticArray<u32>(32);

/** Where emission stands: registers known to hold words, and those that only their i32 local holds. */
export let known: u32 = 0;
export let narrow: u32 = 0;
export function beginWords(knownThere: u32, narrowThere: u32): void {
  known = knownThere;
  narrow = narrowThere;
}
/** The register that popX() took holds a word. */
export function noteWord(register: u32): void {
  known |= <u32>1 << register;
}
// @ts-ignore: decorator
@inline
function isNarrow(register: u32): bool {
  return ((narrow >> register) & 1) != 0;
}

/** Pushes a guest register. */
export function pushX(register: u32): void {
  if (!register) i64c(0);
  else if (isNarrow(register)) {
    get(unchecked(words[register]));
    byte(W_I64_EXTEND_S);
  } else get(unchecked(locals[register]));
}
/** Pushes the low word of a guest register, as an i32. */
export function pushW(register: u32): void {
  if (!register) i32c(0);
  else if (isNarrow(register)) get(unchecked(words[register]));
  else {
    get(unchecked(locals[register]));
    byte(W_I32_WRAP);
  }
}
/** Makes the i64 locals of `registers` true; which of them are narrow stays as it is, for code on another way. */
export function widen(registers: u32): void {
  for (let r: u32 = 1; r < 32; r++) {
    if (!((registers >> r) & 1)) continue;
    get(unchecked(words[r]));
    byte(W_I64_EXTEND_S);
    set(unchecked(locals[r]));
  }
}
/** The other way: makes `registers` narrow, and pushes an i64 that is 0 where all of them hold words. */
export function narrowDown(registers: u32): void {
  let first = true;
  for (let r: u32 = 1; r < 32; r++) {
    if (!((registers >> r) & 1)) continue;
    get(unchecked(locals[r]));
    byte(W_I32_WRAP);
    tee(unchecked(words[r]));
    byte(W_I64_EXTEND_S);
    get(unchecked(locals[r]));
    byte(W_I64_XOR);
    if (!first) byte(W_I64_OR);
    first = false;
  }
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
  pushX(register);
  access(W_I64_STORE, 3, HART_BASE + X + (register << 3));
}
export function reloadX(register: u32): void {
  if (!register) return;
  i32c(0);
  access(W_I64_LOAD, 3, HART_BASE + X + (register << 3));
  popX(register);
}

/** Pops into a guest register other than x0. */
export function popX(register: u32): void {
  set(unchecked(locals[register]));
  known &= ~(<u32>1 << register);
  narrow &= ~(<u32>1 << register);
}
/** Pops an i32, whose sign extension is the register's value from now on. */
export function popWord(register: u32): void {
  if (!isWorthwhile(register)) {
    byte(W_I64_EXTEND_S);
    popX(register);
    noteWord(register);
    return;
  }
  set(unchecked(words[register]));
  known |= <u32>1 << register;
  narrow |= <u32>1 << register;
}

export function emitStores(registers: u64): void {
  for (let r: u32 = 1; r < 32; r++) if ((registers >> r) & 1) spillX(r);
  for (let r: u32 = 0; r < 32; r++) if ((registers >> (r + 32)) & 1) spillF(r);
}
export function emitLoads(registers: u64): void {
  for (let r: u32 = 1; r < 32; r++) if ((registers >> r) & 1) reloadX(r);
  for (let r: u32 = 0; r < 32; r++) if ((registers >> (r + 32)) & 1) reloadF(r);
}
export let integerLocals: u32 = 0;
export let floatLocals: u32 = 0;
export let wordLocals: u32 = 0;

/** Gives every register the region names a local. */
export function assignLocals(): void {
  let next = FIRST_REGISTER;
  for (let r: u32 = 0; r < 32; r++) unchecked((locals[r] = (namedRegisters >> r) & 1 ? next++ : 0));
  integerLocals = next - FIRST_REGISTER;
  const first = next;
  for (let r: u32 = 0; r < 32; r++) unchecked((floats[r] = (namedRegisters >> (r + 32)) & 1 ? next++ : 0));
  floatLocals = next - first;
  const firstWord = next;
  for (let r: u32 = 0; r < 32; r++) unchecked((words[r] = (narrowRegisters >> r) & 1 ? next++ : 0));
  wordLocals = next - firstWord;
}

/** Writes the vector of locals, parameters not among them. */
export function writeLocals(): void {
  u(12);
  declare(1, T_I64);
  declare(4, T_I32);
  declare(2, T_I64);
  declare(1, T_F64);
  declare(1, T_I64);
  declare(1, T_I32);
  declare(1, T_I64);
  declare(1, T_F32);
  declare(1 + GROUP_LOCALS, T_I32);
  declare(integerLocals, T_I64);
  declare(floatLocals, T_F64);
  declare(wordLocals, T_I32);
}
function declare(count: u32, type: u8): void {
  u(count);
  byte(type);
}
