// Ways out of a region: the outermost constructs of its function, and the branches that lead to their ends.
//
import { count } from '../hart/state';
import { FEATURES, FEATURE_TAIL_CALLS, HART_BASE, LEFT_BY_JUMP, LEFT_GROUP, LEFT_TAG, PC } from '../layout';
import { unlikely } from './branch-hints';
import { blockWay, wayMask } from './dataflow';
import { emitFarTarget, emitRegionCall } from './emit-calls';
import { L_BUDGET, L_CODE, L_KIND, L_PAGE, L_PC, L_TAG, emitStores, narrow, widen } from './emit-registers';
import { WAYS } from './region';
import { labelAt, popLabel, pushLabel } from './structure';
import {
  T_VOID,
  W_BLOCK,
  W_BR,
  W_BR_IF,
  W_END,
  W_I32_AND,
  W_I32_EQZ,
  W_I32_SHR_U,
  W_I32_STORE,
  W_I32_SUB,
  W_I64_ADD,
  W_I64_EXTEND_U,
  W_I64_STORE,
  W_IF,
  access,
  byte,
  get,
  i32c,
  i64c,
  set,
  u,
} from './wasm-writer';

/** A callee came back elsewhere: everything is stored already. */
export const RETURN_AT_ONCE = 0;
/** The registers are stored; back to the caller. */
export const TAIL_RETURN = 1;
/** The registers are stored; another region may go on at once. */
export const TAIL_GO_ON = 2;
// Each of the next exists once for each set of registers to store (dataflow.ts).
/** To the address in L_PC, where another region may go on at once. */
export const GO_ON = 3;
/** To the address in L_PC, back to the caller. */
export const LEAVE_PC = GO_ON + WAYS;
/** In front of an instruction of this page. */
export const LEAVE = LEAVE_PC + WAYS;

/** Way out of the block under emission. */
let way: i32 = 0;
export function useWayOf(b: i32): void {
  way = unchecked(blockWay[b]);
}
/** Relative depth of the way out of kind GO_ON, LEAVE_PC or LEAVE that the block under emission uses. */
export function wayLabel(kind: i32): i32 {
  return labelAt(kind + way);
}

/** What the next way out is. */
export function emitKind(kind: i32): void {
  i32c(kind);
  set(L_KIND);
}

/** Sets the code for leaving in front of the instruction at `offset`, `done` instructions into the block. */
export function emitLeaveCode(offset: i32, done: i32): void {
  i32c(offset | (done << 12));
  set(L_CODE);
  i64c(0);
  set(L_TAG);
}
/** The same for the first of a group of loads and stores. */
export function emitGroupLeaveCode(offset: i32, done: i32): void {
  emitLeaveCode(offset | (LEFT_GROUP << 24), done);
}
export function emitLeaveIf(): void {
  unlikely();
  emitBranchWith(wayNarrow(), LEAVE);
}
/** Narrow registers that the way out of the block under emission stores. */
export function wayNarrow(): u32 {
  return narrow & <u32>unchecked(wayMask[way]);
}
/** Where the i32 on the stack is not zero, widens registers and goes the way out of that kind. */
function emitBranchWith(registers: u32, kind: i32): void {
  if (!registers) {
    byte(W_BR_IF);
    u(wayLabel(kind));
    return;
  }
  byte(W_IF);
  byte(T_VOID);
  pushLabel(-1);
  emitWayOut(kind);
  closeBlock();
}
/** Goes the way out of kind GO_ON, LEAVE_PC or LEAVE that the block under emission uses. */
export function emitWayOut(kind: i32): void {
  widen(wayNarrow());
  byte(W_BR);
  u(wayLabel(kind));
}
/** Leaves in front of the instruction unless the i32 on the stack is not zero. */
export function emitLeaveUnless(): void {
  byte(W_I32_EQZ);
  emitLeaveIf();
}

/** Opens code that is hardly ever reached, where the i32 on the stack is not zero. */
export function openRare(): void {
  unlikely();
  byte(W_IF);
  byte(T_VOID);
  pushLabel(-1);
}
export function closeRare(): void {
  byte(W_END);
  popLabel();
}

export function emitLeave(offset: i32): void {
  emitLeaveCode(offset, 0);
  emitWayOut(LEAVE);
}

/** pc = page + offset. */
export function emitFarPc(offset: i32): void {
  get(L_PAGE);
  i64c(offset);
  byte(W_I64_ADD);
  set(L_PC);
}

export function inPage(offset: i32): bool {
  return offset >= 0 && offset < 4096;
}

/** n -= count */
export function emitSpend(count: i32): void {
  if (!count) return;
  get(L_BUDGET);
  i32c(count);
  byte(W_I32_SUB);
  set(L_BUDGET);
}

export function openBlock(): void {
  byte(W_BLOCK);
  byte(T_VOID);
  pushLabel(-1);
}
export function closeBlock(): void {
  byte(W_END);
  popLabel();
}
export function emitBranchOut(construct: i32): void {
  byte(W_BR);
  u(labelAt(construct));
}
export function emitBranchOutIf(construct: i32): void {
  unlikely();
  byte(W_BR_IF);
  u(labelAt(construct));
}


/** Closes the outermost constructs: what each way out stores, and where it goes. */
export function emitExits(): void {
  for (let w = WAYS - 1; w >= 0; w--) {
    closeBlock();
    i32c(0);
    get(L_TAG);
    access(W_I64_STORE, 3, HART_BASE + LEFT_TAG);
    get(L_BUDGET);
    get(L_CODE);
    i32c(12);
    byte(W_I32_SHR_U);
    i32c(0xfff);
    byte(W_I32_AND);
    byte(W_I32_SUB);
    set(L_BUDGET);
    get(L_PAGE);
    get(L_CODE);
    i32c(0xfff);
    byte(W_I32_AND);
    byte(W_I64_EXTEND_U);
    byte(W_I64_ADD);
    set(L_PC);
    get(L_CODE);
    i32c(24);
    byte(W_I32_SHR_U);
    set(L_KIND);
    emitStores(unchecked(wayMask[w]));
    emitBranchOut(TAIL_RETURN);
  }
  for (let w = WAYS - 1; w >= 0; w--) {
    closeBlock();
    emitStores(unchecked(wayMask[w]));
    emitBranchOut(TAIL_RETURN);
  }
  for (let w = WAYS - 1; w >= 0; w--) {
    closeBlock();
    emitStores(unchecked(wayMask[w]));
    emitBranchOut(TAIL_GO_ON);
  }
  closeBlock();
  if (load<u32>(HART_BASE + FEATURES) & FEATURE_TAIL_CALLS) {
    emitFarTarget();
    emitRegionCall(true);
  }
  closeBlock();
  i32c(0);
  get(L_KIND);
  access(W_I32_STORE, 2, HART_BASE + LEFT_BY_JUMP);
  i32c(0);
  get(L_PC);
  access(W_I64_STORE, 3, HART_BASE + PC);
  closeBlock();
  get(L_BUDGET);
}
