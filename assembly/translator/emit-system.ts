// What a kernel's code is full of and needs no trap: interrupts off and on, access to user memory, the registers of a
// trap's entry, and cbo.zero. In S-mode and in its usual form it is in line; all else leaves for the interpreter.
// A region's mode cannot change while it runs: what changes it, ends every region.
import { COUNTEREN_TM, ENVCFG_CBZE, MSTATUS_MPRV, MSTATUS_SIE, MSTATUS_SUM, MSTATUS_XL, SSTATUS_VISIBLE } from '../hart/status';
import { PRIVILEGE_S } from '../hart/state';
import { OP_CBO_ZERO, OP_CSRRS, OP_CSRRSI, OP_CSRRW } from '../isa/generated/opcodes';
import {
  HART_BASE,
  IRQ_LINES,
  MCOUNTEREN,
  MENVCFG,
  MIE,
  MIP,
  MSTATUS,
  PRIVILEGE,
  READ_TABLE,
  SCOUNTEREN,
  SEPC,
  TLB_BASE,
  TLB_MODE_S,
  TLB_MODE_STRIDE,
  TLB_MODE_S_SUM,
  TLB_WRITE,
} from '../layout';
import { emitLeaveCode, emitLeaveIf, emitLeaveUnless } from './emit-exits';
import { emitHostAddress } from './emit-memory';
import { L_CODE, L_TEMP, L_TLB, L_VALUE, popX, pushX } from './emit-registers';
import { CALL_TIME, call } from './imports';
import { insnImm, insnRd, insnRs1 } from './region';
import { SSTATUS, TIME_CSR, isImmediate, plainRegister } from './translatable';
import {
  T_VOID,
  W_DROP,
  W_END,
  W_I32_AND,
  W_I32_EQ,
  W_I32_LOAD,
  W_I32_STORE,
  W_I32_SHR_U,
  W_I32_WRAP,
  W_I64_AND,
  W_I64_EQ,
  W_I64_EQZ,
  W_I64_EXTEND_U,
  W_I64_LOAD,
  W_I64_NE,
  W_I64_OR,
  W_I64_SHL,
  W_I64_STORE,
  W_I64_XOR,
  W_IF,
  access,
  byte,
  get,
  i32c,
  i64c,
  set,
} from './wasm-writer';

const MSTATUS_FS_DIRTY: i64 = 0x6000;
const CACHE_BLOCK = 64;

/** Emits instruction `i` at `offset`, with `done` instructions of its block before it. */
export function emitSystem(op: u32, i: i32, offset: i32, done: i32): void {
  emitLeaveCode(offset, done);
  if (op != OP_CBO_ZERO && unchecked(insnImm[i]) == TIME_CSR) {
    emitTime(i);
    return;
  }
  i32c(0);
  access(W_I32_LOAD, 2, HART_BASE + PRIVILEGE);
  i32c(PRIVILEGE_S);
  byte(W_I32_EQ);
  emitLeaveUnless();
  if (op == OP_CBO_ZERO) emitZeroBlock(i);
  else if (unchecked(insnImm[i]) == SSTATUS) emitStatus(op, i);
  else emitPlain(op, i);
}

function loadHart(offset: usize): void {
  i32c(0);
  access(W_I64_LOAD, 3, HART_BASE + <u32>offset);
}

/** csrr of time, where every mode may read it. */
function emitTime(i: i32): void {
  loadHart(MCOUNTEREN);
  loadHart(SCOUNTEREN);
  byte(W_I64_AND);
  i64c(<i64>COUNTEREN_TM);
  byte(W_I64_AND);
  byte(W_I64_EQZ);
  emitLeaveIf();
  call(CALL_TIME);
  const target: u32 = unchecked(insnRd[i]);
  if (target) popX(target);
  else byte(W_DROP);
}

/** csrr and csrw, csrrw of a register that is no more than its value. */
function emitPlain(op: u32, i: i32): void {
  const register = plainRegister(unchecked(insnImm[i]));
  const target: u32 = unchecked(insnRd[i]);
  if (target) {
    loadHart(register);
    set(L_TEMP);
  }
  if (op == OP_CSRRW) {
    i32c(0);
    pushX(unchecked(insnRs1[i]));
    if (register == SEPC) {
      i64c(-2);
      byte(W_I64_AND);
    }
    access(W_I64_STORE, 3, HART_BASE + <u32>register);
  }
  if (target) {
    get(L_TEMP);
    popX(target);
  }
}

/** Sets or clears SIE and SUM in sstatus, and reads it. */
function emitStatus(op: u32, i: i32): void {
  const immediate = isImmediate(op);
  const sets = op == OP_CSRRS || op == OP_CSRRSI;
  const source: u32 = unchecked(insnRs1[i]);
  const target: u32 = unchecked(insnRd[i]);
  if (source && !immediate) {
    pushX(source);
    set(L_VALUE);
  }
  loadHart(MSTATUS);
  set(L_TEMP);
  if (source) {
    if (!immediate) {
      // Other fields than these two, and memory under another mode's eyes, are the interpreter's.
      get(L_VALUE);
      i64c(<i64>~(MSTATUS_SIE | MSTATUS_SUM));
      byte(W_I64_AND);
      get(L_TEMP);
      i64c(<i64>MSTATUS_MPRV);
      byte(W_I64_AND);
      byte(W_I64_OR);
      i64c(0);
      byte(W_I64_NE);
      emitLeaveIf();
    }
    if (sets) emitLeaveIfPending(immediate);
    i32c(0);
    get(L_TEMP);
    if (immediate) i64c(<i64>(sets ? MSTATUS_SIE : ~MSTATUS_SIE));
    else {
      get(L_VALUE);
      if (!sets) {
        i64c(-1);
        byte(W_I64_XOR);
      }
    }
    byte(sets ? W_I64_OR : W_I64_AND);
    access(W_I64_STORE, 3, HART_BASE + MSTATUS);
    if (!immediate) emitTableOf(sets);
  }
  if (!target) return;
  get(L_TEMP);
  i64c(<i64>(SSTATUS_VISIBLE & ~MSTATUS_XL));
  byte(W_I64_AND);
  i64c(<i64>(SSTATUS_VISIBLE & MSTATUS_XL));
  byte(W_I64_OR);
  get(L_TEMP);
  i64c(MSTATUS_FS_DIRTY);
  byte(W_I64_AND);
  i64c(MSTATUS_FS_DIRTY);
  byte(W_I64_EQ);
  byte(W_I64_EXTEND_U);
  i64c(63);
  byte(W_I64_SHL);
  byte(W_I64_OR);
  popX(target);
}

/** An interrupt that waits is taken before the next instruction: where SIE is set and one does, the interpreter goes on. */
function emitLeaveIfPending(immediate: bool): void {
  loadHart(IRQ_LINES);
  loadHart(MIP);
  byte(W_I64_OR);
  loadHart(MIE);
  byte(W_I64_AND);
  i64c(0);
  byte(W_I64_NE);
  if (!immediate) {
    get(L_VALUE);
    byte(W_I32_WRAP);
    i32c(<i32>MSTATUS_SIE);
    byte(W_I32_AND);
    i32c(1);
    byte(W_I32_SHR_U);
    byte(W_I32_AND);
  }
  emitLeaveIf();
}

/** SUM has been set or cleared where L_VALUE has it: loads and stores go by the other table. */
function emitTableOf(sum: bool): void {
  const table: i32 = TLB_BASE + (sum ? TLB_MODE_S_SUM : TLB_MODE_S) * TLB_MODE_STRIDE;
  get(L_VALUE);
  byte(W_I32_WRAP);
  i32c(<i32>MSTATUS_SUM);
  byte(W_I32_AND);
  byte(W_IF);
  byte(T_VOID);
  i32c(0);
  i32c(table);
  access(W_I32_STORE, 2, HART_BASE + READ_TABLE);
  i32c(table);
  set(L_TLB);
  byte(W_END);
}

/** cbo.zero: the write TLB answers for the page, whose low bits the block's address keeps. */
function emitZeroBlock(i: i32): void {
  loadHart(MENVCFG);
  i64c(<i64>ENVCFG_CBZE);
  byte(W_I64_AND);
  byte(W_I64_EQZ);
  emitLeaveIf();
  emitHostAddress(unchecked(insnRs1[i]), 0, 1, TLB_WRITE);
  i32c(-CACHE_BLOCK);
  byte(W_I32_AND);
  set(L_CODE);
  for (let at: u32 = 0; at < <u32>CACHE_BLOCK; at += 8) {
    get(L_CODE);
    i64c(0);
    access(W_I64_STORE, 3, at);
  }
}
