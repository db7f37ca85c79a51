// Guest calls as Wasm calls, tail calls between regions, and computed jumps.
import { count } from '../hart/state';
import { FETCH_TABLE, HART_BASE, PC, REGION_MARK, REGION_TABLE_FIRST, TLB_INDEX } from '../layout';
import { calleeBlock, callees, returnBlock, returnMask, returns } from './calls';
import { dirtyAtEnd, liveAfterCall, liveAtStart } from './dataflow';
import {
  GO_ON,
  RETURN_AT_ONCE,
  TAIL_RETURN,
  closeBlock,
  emitBranchOut,
  emitBranchOutIf,
  emitFarPc,
  emitKind,
  emitWayOut,
  openBlock,
  wayLabel,
  wayNarrow,
} from './emit-exits';
import { emitFloatState, emitUnusual, hasFloat, isUsual } from './emit-float-state';
import {
  L_ADDRESS,
  L_BASE,
  L_BUDGET,
  L_CODE,
  L_DEPTH,
  L_ENTRY,
  L_PAGE,
  L_PC,
  L_TEMP,
  beginWords,
  emitLoads,
  emitStores,
  narrow,
  widen,
} from './emit-registers';
import { emitTableAgain } from './emit-table';
import { CALL_REGION, GO_ON_REGION } from './imports';
import { blockNext, blockStart, targetBlock, targets } from './region';
import { emitSelection, labelOf, popLabel, pushLabel, selection, successor, successors } from './structure';
import {
  T_VOID,
  W_BR,
  W_BR_IF,
  W_BR_TABLE,
  W_CALL,
  W_CALL_INDIRECT,
  W_END,
  W_I32_ADD,
  W_I32_AND,
  W_I32_EQZ,
  W_I32_LE_S,
  W_I32_LOAD,
  W_I32_LOAD16_U,
  W_I32_LOAD8_U,
  W_I32_LT_U,
  W_I32_SHL,
  W_I32_SHR_U,
  W_I32_SUB,
  W_I32_WRAP,
  W_I64_ADD,
  W_I64_AND,
  W_I64_EQ,
  W_I64_LOAD,
  W_I64_NE,
  W_I64_SHR_U,
  W_I64_SUB,
  W_IF,
  W_RETURN_CALL,
  W_RETURN_CALL_INDIRECT,
  access,
  byte,
  get,
  i32c,
  i64c,
  set,
  tee,
  u,
} from './wasm-writer';
import { narrowAtStart } from './words';

/** Goes to block `target` (or -1), whose first instruction lies at `offset`. */
export function emitGoto(target: i32, offset: i32): void {
  const label = target >= 0 ? labelOf(target) : -1;
  if (label >= 0) {
    emitSelection();
    widen(widenedBy(target));
    byte(W_BR);
    u(label);
  } else {
    emitFarPc(offset);
    emitKind(1);
    emitWayOut(GO_ON);
  }
}

/** Narrow registers that block `target` wants wide. */
export function widenedBy(target: i32): u32 {
  return narrow & <u32>unchecked(liveAtStart[target]) & ~unchecked(narrowAtStart[target]);
}

/** In front of an indirect jump of block `b`: widens what any of its targets in the region or a way out wants so. */
export function emitWidenForAll(b: i32, leaves: bool): void {
  let registers = leaves ? wayNarrow() : 0;
  const count = successors(b);
  for (let k = 2; k < count; k++) {
    const target = successor(b, k);
    if (target >= 0) registers |= widenedBy(target);
  }
  widen(registers);
}

/** Finds the page of L_PC in the fetch table: its address to L_ADDRESS, its slot to L_ENTRY; returns where it is not. */
export function emitFarTarget(): void {
  get(L_PC);
  i64c(8);
  byte(W_I64_SHR_U);
  byte(W_I32_WRAP);
  i32c(TLB_INDEX);
  byte(W_I32_AND);
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + FETCH_TABLE);
  byte(W_I32_ADD);
  tee(L_ENTRY);
  access(W_I64_LOAD, 3, 0);
  get(L_ENTRY);
  access(W_I32_LOAD, 2, 8);
  set(L_ENTRY);
  get(L_PC);
  i64c(-4096);
  byte(W_I64_AND);
  tee(L_ADDRESS);
  byte(W_I64_NE);
  emitBranchOutIf(TAIL_RETURN);
}

/** Calls the region whose head is at L_PC, in the slot L_ENTRY of page L_ADDRESS; returns where there is none. */
export function emitRegionCall(tail: bool): void {
  const deeper = !tail;
  // code = the operation decoded at the target
  get(L_ENTRY);
  get(L_PC);
  byte(W_I32_WRAP);
  i32c(0xffe);
  byte(W_I32_AND);
  i32c(3);
  byte(W_I32_SHL);
  byte(W_I32_ADD);
  access(W_I32_LOAD16_U, 1, 0);
  tee(L_CODE);
  i32c(REGION_MARK);
  byte(W_I32_LT_U);
  emitBranchOutIf(TAIL_RETURN);
  get(L_BUDGET);
  i32c(0);
  byte(W_I32_LE_S);
  emitBranchOutIf(TAIL_RETURN);
  if (deeper) {
    get(L_DEPTH);
    byte(W_I32_EQZ);
    emitBranchOutIf(TAIL_RETURN);
  }
  get(L_ADDRESS);
  get(L_ENTRY);
  get(L_BUDGET);
  get(L_DEPTH);
  if (deeper) {
    i32c(1);
    byte(W_I32_SUB);
  }
  get(L_CODE);
  i32c(REGION_TABLE_FIRST - REGION_MARK);
  byte(W_I32_ADD);
  if (importsTable) {
    byte(tail ? W_RETURN_CALL_INDIRECT : W_CALL_INDIRECT);
    u(0);
    u(0);
  } else {
    byte(tail ? W_RETURN_CALL : W_CALL);
    u(tail ? GO_ON_REGION : CALL_REGION);
  }
}

/**
 * A guest call as a Wasm call: L_PC holds the target. Where the target is not translated, the budget or the depth
 * is used up, or the callee came back anywhere but to `back`, the function returns to its own caller.
 */
export function emitCall(b: i32, back: i32, near: i32): void {
  emitStores(unchecked(dirtyAtEnd[b]));
  if (near >= 0) {
    get(L_BASE);
    set(L_ENTRY);
    get(L_PAGE);
    set(L_ADDRESS);
  } else emitFarTarget();
  emitRegionCall(false);
  // All is in memory now, and comes back wide.
  beginWords(0, 0);
  tee(L_BUDGET);
  i32c(0);
  byte(W_I32_LE_S);
  emitBranchOutIf(RETURN_AT_ONCE);
  i32c(0);
  access(W_I64_LOAD, 3, HART_BASE + PC);
  get(L_PAGE);
  i64c(back);
  byte(W_I64_ADD);
  byte(W_I64_NE);
  emitBranchOutIf(RETURN_AT_ONCE);
  const next = unchecked(blockNext[b]);
  if (next >= 0 && labelOf(next) >= 0) {
    if (isUsual()) {
      emitFarPc(back);
      emitUnusual();
      emitBranchOutIf(TAIL_RETURN);
    } else if (hasFloat()) emitFloatState();
    emitTableAgain(back);
    emitLoads(liveAfterCall(b));
    emitGoto(next, back);
  } else emitBranchOut(RETURN_AT_ONCE);
}

/** Goes to `block` where L_TEMP, the distance of L_PC from the page's beginning, says that it lies there. */
function emitGotoIfAt(block: i32): void {
  const label = labelOf(block);
  if (label < 0) return;
  emitSelection();
  get(L_TEMP);
  i64c(unchecked(blockStart[block]));
  byte(W_I64_EQ);
  byte(W_BR_IF);
  u(label);
}
function emitDistance(): void {
  get(L_PC);
  get(L_PAGE);
  byte(W_I64_SUB);
  set(L_TEMP);
}

/** A return: L_PC may lie behind a call of this region. */
export function emitReturnWithin(b: i32): void {
  emitDistance();
  const mask = unchecked(returnMask[b]);
  for (let k = 0; k < returns; k++) if ((mask >> k) & 1) emitGotoIfAt(unchecked(returnBlock[k]));
}

/** A call through a register: L_PC may be the beginning of a function in this region. */
export function emitStay(b: i32): void {
  emitDistance();
  for (let k = 0; k < callees; k++) emitGotoIfAt(unchecked(calleeBlock[k]));
  emitKind(3);
}

/** An indirect jump: where L_PC lies in this page, the region's table tells which of its blocks that is. */
export function emitDispatch(): void {
  get(L_PC);
  i64c(-4096);
  byte(W_I64_AND);
  get(L_PAGE);
  byte(W_I64_EQ);
  byte(W_IF);
  byte(T_VOID);
  pushLabel(-1);
  // A target that is one of a loop's entries needs its number first: a block each, to come out behind.
  let selected = 0;
  for (let t = targets - 1; t >= 0; t--) {
    if (labelOf(unchecked(targetBlock[t])) < 0 || selection < 0) continue;
    openBlock();
    selected++;
  }
  get(L_PC);
  byte(W_I32_WRAP);
  i32c(0xfff);
  byte(W_I32_AND);
  i32c(1);
  byte(W_I32_SHR_U);
  access(W_I32_LOAD8_U, 0, jumpTable);
  byte(W_BR_TABLE);
  u(targets + 1);
  u(wayLabel(GO_ON));
  let seen = 0;
  for (let t = 0; t < targets; t++) {
    const label = labelOf(unchecked(targetBlock[t]));
    if (label >= 0 && selection >= 0) u(seen++);
    else u(label >= 0 ? label : wayLabel(GO_ON));
  }
  u(wayLabel(GO_ON));
  for (let t = 0; t < targets && selected > 0; t++) {
    if (labelOf(unchecked(targetBlock[t])) < 0 || selection < 0) continue;
    closeBlock();
    selected--;
    const label = labelOf(unchecked(targetBlock[t]));
    emitSelection();
    byte(W_BR);
    u(label);
  }
  byte(W_END);
  popLabel();
}

/** The module under way imports the table of regions. */
let importsTable: bool = true;
export function useTable(imported: bool): void {
  importsTable = imported;
}

/** Address of the region's jump table. */
let jumpTable: u32 = 0;
export function useJumpTable(table: u32): void {
  jumpTable = table;
}

