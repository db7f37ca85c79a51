// Loads and stores: the TLB check in line, a miss leaves the region in front of the instruction.
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
  OP_SD,
} from '../isa/generated/opcodes';
import { TLB_INDEX, TLB_WRITE } from '../layout';
import { emitGroupLeaveCode, emitLeaveCode, emitLeaveIf } from './emit-exits';
import { isUsual } from './emit-float-state';
import {
  L_ADDRESS,
  L_ENTRY,
  L_FLOAT,
  L_GROUP,
  L_TAG,
  popDouble,
  popF,
  popWord,
  popX,
  pushDouble,
  pushF,
  pushW,
  pushX,
} from './emit-registers';
import { emitLoadAddend, emitLoadTag } from './emit-table';
import { groupOf, hasStore, isStore, leads, lowestOf, placeOf, sizeOf, spanOf } from './groups';
import { insnImm, insnRd, insnRs1, insnRs2 } from './region';
import {
  W_DROP,
  W_F64_LOAD,
  W_F64_STORE,
  W_I32_ADD,
  W_I32_AND,
  W_I32_EQZ,
  W_I32_LOAD,
  W_I32_LOAD16_S,
  W_I32_LOAD16_U,
  W_I32_LOAD8_S,
  W_I32_LOAD8_U,
  W_I32_SHR_U,
  W_I32_STORE,
  W_I32_STORE16,
  W_I32_STORE8,
  W_I32_WRAP,
  W_I64_ADD,
  W_I64_AND,
  W_I64_LOAD,
  W_I64_LOAD32_U,
  W_I64_NE,
  W_I64_OR,
  W_I64_STORE,
  W_I64_STORE32,
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

/** Pops an address to L_ADDRESS, pushes the tag of its page's entry in a table, and leaves its addend in L_ENTRY. */
function emitEntry(table: u32): void {
  tee(L_ADDRESS);
  byte(W_I32_WRAP);
  i32c(8);
  byte(W_I32_SHR_U);
  i32c(TLB_INDEX);
  byte(W_I32_AND);
  emitLoadTag(table);
  tee(L_TAG);
  // The addend before the comparison: V8 otherwise loads the tag a second time as an operand of the comparison.
  emitLoadAddend(table);
}

/** Leaves the region unless the tag, masked address and mask on the stack agree; pushes the host address of L_ADDRESS. */
function emitHostWhereSame(): void {
  byte(W_I64_AND);
  byte(W_I64_NE);
  emitLeaveIf();
  get(L_ADDRESS);
  byte(W_I32_WRAP);
  get(L_ENTRY);
  byte(W_I32_ADD);
}

/** Pushes the host address of base + offset, or leaves the region where the TLB does not know the page. */
export function emitHostAddress(base: u32, offset: i32, size: u32, table: u32): void {
  pushX(base);
  if (offset) {
    i64c(offset);
    byte(W_I64_ADD);
  }
  emitEntry(table);
  get(L_ADDRESS);
  i64c(-4096 | <i64>(size - 1));
  emitHostWhereSame();
}

/** Loads that make words. */
function wordLoadOf(op: u32): u8 {
  switch (op) {
    case OP_LB:
      return W_I32_LOAD8_S;
    case OP_LBU:
      return W_I32_LOAD8_U;
    case OP_LH:
      return W_I32_LOAD16_S;
    case OP_LHU:
      return W_I32_LOAD16_U;
    case OP_LW:
      return W_I32_LOAD;
  }
  return 0;
}

function wordStoreOf(size: u32): u8 {
  if (size == 1) return W_I32_STORE8;
  return size == 2 ? W_I32_STORE16 : W_I32_STORE;
}

/** Leaves the host address of a group's lowest byte in its local, or the region. */
function emitGroupAddress(base: u32, group: i32): void {
  pushX(base);
  const lowest = lowestOf(group);
  if (lowest) {
    i64c(lowest);
    byte(W_I64_ADD);
  }
  const table: u32 = hasStore(group) ? TLB_WRITE : 0;
  emitEntry(table);
  // A tag belongs to the entry it is in, so the last byte's page is the tag only where it is the first byte's too.
  get(L_ADDRESS);
  i64c(spanOf(group) - 1);
  byte(W_I64_ADD);
  i64c(-4096);
  emitHostWhereSame();
  set(L_GROUP + placeOf(group));
}

/**
 * Pushes the host address of load or store `i`, less the displacement that it returns; leaves the region where the
 * TLB does not know the page.
 */
function emitOperandAddress(op: u32, i: i32, offset: i32, done: i32): u32 {
  const base: u32 = unchecked(insnRs1[i]);
  const group = groupOf(i);
  if (group < 0) {
    emitLeaveCode(offset, done);
    emitHostAddress(base, unchecked(insnImm[i]), sizeOf(op), isStore(op) ? TLB_WRITE : 0);
    return 0;
  }
  if (leads(group, i)) {
    emitGroupLeaveCode(offset, done);
    emitGroupAddress(base, group);
  }
  get(L_GROUP + placeOf(group));
  return <u32>(unchecked(insnImm[i]) - lowestOf(group));
}

/** Emits load or store `i` at `offset`, with `done` instructions of its block before it. */
export function emitMemory(op: u32, i: i32, offset: i32, done: i32): void {
  const float = op == OP_FLW || op == OP_FLD || op == OP_FSW || op == OP_FSD;
  if (float && !isUsual()) {
    // Floats that are off, or not yet marked as changed, are the interpreter's to handle.
    emitLeaveCode(offset, done);
    get(L_FLOAT);
    byte(W_I32_EQZ);
    emitLeaveIf();
  }
  const beyond = emitOperandAddress(op, i, offset, done);
  if (isStore(op)) emitStore(op, unchecked(insnRs2[i]), beyond);
  else emitLoad(op, unchecked(insnRd[i]), beyond);
}

function emitStore(op: u32, source: u32, beyond: u32): void {
  if (op == OP_FSD) {
    pushDouble(source);
    access(W_F64_STORE, 0, beyond);
  } else if (op == OP_FSW) {
    pushF(source);
    access(W_I64_STORE32, 0, beyond);
  } else if (op == OP_SD) {
    pushX(source);
    access(W_I64_STORE, 0, beyond);
  } else {
    pushW(source);
    access(wordStoreOf(sizeOf(op)), 0, beyond);
  }
}

function emitLoad(op: u32, d: u32, beyond: u32): void {
  if (op == OP_FLD) {
    access(W_F64_LOAD, 0, beyond);
    popDouble(d);
    return;
  }
  if (op == OP_FLW) {
    access(W_I64_LOAD32_U, 0, beyond);
    i64c(<i64>0xffffffff00000000);
    byte(W_I64_OR);
    popF(d);
    return;
  }
  const word = wordLoadOf(op);
  access(word ? word : op == OP_LWU ? W_I64_LOAD32_U : W_I64_LOAD, 0, beyond);
  if (!d) byte(W_DROP);
  else if (word) popWord(d);
  else popX(d);
}
