// Emits one region as a Wasm function:
//
//   (page: i64, base: i32, n: i32, depth: i32) -> n: i32
//
// `page` is the virtual address of the page, `base` the page's decoded slot, `n` the budget in instructions, `depth`
// how many more guest calls may be Wasm calls. Guest registers used by the region live in locals; every way out
// stores those it wrote and PC. A TLB miss leaves in front of its instruction, so traps are the interpreter's alone.
//
//   block $tail-go-on
//     block $tail-return
//       block $go-on[w], then block $leave-pc[w], then block $leave[w], one for each set w of registers to store
//         load the registers; body
//       end $leave[w]:    n -= code >> 12; pc = page + (code & 4095); store; to $tail-return
//       end $leave-pc[w]: store; to $tail-return
//       end $go-on[w]:    store; to $tail-go-on
//     end; PC = pc; return n
//   end; if the target is the head of a region: tail-call it; PC = pc; return n
import { LEFT_REFUSED } from '../layout';
import { beginHints, unlikely } from './branch-hints';
import { mayStay, returnMask } from './calls';
import { analyse, liveAtStart } from './dataflow';
import { emitAtomic, isAtomic } from './emit-atomic';
import {
  emitCall,
  emitDispatch,
  emitGoto,
  emitReturnWithin,
  emitStay,
  emitWidenForAll,
  useJumpTable,
  widenedBy,
} from './emit-calls';
import {
  GO_ON,
  LEAVE,
  LEAVE_PC,
  TAIL_RETURN,
  closeBlock,
  emitBranchOutIf,
  emitExits,
  emitFarPc,
  emitKind,
  emitLeave,
  emitLeaveCode,
  emitLeaveIf,
  emitSpend,
  inPage,
  openBlock,
  useWayOf,
  wayLabel,
  wayNarrow,
} from './emit-exits';
import { emitFloat } from './emit-float';
import {
  emitFloatState,
  emitUnusual,
  hasArithmetic,
  hasFloat,
  isUsual,
  surveyFloat,
  useVersion,
} from './emit-float-state';
import { emitCondition, emitInteger, isPlainInteger } from './emit-integer';
import { emitMemory, isMemory } from './emit-memory';
import {
  L_BUDGET,
  L_DEPTH,
  L_PAGE,
  L_PC,
  assignLocals,
  beginWords,
  emitLoads,
  narrowDown,
  popX,
  pushX,
  writeLocals,
} from './emit-registers';
import { emitSystem } from './emit-system';
import { emitTableAtEntry, surveyTable } from './emit-table';
import { planGroups, useGroups } from './groups';
import { IMPORTED_FUNCTIONS, call } from './imports';
import {
  END_BRANCH,
  END_FALL,
  END_INDIRECT,
  END_INLINE,
  END_JUMP,
  END_LEAVE,
  WAYS,
  blockCount,
  blockEnd,
  blockNext,
  blockStart,
  blockStop,
  blockTaken,
  blocks,
  insnImm,
  insnLength,
  insnOp,
  insnRd,
  insnRs1,
  insnRs2,
  isComputedJump,
} from './region';
import { emitSelection, emitStructured, isDispatch, labelOf, pushLabel, resetLabels } from './structure';
import { isFloat, isSystem } from './translatable';
import {
  T_VOID,
  W_BR,
  W_BR_IF,
  W_END,
  W_I32_EQZ,
  W_I32_LE_S,
  W_I64_ADD,
  W_I64_AND,
  W_I64_EQZ,
  W_IF,
  W_RETURN,
  W_UNREACHABLE,
  byte,
  fill,
  get,
  hole,
  i32c,
  i64c,
  set,
  u,
} from './wasm-writer';
import { analyseWords, entryNarrow, knownAtStart, narrowAtStart } from './words';
import * as writer from './wasm-writer';

/** At a loop's head: leave when the budget is used up. */
export function emitLoopCheck(b: i32): void {
  useWayOf(b);
  beginWords(unchecked(knownAtStart[b]), unchecked(narrowAtStart[b]));
  emitLeaveCode(unchecked(blockStart[b]), 0);
  get(L_BUDGET);
  i32c(0);
  byte(W_I32_LE_S);
  emitLeaveIf();
}

export function emitBlock(b: i32): void {
  useWayOf(b);
  beginWords(unchecked(knownAtStart[b]), unchecked(narrowAtStart[b]));
  planGroups(b);
  let offset = unchecked(blockStart[b]);
  const end = unchecked(blockEnd[b]);
  const stop = unchecked(blockStop[b]);
  let done = 0;
  while (offset < stop) {
    const i = offset >> 1;
    const op: u32 = unchecked(insnOp[i]);
    if (isMemory(op)) emitMemory(op, i, offset, done);
    else if (isAtomic(op)) emitAtomic(op, i, offset, done);
    else if (isSystem(op)) emitSystem(op, i, offset, done);
    else if (isPlainInteger(op)) emitInteger(op, i, offset);
    else if (isFloat(op)) emitFloat(op, i, offset, done);
    done++;
    offset += unchecked(insnLength[i]);
  }
  emitSpend(unchecked(blockCount[b]));
  const i = stop >> 1;
  if (end == END_LEAVE) {
    if (inPage(stop)) emitLeave(stop);
    else emitGoto(-1, stop);
  } else if (end == END_FALL) emitGoto(unchecked(blockNext[b]), stop);
  else if (end == END_JUMP) emitGoto(unchecked(blockTaken[b]), stop + unchecked(insnImm[i]));
  else if (end == END_INLINE) {
    get(L_PAGE);
    i64c(stop + unchecked(insnLength[i]));
    byte(W_I64_ADD);
    popX(unchecked(insnRd[i]));
    emitGoto(unchecked(blockTaken[b]), stop + unchecked(insnImm[i]));
  }
  else if (end == END_BRANCH) {
    const target = stop + unchecked(insnImm[i]);
    const taken = unchecked(blockTaken[b]);
    const label = taken >= 0 ? labelOf(taken) : -1;
    const wide = label >= 0 ? widenedBy(taken) : wayNarrow();
    if (!wide) {
      if (label >= 0) emitSelection();
      else {
        emitFarPc(target);
        emitKind(1);
      }
    }
    emitCondition(unchecked(insnOp[i]), unchecked(insnRs1[i]), unchecked(insnRs2[i]));
    if (wide) {
      byte(W_IF);
      byte(T_VOID);
      pushLabel(-1);
      emitGoto(taken, target);
      closeBlock();
    } else {
      byte(W_BR_IF);
      u(label >= 0 ? label : wayLabel(GO_ON));
    }
    emitGoto(unchecked(blockNext[b]), stop + unchecked(insnLength[i]));
  } else {
    const link = unchecked(insnRd[i]);
    const back = stop + unchecked(insnLength[i]);
    let near = -1;
    if (end == END_INDIRECT) {
      pushX(unchecked(insnRs1[i]));
      if (unchecked(insnImm[i])) {
        i64c(unchecked(insnImm[i]));
        byte(W_I64_ADD);
      }
      i64c(-2);
      byte(W_I64_AND);
      set(L_PC);
    } else {
      near = stop + unchecked(insnImm[i]);
      emitFarPc(near);
      if (!inPage(near)) near = -1;
    }
    if (link) {
      get(L_PAGE);
      i64c(back);
      byte(W_I64_ADD);
      popX(link);
      if (mayStay(b)) {
        emitWidenForAll(b, false);
        emitStay(b);
      } else emitKind(end == END_INDIRECT ? 3 : 1);
      emitCall(b, back, near);
    } else {
      emitWidenForAll(b, true);
      // A return goes back to the caller, which may be waiting for it; other jumps go on from here.
      if (isDispatch(b)) {
        emitKind(2);
        emitDispatch();
      }
      if (unchecked(returnMask[b])) emitReturnWithin(b);
      emitKind(isComputedJump(i) ? 2 : 1);
      byte(W_BR);
      u(wayLabel(end == END_INDIRECT && !isComputedJump(i) ? LEAVE_PC : GO_ON));
    }
  }
}

/** Hands everything to the function behind this one where the floating-point state is not the usual. */
function emitVersionChoice(index: i32): void {
  emitUnusual();
  unlikely();
  byte(W_IF);
  byte(T_VOID);
  for (let p: u32 = 0; p <= L_DEPTH; p++) get(p);
  call(IMPORTED_FUNCTIONS + index + 1);
  byte(W_RETURN);
  byte(W_END);
}

/** A loop that is entered with a number where its body makes words is refused: the interpreter goes on. */
function emitEntryCheck(): void {
  const registers = entryNarrow();
  if (!registers) return;
  emitFarPc(unchecked(blockStart[0]));
  emitKind(LEFT_REFUSED);
  narrowDown(registers);
  byte(W_I64_EQZ);
  byte(W_I32_EQZ);
  emitBranchOutIf(TAIL_RETURN);
}

function emitFunction(index: i32): void {
  const size = hole();
  const start = writer.at;
  beginHints(index);
  writeLocals();
  resetLabels();
  for (let k = 0; k < LEAVE + WAYS; k++) openBlock();
  if (isUsual()) emitVersionChoice(index);
  else if (hasFloat()) emitFloatState();
  emitTableAtEntry(unchecked(blockStart[0]));
  emitLoads(unchecked(liveAtStart[0]));
  emitEntryCheck();
  emitStructured(blocks);
  byte(W_UNREACHABLE);
  beginWords(0, 0);
  emitExits();
  byte(W_END);
  fill(size, <u32>(writer.at - start));
}

/**
 * Writes the function bodies (with their sizes in front) of the region that discover() found. `index`: number of the
 * first among the module's own functions; `table`: address of the region's jump table, which regions.ts has filled in.
 * `trusting`: registers of which a loop makes words may be expected to hold words when it is entered, and addresses
 * close to each other to lie in one page. `readTable`: that of the mode which the region runs in, or 0.
 * @returns how many there are; the first is the one to enter
 */
export function emitRegion(index: i32, table: u32, trusting: bool, readTable: u32): i32 {
  useJumpTable(table);
  analyse();
  analyseWords(trusting);
  useGroups(trusting);
  assignLocals();
  surveyFloat();
  surveyTable(readTable);
  useVersion(hasArithmetic());
  emitFunction(index);
  if (!hasArithmetic()) return 1;
  useVersion(false);
  emitFunction(index + 1);
  return 2;
}
