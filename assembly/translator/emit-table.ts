// Which of the TLBs' tables a region's loads and stores go by. Nearly all code runs in one mode only: its regions have
// the table's address in them, and look at their entry whether that is the one in use. What is entered in two modes,
// or changes the table itself (sstatus.SUM), keeps the address in a local.
import { OP_CBO_ZERO, OP_CSRRC, OP_CSRRS } from '../isa/generated/opcodes';
import { HART_BASE, LEFT_OTHER_TABLE, READ_TABLE } from '../layout';
import { isAtomic } from './emit-atomic';
import { TAIL_RETURN, emitBranchOutIf, emitFarPc, emitKind } from './emit-exits';
import { isMemory } from './emit-memory';
import { L_ENTRY, L_TLB } from './emit-registers';
import { blockCount, blockStart, blocks, insnImm, insnLength, insnOp, insnRs1 } from './region';
import { SSTATUS } from './translatable';
import {
  W_I32_ADD,
  W_I32_LOAD,
  W_I32_NE,
  W_I64_LOAD,
  access,
  byte,
  get,
  i32c,
  set,
  tee,
} from './wasm-writer';

/** The table's address, or 0: it is in L_TLB. */
let fixed: u32 = 0;
let needed: bool = false;

/** sstatus.SUM may be among what a register sets or clears there. */
function mayChangeTable(op: u32, i: i32): bool {
  return (op == OP_CSRRS || op == OP_CSRRC) && unchecked(insnImm[i]) == SSTATUS && unchecked(insnRs1[i]) != 0;
}

/** Looks through the region that discover() found. `table`: the read table of the mode it runs in; 0: of any. */
export function surveyTable(table: u32): void {
  fixed = table;
  needed = false;
  for (let b = 0; b < blocks; b++) {
    let offset = unchecked(blockStart[b]);
    for (let k = unchecked(blockCount[b]); k > 0; k--) {
      const op: u32 = unchecked(insnOp[offset >> 1]);
      if (isMemory(op) || isAtomic(op)) needed = true;
      if (op == OP_CBO_ZERO) needed = true;
      if (mayChangeTable(op, offset >> 1)) fixed = 0;
      offset += unchecked(insnLength[offset >> 1]);
    }
  }
}

/** Back to the caller, at `offset` of the page, unless the table is the one in use; `kind` says why (LEFT_BY_JUMP). */
function emitCheck(offset: i32, kind: i32): void {
  emitFarPc(offset);
  emitKind(kind);
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + READ_TABLE);
  i32c(fixed);
  byte(W_I32_NE);
  emitBranchOutIf(TAIL_RETURN);
}
function emitTable(offset: i32, kind: i32): void {
  if (!needed) return;
  if (fixed) {
    emitCheck(offset, kind);
    return;
  }
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + READ_TABLE);
  set(L_TLB);
}
/** At the region's entry, whose head lies at `offset`. */
export function emitTableAtEntry(offset: i32): void {
  emitTable(offset, LEFT_OTHER_TABLE);
}
/** Behind a call, which may come back under another table. */
export function emitTableAgain(offset: i32): void {
  emitTable(offset, 0);
}

/** Pops the byte offset of an entry in table `table` of the mode; pushes its tag, and leaves its address in L_ENTRY. */
export function emitLoadTag(table: u32): void {
  if (!fixed) {
    get(L_TLB);
    byte(W_I32_ADD);
  }
  tee(L_ENTRY);
  access(W_I64_LOAD, 3, fixed + table);
}
/** Turns the entry's address in L_ENTRY into its addend. */
export function emitLoadAddend(table: u32): void {
  get(L_ENTRY);
  access(W_I32_LOAD, 2, fixed + table + 8);
  set(L_ENTRY);
}
