// Loads and stores: the TLB check in line, a miss leaves the region in front of the instruction.
import { rd } from '../isa/fields';
import {
  OP_FLD,
  OP_FLW,
  OP_FSD,
  OP_FSW,
  OP_LB,
  OP_LBU,
  OP_LH,
  OP_LHU,
  OP_LW,
  OP_LWU,
  OP_SB,
  OP_SD,
  OP_SH,
  OP_SW,
} from '../isa/generated/opcodes';
import { TLB_INDEX, TLB_WRITE } from '../layout';
import { emitLeaveCode, emitLeaveIf } from './emit-exits';
import { isUsual } from './emit-float-state';
import {
  L_ADDRESS,
  L_ENTRY,
  L_FLOAT,
  L_TAG,
  L_TLB,
  popDouble,
  popF,
  popX,
  pushDouble,
  pushF,
  pushX,
} from './emit-registers';
import { insnImm, insnRd, insnRs1, insnRs2 } from './region';
import {
  W_DROP,
  W_F64_LOAD,
  W_F64_STORE,
  W_I32_ADD,
  W_I32_AND,
  W_I32_EQZ,
  W_I32_LOAD,
  W_I32_SHR_U,
  W_I32_WRAP,
  W_I64_ADD,
  W_I64_AND,
  W_I64_LOAD,
  W_I64_LOAD16_S,
  W_I64_LOAD16_U,
  W_I64_LOAD32_S,
  W_I64_LOAD32_U,
  W_I64_LOAD8_S,
  W_I64_LOAD8_U,
  W_I64_NE,
  W_I64_OR,
  W_I64_STORE,
  W_I64_STORE16,
  W_I64_STORE32,
  W_I64_STORE8,
  access,
  byte,
  get,
  i32c,
  i64c,
  set,
  tee,
} from './wasm-writer';

export function isMemory(op: u32): bool {
  if (op >= <u32>OP_LB && op <= <u32>OP_SD) return true;
  return op == OP_FLW || op == OP_FLD || op == OP_FSW || op == OP_FSD;
}

/** Leaves the host address in L_ENTRY, or the region where the TLB does not know the page. */
export function emitHostAddress(base: u32, offset: i32, size: u32, table: u32): void {
  pushX(base);
  if (offset) {
    i64c(offset);
    byte(W_I64_ADD);
  }
  tee(L_ADDRESS);
  byte(W_I32_WRAP);
  i32c(8);
  byte(W_I32_SHR_U);
  i32c(TLB_INDEX);
  byte(W_I32_AND);
  get(L_TLB);
  byte(W_I32_ADD);
  tee(L_ENTRY);
  access(W_I64_LOAD, 3, table);
  tee(L_TAG);
  // The addend before the comparison: V8 otherwise loads the tag a second time as an operand of the comparison.
  get(L_ENTRY);
  access(W_I32_LOAD, 2, table + 8);
  set(L_ENTRY);
  get(L_ADDRESS);
  i64c(-4096 | <i64>(size - 1));
  byte(W_I64_AND);
  byte(W_I64_NE);
  emitLeaveIf();
  get(L_ADDRESS);
  byte(W_I32_WRAP);
  get(L_ENTRY);
  byte(W_I32_ADD);
}

function sizeOf(op: u32): u32 {
  switch (op) {
    case OP_LB:
    case OP_LBU:
    case OP_SB:
      return 1;
    case OP_LH:
    case OP_LHU:
    case OP_SH:
      return 2;
    case OP_LW:
    case OP_LWU:
    case OP_SW:
    case OP_FLW:
    case OP_FSW:
      return 4;
  }
  return 8;
}

function loadOf(op: u32): u8 {
  switch (op) {
    case OP_LB:
      return W_I64_LOAD8_S;
    case OP_LBU:
      return W_I64_LOAD8_U;
    case OP_LH:
      return W_I64_LOAD16_S;
    case OP_LHU:
      return W_I64_LOAD16_U;
    case OP_LW:
      return W_I64_LOAD32_S;
    case OP_LWU:
      return W_I64_LOAD32_U;
  }
  return W_I64_LOAD;
}

function storeOf(size: u32): u8 {
  if (size == 1) return W_I64_STORE8;
  if (size == 2) return W_I64_STORE16;
  return size == 4 ? W_I64_STORE32 : W_I64_STORE;
}

/** Emits load or store `i` at `offset`, with `done` instructions of its block before it. */
export function emitMemory(op: u32, i: i32, offset: i32, done: i32): void {
  const float = op == OP_FLW || op == OP_FLD || op == OP_FSW || op == OP_FSD;
  const stores = (op >= <u32>OP_SB && op <= <u32>OP_SD) || op == OP_FSW || op == OP_FSD;
  const size = sizeOf(op);
  const rd: u32 = unchecked(insnRd[i]);
  emitLeaveCode(offset, done);
  if (float && !isUsual()) {
    // Floats that are off, or not yet marked as changed, are the interpreter's to handle.
    get(L_FLOAT);
    byte(W_I32_EQZ);
    emitLeaveIf();
  }
  if (float && !stores) {
    emitHostAddress(unchecked(insnRs1[i]), unchecked(insnImm[i]), size, 0);
    if (op == OP_FLW) {
      access(W_I64_LOAD32_U, 0, 0);
      i64c(<i64>0xffffffff00000000);
      byte(W_I64_OR);
      popF(rd);
    } else {
      access(W_F64_LOAD, 0, 0);
      popDouble(rd);
    }
    return;
  }
  emitHostAddress(unchecked(insnRs1[i]), unchecked(insnImm[i]), size, stores ? TLB_WRITE : 0);
  if (stores) {
    const source: u32 = unchecked(insnRs2[i]);
    if (op == OP_FSD) {
      pushDouble(source);
      access(W_F64_STORE, 0, 0);
      return;
    }
    if (float) pushF(source);
    else pushX(source);
    access(storeOf(size), 0, 0);
    return;
  }
  access(loadOf(op), 0, 0);
  if (rd) popX(rd);
  else byte(W_DROP);
}
