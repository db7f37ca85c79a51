// Integer instructions as Wasm: rs1 in a, rs2 in b, the result into rd's local.
import {
  OP_ADD,
  OP_ADDI,
  OP_AUIPC,
  OP_BEQ,
  OP_BGEU,
  OP_BNE,
  OP_DIV,
  OP_DIVU,
  OP_FENCE,
  OP_FENCE_I,
  OP_JAL,
  OP_JALR,
  OP_MULH,
  OP_MULHSU,
  OP_MULHU,
  OP_REM,
  OP_REMU,
} from '../isa/generated/opcodes';
import { unlikely } from './branch-hints';
import { isAtomic } from './emit-atomic';
import { emitBits } from './emit-bits';
import { isMemory } from './emit-memory';
import { L_PAGE, known, narrow, noteWord, popWord, popX, pushW, pushX } from './emit-registers';
import { areWords, emitNarrow } from './emit-words';
import {
  CALL_DIV,
  CALL_DIVU,
  CALL_MULH,
  CALL_MULHSU,
  CALL_MULHU,
  CALL_REM,
  CALL_REMU,
  call,
} from './imports';
import {
  branchOpcode,
  immediateOpcode,
  registerOpcode,
  unaryOpcode,
  wordBranchOpcode,
} from './integer-opcodes';
import { insnImm, insnRd, insnRs1, insnRs2 } from './region';
import { isFloat } from './translatable';
import {
  T_I64,
  W_ELSE,
  W_END,
  W_I32_EQZ,
  W_I64_ADD,
  W_I64_DIV_S,
  W_I64_DIV_U,
  W_I64_EQZ,
  W_I64_LT_U,
  W_I64_REM_S,
  W_I64_REM_U,
  W_IF,
  byte,
  get,
  i64c,
} from './wasm-writer';
import { KNOWN, NARROW, wordness } from './words';

/** Instructions that compute rd from registers and an immediate, and can neither trap nor branch. */
export function isPlainInteger(op: u32): bool {
  if (op == OP_FENCE || op == OP_FENCE_I || op == OP_JAL || op == OP_JALR) return false;
  if (isMemory(op) || isAtomic(op) || isFloat(op)) return false;
  return op < <u32>OP_BEQ || op > <u32>OP_BGEU;
}

/** Pushes whether a branch is taken. */
export function emitCondition(op: u32, a: u32, b: u32): void {
  if (areWords(a, b)) {
    emitWordCondition(op, a, b);
    return;
  }
  if (!b && (op == OP_BEQ || op == OP_BNE)) {
    pushX(a);
    byte(W_I64_EQZ);
    if (op == OP_BNE) byte(W_I32_EQZ);
    return;
  }
  pushX(a);
  pushX(b);
  byte(branchOpcode(op));
}

function emitWordCondition(op: u32, a: u32, b: u32): void {
  pushW(a);
  if (!b && op == OP_BNE) return;
  if (!b && op == OP_BEQ) byte(W_I32_EQZ);
  else {
    pushW(b);
    byte(wordBranchOpcode(op));
  }
}

/** Emits instruction `i` (a halfword of the page) at `offset`. A result for x0 is not computed. */
export function emitInteger(op: u32, i: i32, offset: i32): void {
  const d: u32 = unchecked(insnRd[i]);
  if (!d) return;
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  const immediate = unchecked(insnImm[i]);
  const what = wordness(i, known, narrow);
  if (what == NARROW) {
    emitNarrow(op, a, b, immediate);
    popWord(d);
    return;
  }
  const done =
    emitWhole(op, a, b, immediate) ||
    emitHighProduct(op, a, b) ||
    emitQuotient(op, a, b) ||
    emitBits(op, a, b, immediate) ||
    emitUpper(op, offset, immediate);
  if (!done) unreachable();
  popX(d);
  if (what == KNOWN) noteWord(d);
}

/** What one 64-bit instruction does. This and those below: false, and nothing emitted, when `op` is none of theirs. */
function emitWhole(op: u32, a: u32, b: u32, immediate: i32): bool {
  let opcode = immediateOpcode(op);
  if (opcode) {
    pushX(a);
    if (op == OP_ADDI && !immediate) return true;
    i64c(immediate);
  } else if ((opcode = registerOpcode(op))) {
    if (op == OP_ADD && !(a && b)) {
      pushX(a | b);
      return true;
    }
    pushX(a);
    pushX(b);
  } else if ((opcode = unaryOpcode(op))) {
    pushX(a);
  } else return false;
  byte(opcode);
  return true;
}

/** The upper half of a product: a function of the core. */
function emitHighProduct(op: u32, a: u32, b: u32): bool {
  if (op != OP_MULH && op != OP_MULHU && op != OP_MULHSU) return false;
  pushX(a);
  pushX(b);
  call(op == OP_MULH ? CALL_MULH : op == OP_MULHU ? CALL_MULHU : CALL_MULHSU);
  return true;
}

function emitQuotient(op: u32, a: u32, b: u32): bool {
  switch (op) {
    case OP_DIV:
      emitDivision(a, b, W_I64_DIV_S, CALL_DIV);
      return true;
    case OP_DIVU:
      emitDivision(a, b, W_I64_DIV_U, CALL_DIVU);
      return true;
    case OP_REM:
      emitDivision(a, b, W_I64_REM_S, CALL_REM);
      return true;
    case OP_REMU:
      emitDivision(a, b, W_I64_REM_U, CALL_REMU);
      return true;
  }
  return false;
}

/** A division: the machine's own, unless the divisor is 0 or -1, where RISC-V has its own results (section 13.2). */
function emitDivision(a: u32, b: u32, op: u8, slow: u32): void {
  pushX(b);
  i64c(1);
  byte(W_I64_ADD);
  i64c(2);
  byte(W_I64_LT_U);
  unlikely();
  byte(W_IF);
  byte(T_I64);
  pushX(a);
  pushX(b);
  call(slow);
  byte(W_ELSE);
  pushX(a);
  pushX(b);
  byte(op);
  byte(W_END);
}

function emitUpper(op: u32, offset: i32, immediate: i32): bool {
  if (op != OP_AUIPC) return false;
  get(L_PAGE);
  i64c(offset + immediate);
  byte(W_I64_ADD);
  return true;
}
