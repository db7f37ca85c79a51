// What a region knows of the floating-point state. A region with arithmetic is written twice: the usual version holds
// while FS is dirty, frm is to nearest and NX is set already (L_FLOAT = 2), calls nothing and checks little; the
// general one takes over where that is not so.
import { FFLAGS, FRM, HART_BASE, MSTATUS } from '../layout';
import { isMemory } from './emit-memory';
import { L_FLOAT } from './emit-registers';
import { blockCount, blockStart, blocks, insnLength, insnOp } from './region';
import { isFloat } from './translatable';
import {
  W_I32_ADD,
  W_I32_AND,
  W_I32_EQ,
  W_I32_EQZ,
  W_I32_LOAD,
  W_I32_LT_U,
  W_I32_NE,
  access,
  byte,
  get,
  i32c,
  set,
  tee,
} from './wasm-writer';

let usesFloat: bool = false;
let usesArithmetic: bool = false;
let usual: bool = false;

/** The region under emission has floating-point instructions, loads and stores included. */
export function hasFloat(): bool {
  return usesFloat;
}
/** It has some that round or raise flags. */
export function hasArithmetic(): bool {
  return usesArithmetic;
}
/** The version under emission is the usual one. */
export function isUsual(): bool {
  return usual;
}
export function useVersion(theUsual: bool): void {
  usual = theUsual;
}

/** Looks through the region that discover() found. */
export function surveyFloat(): void {
  usesFloat = false;
  usesArithmetic = false;
  for (let b = 0; b < blocks; b++) {
    let offset = unchecked(blockStart[b]);
    for (let k = unchecked(blockCount[b]); k > 0; k--) {
      const op: u32 = unchecked(insnOp[offset >> 1]);
      if (isFloat(op)) {
        usesFloat = true;
        if (!isMemory(op)) usesArithmetic = true;
      }
      offset += unchecked(insnLength[offset >> 1]);
    }
  }
}

/** L_FLOAT: 2 when FS is dirty, frm is to nearest and NX is set already; 1 when FS is dirty; else 0. */
export function emitFloatState(): void {
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + MSTATUS);
  i32c(0x6000);
  byte(W_I32_AND);
  i32c(0x6000);
  byte(W_I32_EQ);
  // A reserved frm makes instructions illegal: the interpreter's again.
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + FRM);
  i32c(5);
  byte(W_I32_LT_U);
  byte(W_I32_AND);
  tee(L_FLOAT);
  get(L_FLOAT);
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + FRM);
  byte(W_I32_EQZ);
  byte(W_I32_AND);
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + FFLAGS);
  byte(W_I32_AND);
  i32c(1);
  byte(W_I32_AND);
  byte(W_I32_ADD);
  set(L_FLOAT);
}

/** Pushes whether the state is not the usual one. */
export function emitUnusual(): void {
  emitFloatState();
  get(L_FLOAT);
  i32c(2);
  byte(W_I32_NE);
}
