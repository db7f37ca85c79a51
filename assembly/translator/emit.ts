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
import {
  F,
  FETCH_TABLE,
  FFLAGS,
  FRM,
  HART_BASE,
  LEFT_BY_JUMP,
  MSTATUS,
  PC,
  READ_TABLE,
  TAIL_CALLS,
  REGION_MARK,
  REGION_TABLE_FIRST,
  TLB_INDEX,
  X,
} from '../layout';
import { OP_JALR } from '../isa/generated/opcodes';
import {
  WAYS,
  analyse,
  blockWay,
  dirtyAtEnd,
  liveAfterCall,
  liveAtStart,
  namedRegisters,
  wayMask,
} from './dataflow';
import { emitCondition, emitInteger, isPlainInteger } from './emit-integer';
import { emitAtomic, isAtomic } from './emit-atomic';
import { emitFloat } from './emit-float';
import { emitMemory, isMemory } from './emit-memory';
import {
  END_BRANCH,
  END_CALL,
  END_FALL,
  END_INDIRECT,
  END_JUMP,
  END_LEAVE,
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
  insnRs3,
  isComputedJump,
  targetBlock,
  targets,
} from './region';
import { emitStructured, isDispatch, labelAt, labelOf, popLabel, pushLabel, resetLabels } from './structure';
import { isFloat } from './translatable';
import {
  T_F64,
  T_I32,
  T_I64,
  T_VOID,
  W_BLOCK,
  W_BR,
  W_BR_IF,
  W_CALL_INDIRECT,
  W_RETURN_CALL_INDIRECT,
  W_END,
  W_I32_ADD,
  W_I32_AND,
  W_I32_EQ,
  W_I32_EQZ,
  W_I32_LE_S,
  W_I32_LOAD,
  W_I32_LOAD16_U,
  W_I32_LT_U,
  W_I32_OR,
  W_I32_SHL,
  W_I32_SHR_U,
  W_I32_STORE,
  W_I32_SUB,
  W_I32_WRAP,
  W_I64_ADD,
  W_I64_AND,
  W_I64_EXTEND_U,
  W_I64_LOAD,
  W_BR_TABLE,
  W_I32_LOAD8_U,
  W_I64_EQ,
  W_F64_LOAD,
  W_F64_REINTERPRET,
  W_F64_STORE,
  W_I64_REINTERPRET,
  W_I64_NE,
  W_I64_SHR_U,
  W_I64_STORE,
  W_IF,
  W_RETURN,
  W_UNREACHABLE,
  access,
  byte,
  fill,
  get,
  hole,
  i32c,
  i64c,
  set,
  tee,
  u,
} from './wasm-writer';
import * as writer from './wasm-writer';

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
const L_KIND: u32 = 13; // i32: LEFT_BY_JUMP
const FIRST_REGISTER: u32 = 14;

// Numbers of the outermost constructs: ways out to the address in L_PC, where another region may go on at once;
// to the address in L_PC, back to the caller; and in front of an instruction of this page.
// Each of the last three exists once for each set of registers to store (dataflow.ts).
const TAIL_GO_ON = 0;
const TAIL_RETURN = 1;
const GO_ON = 2;
const LEAVE_PC = GO_ON + WAYS;
const LEAVE = LEAVE_PC + WAYS;

/** Way out of the block under emission. */
let way: i32 = 0;

/** Local of each guest register, or 0. */
const locals = new StaticArray<u32>(32);
/** The same for the floating-point registers. */
const floats = new StaticArray<u32>(32);

/** Pushes a guest register. */
export function pushX(register: u32): void {
  if (register) get(unchecked(locals[register]));
  else i64c(0);
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

/** Sets the code for leaving in front of the instruction at `offset`, `done` instructions into the block. */
export function emitLeaveCode(offset: i32, done: i32): void {
  i32c(offset | (done << 12));
  set(L_CODE);
}
export function emitLeaveIf(): void {
  byte(W_BR_IF);
  u(labelAt(LEAVE + way));
}
function emitLeave(offset: i32): void {
  emitLeaveCode(offset, 0);
  byte(W_BR);
  u(labelAt(LEAVE + way));
}

/** pc = page + offset. */
function emitFarPc(offset: i32): void {
  get(L_PAGE);
  i64c(offset);
  byte(W_I64_ADD);
  set(L_PC);
}

function inPage(offset: i32): bool {
  return offset >= 0 && offset < 4096;
}

/** Goes to block `target` (or -1), whose first instruction lies at `offset`. */
function emitGoto(target: i32, offset: i32): void {
  const label = target >= 0 ? labelOf(target) : -1;
  if (label >= 0) {
    byte(W_BR);
    u(label);
  } else {
    emitFarPc(offset);
    emitKind(1);
    byte(W_BR);
    u(labelAt(GO_ON + way));
  }
}

/** n -= count */
function emitSpend(count: i32): void {
  if (!count) return;
  get(L_BUDGET);
  i32c(count);
  byte(W_I32_SUB);
  set(L_BUDGET);
}

/** At a loop's head: leave when the budget is used up. */
export function emitLoopCheck(b: i32): void {
  way = unchecked(blockWay[b]);
  emitLeaveCode(unchecked(blockStart[b]), 0);
  get(L_BUDGET);
  i32c(0);
  byte(W_I32_LE_S);
  emitLeaveIf();
}

function emitStores(registers: u64): void {
  for (let r: u32 = 1; r < 32; r++) if ((registers >> r) & 1) spillX(r);
  for (let r: u32 = 0; r < 32; r++) if ((registers >> (r + 32)) & 1) spillF(r);
}
function emitLoads(registers: u64): void {
  for (let r: u32 = 1; r < 32; r++) if ((registers >> r) & 1) reloadX(r);
  for (let r: u32 = 0; r < 32; r++) if ((registers >> (r + 32)) & 1) reloadF(r);
}
function emitFloatState(): void {
  // 2 when FS is dirty, frm is nearest and NX is set already; 1 when FS is dirty; else 0.
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

let usesFloat: bool = false;

/** pc is in L_PC and the registers are stored: PC = pc, LEFT_BY_JUMP = L_KIND; return n. */
function emitReturn(): void {
  i32c(0);
  get(L_KIND);
  access(W_I32_STORE, 2, HART_BASE + LEFT_BY_JUMP);
  i32c(0);
  get(L_PC);
  access(W_I64_STORE, 3, HART_BASE + PC);
  get(L_BUDGET);
  byte(W_RETURN);
}
/** What the next way out is. */
function emitKind(kind: i32): void {
  i32c(kind);
  set(L_KIND);
}

/** Finds the page of L_PC in the fetch table: its address to L_ADDRESS, its slot to L_ENTRY; returns where it is not. */
function emitFarTarget(): void {
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
  get(L_PC);
  i64c(-4096);
  byte(W_I64_AND);
  tee(L_ADDRESS);
  byte(W_I64_NE);
  byte(W_IF);
  byte(T_VOID);
  emitReturn();
  byte(W_END);
  get(L_ENTRY);
  access(W_I32_LOAD, 2, 8);
  set(L_ENTRY);
}

/** Calls the region whose head is at L_PC, in the slot L_ENTRY of page L_ADDRESS; returns where there is none. */
function emitRegionCall(call: u8, deeper: i32): void {
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
  get(L_BUDGET);
  i32c(0);
  byte(W_I32_LE_S);
  byte(W_I32_OR);
  if (deeper) {
    get(L_DEPTH);
    byte(W_I32_EQZ);
    byte(W_I32_OR);
  }
  byte(W_IF);
  byte(T_VOID);
  emitReturn();
  byte(W_END);
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
  byte(call);
  u(0);
  u(0);
}

/**
 * A guest call as a Wasm call: L_PC holds the target. Where the target is not translated, the budget or the depth
 * is used up, or the callee came back anywhere but to `back`, the function returns to its own caller.
 */
function emitCall(b: i32, back: i32, near: i32): void {
  emitStores(unchecked(dirtyAtEnd[b]));
  emitKind(1);
  if (near >= 0) {
    get(L_BASE);
    set(L_ENTRY);
    get(L_PAGE);
    set(L_ADDRESS);
  } else emitFarTarget();
  emitRegionCall(W_CALL_INDIRECT, 1);
  tee(L_BUDGET);
  i32c(0);
  byte(W_I32_LE_S);
  i32c(0);
  access(W_I64_LOAD, 3, HART_BASE + PC);
  get(L_PAGE);
  i64c(back);
  byte(W_I64_ADD);
  byte(W_I64_NE);
  byte(W_I32_OR);
  byte(W_IF);
  byte(T_VOID);
  get(L_BUDGET);
  byte(W_RETURN);
  byte(W_END);
  const next = unchecked(blockNext[b]);
  if (next >= 0 && labelOf(next) >= 0) {
    emitLoads(liveAfterCall(b));
    if (usesFloat) emitFloatState();
    emitGoto(next, back);
  } else {
    get(L_BUDGET);
    byte(W_RETURN);
  }
}

/** An indirect jump: where L_PC lies in this page, the region's table tells which of its blocks that is. */
function emitDispatch(): void {
  get(L_PC);
  i64c(-4096);
  byte(W_I64_AND);
  get(L_PAGE);
  byte(W_I64_EQ);
  byte(W_IF);
  byte(T_VOID);
  pushLabel(-1);
  get(L_PC);
  byte(W_I32_WRAP);
  i32c(0xfff);
  byte(W_I32_AND);
  i32c(1);
  byte(W_I32_SHR_U);
  access(W_I32_LOAD8_U, 0, jumpTable);
  byte(W_BR_TABLE);
  u(targets + 1);
  u(labelAt(GO_ON + way));
  for (let t = 0; t < targets; t++) {
    const label = labelOf(unchecked(targetBlock[t]));
    u(label >= 0 ? label : labelAt(GO_ON + way));
  }
  u(labelAt(GO_ON + way));
  byte(W_END);
  popLabel();
}

export function emitBlock(b: i32): void {
  way = unchecked(blockWay[b]);
  let offset = unchecked(blockStart[b]);
  const end = unchecked(blockEnd[b]);
  const stop = unchecked(blockStop[b]);
  let done = 0;
  while (offset < stop) {
    const i = offset >> 1;
    const op: u32 = unchecked(insnOp[i]);
    if (isMemory(op)) emitMemory(op, i, offset, done);
    else if (isAtomic(op)) emitAtomic(op, i, offset, done);
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
  else if (end == END_BRANCH) {
    const target = stop + unchecked(insnImm[i]);
    const taken = unchecked(blockTaken[b]);
    const label = taken >= 0 ? labelOf(taken) : -1;
    if (label < 0) {
      emitFarPc(target);
      emitKind(1);
    }
    emitCondition(unchecked(insnOp[i]), unchecked(insnRs1[i]), unchecked(insnRs2[i]));
    byte(W_BR_IF);
    u(label >= 0 ? label : labelAt(GO_ON + way));
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
      emitCall(b, back, near);
    } else {
      // A return goes back to the caller, which may be waiting for it; other jumps go on from here.
      if (isDispatch(b)) {
        emitKind(2);
        emitDispatch();
      }
      emitKind(isComputedJump(i) ? 2 : 1);
      byte(W_BR);
      u(labelAt((end == END_INDIRECT && !isComputedJump(i) ? LEAVE_PC : GO_ON) + way));
    }
  }
}

let integerLocals: u32 = 0;
let floatLocals: u32 = 0;

/** Gives every register the region names a local. */
function assignLocals(): void {
  let next = FIRST_REGISTER;
  for (let r: u32 = 0; r < 32; r++) unchecked((locals[r] = (namedRegisters >> r) & 1 ? next++ : 0));
  integerLocals = next - FIRST_REGISTER;
  const first = next;
  for (let r: u32 = 0; r < 32; r++) unchecked((floats[r] = (namedRegisters >> (r + 32)) & 1 ? next++ : 0));
  floatLocals = next - first;
  usesFloat = false;
  for (let b = 0; b < blocks; b++) {
    let offset = unchecked(blockStart[b]);
    for (let k = unchecked(blockCount[b]); k > 0; k--) {
      if (isFloat(unchecked(insnOp[offset >> 1]))) usesFloat = true;
      offset += unchecked(insnLength[offset >> 1]);
    }
  }
}

function openBlock(): void {
  byte(W_BLOCK);
  byte(T_VOID);
  pushLabel(-1);
}
function closeBlock(): void {
  byte(W_END);
  popLabel();
}
function emitBranchOut(construct: i32): void {
  byte(W_BR);
  u(labelAt(construct));
}

let jumpTable: u32 = 0;

/**
 * Writes the function body (with its size in front) of the region that discover() found. `table`: address of the
 * region's jump table, which regions.ts has filled in.
 */
export function emitRegion(table: u32): void {
  jumpTable = table;
  analyse();
  assignLocals();
  const size = hole();
  const start = writer.at;
  u(8);
  u(1);
  byte(T_I64);
  u(4);
  byte(T_I32);
  u(2);
  byte(T_I64);
  u(1);
  byte(T_F64);
  u(1);
  byte(T_I64);
  u(1);
  byte(T_I32);
  u(integerLocals);
  byte(T_I64);
  u(floatLocals);
  byte(T_F64);
  resetLabels();
  for (let k = 0; k < LEAVE + WAYS; k++) openBlock();
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + READ_TABLE);
  set(L_TLB);
  emitLoads(unchecked(liveAtStart[0]));
  if (usesFloat) emitFloatState();
  emitStructured(blocks);
  byte(W_UNREACHABLE);
  for (let w = WAYS - 1; w >= 0; w--) {
    closeBlock();
    get(L_BUDGET);
    get(L_CODE);
    i32c(12);
    byte(W_I32_SHR_U);
    byte(W_I32_SUB);
    set(L_BUDGET);
    get(L_PAGE);
    get(L_CODE);
    i32c(0xfff);
    byte(W_I32_AND);
    byte(W_I64_EXTEND_U);
    byte(W_I64_ADD);
    set(L_PC);
    emitKind(0);
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
  emitReturn();
  closeBlock();
  if (load<u32>(HART_BASE + TAIL_CALLS)) {
    emitFarTarget();
    emitRegionCall(W_RETURN_CALL_INDIRECT, 0);
  } else emitReturn();
  byte(W_END);
  fill(size, <u32>(writer.at - start));
}
