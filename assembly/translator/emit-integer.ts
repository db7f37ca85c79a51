// Integer instructions as Wasm: rs1 in a, rs2 in b, the result into rd's local.
import {
  OP_ADDI,
  OP_ADDIW,
  OP_AUIPC,
  OP_BEQ,
  OP_BGEU,
  OP_BNE,
  OP_DIV,
  OP_DIVU,
  OP_DIVUW,
  OP_DIVW,
  OP_FENCE,
  OP_FENCE_I,
  OP_JAL,
  OP_JALR,
  OP_LUI,
  OP_MULH,
  OP_MULHSU,
  OP_MULHU,
  OP_REM,
  OP_REMU,
  OP_REMUW,
  OP_REMW,
} from '../isa/generated/opcodes';
import { unlikely } from './branch-hints';
import { isAtomic } from './emit-atomic';
import { emitBits } from './emit-bits';
import { isMemory } from './emit-memory';
import { L_PAGE, popX, pushW, pushX } from './emit-registers';
import { call, CALL_DIV, CALL_DIVU, CALL_DIVUW, CALL_DIVW, CALL_MULH, CALL_MULHSU, CALL_MULHU, CALL_REM, CALL_REMU, CALL_REMUW, CALL_REMW } from './imports';
import {
  branchOpcode,
  immediateOpcode,
  registerOpcode,
  unaryOpcode,
  wordImmediateOpcode,
  wordOpcode,
  wordUnaryOpcode,
} from './integer-opcodes';
import { insnImm, insnRd, insnRs1, insnRs2 } from './region';
import { isFloat } from './translatable';
import {
  T_I32,
  T_I64,
  W_ELSE,
  W_END,
  W_I32_ADD,
  W_I32_DIV_S,
  W_I32_DIV_U,
  W_I32_EQZ,
  W_I32_LT_U,
  W_I32_REM_S,
  W_I32_REM_U,
  W_I64_ADD,
  W_I64_DIV_S,
  W_I64_DIV_U,
  W_I64_EQZ,
  W_I64_EXTEND_S,
  W_I64_EXTEND_U,
  W_I64_LT_S,
  W_I64_LT_U,
  W_I64_REM_S,
  W_I64_REM_U,
  W_IF,
  byte,
  get,
  i32c,
  i64c,
} from './wasm-writer';

/** Instructions that compute rd from registers and an immediate, and can neither trap nor branch. */
export function isPlainInteger(op: u32): bool {
  if (op == OP_FENCE || op == OP_FENCE_I || op == OP_JAL || op == OP_JALR) return false;
  if (isMemory(op) || isAtomic(op) || isFloat(op)) return false;
  return op < <u32>OP_BEQ || op > <u32>OP_BGEU;
}

/** Pushes whether a branch is taken. */
export function emitCondition(op: u32, a: u32, b: u32): void {
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

/** Emits instruction `i` (a halfword of the page) at `offset`. A result for x0 is not computed. */
export function emitInteger(op: u32, i: i32, offset: i32): void {
  const d: u32 = unchecked(insnRd[i]);
  if (!d) return;
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  const immediate = unchecked(insnImm[i]);
  const done =
    emitWhole(op, a, b, immediate) ||
    emitWord(op, a, b, immediate) ||
    emitHighProduct(op, a, b) ||
    emitQuotient(op, a, b) ||
    emitBits(op, a, b, immediate) ||
    emitUpper(op, offset, immediate);
  if (!done) unreachable();
  popX(d);
}

/** What one 64-bit instruction does. This and those below: false, and nothing emitted, when `op` is none of theirs. */
function emitWhole(op: u32, a: u32, b: u32, immediate: i32): bool {
  let opcode = immediateOpcode(op);
  if (opcode) {
    if (op == OP_ADDI && !(a && immediate)) {
      if (a) pushX(a);
      else i64c(immediate);
      return true;
    }
    pushX(a);
    i64c(immediate);
  } else if ((opcode = registerOpcode(op))) {
    pushX(a);
    pushX(b);
  } else if ((opcode = unaryOpcode(op))) {
    pushX(a);
  } else return false;
  byte(opcode);
  if (opcode == W_I64_LT_S || opcode == W_I64_LT_U) byte(W_I64_EXTEND_U);
  return true;
}

/** What one 32-bit instruction does. */
function emitWord(op: u32, a: u32, b: u32, immediate: i32): bool {
  let opcode = wordImmediateOpcode(op);
  if (opcode) {
    pushW(a);
    if (op != OP_ADDIW || immediate) {
      i32c(immediate);
      byte(opcode);
    }
    byte(W_I64_EXTEND_S);
  } else if ((opcode = wordOpcode(op))) {
    pushW(a);
    pushW(b);
    byte(opcode);
    byte(W_I64_EXTEND_S);
  } else if ((opcode = wordUnaryOpcode(op))) {
    pushW(a);
    byte(opcode);
    byte(W_I64_EXTEND_U);
  } else return false;
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
      emitDivision(a, b, false, W_I64_DIV_S, CALL_DIV);
      return true;
    case OP_DIVU:
      emitDivision(a, b, false, W_I64_DIV_U, CALL_DIVU);
      return true;
    case OP_REM:
      emitDivision(a, b, false, W_I64_REM_S, CALL_REM);
      return true;
    case OP_REMU:
      emitDivision(a, b, false, W_I64_REM_U, CALL_REMU);
      return true;
    case OP_DIVW:
      emitDivision(a, b, true, W_I32_DIV_S, CALL_DIVW);
      return true;
    case OP_DIVUW:
      emitDivision(a, b, true, W_I32_DIV_U, CALL_DIVUW);
      return true;
    case OP_REMW:
      emitDivision(a, b, true, W_I32_REM_S, CALL_REMW);
      return true;
    case OP_REMUW:
      emitDivision(a, b, true, W_I32_REM_U, CALL_REMUW);
      return true;
  }
  return false;
}

/** A division: the machine's own, unless the divisor is 0 or -1, where RISC-V has its own results (section 13.2). */
function emitDivision(a: u32, b: u32, word: bool, op: u8, slow: u32): void {
  pushOperand(b, word);
  if (word) {
    i32c(1);
    byte(W_I32_ADD);
    i32c(2);
    byte(W_I32_LT_U);
  } else {
    i64c(1);
    byte(W_I64_ADD);
    i64c(2);
    byte(W_I64_LT_U);
  }
  unlikely();
  byte(W_IF);
  byte(word ? T_I32 : T_I64);
  pushOperand(a, word);
  pushOperand(b, word);
  call(slow);
  byte(W_ELSE);
  pushOperand(a, word);
  pushOperand(b, word);
  byte(op);
  byte(W_END);
  if (word) byte(W_I64_EXTEND_S);
}
function pushOperand(register: u32, word: bool): void {
  if (word) pushW(register);
  else pushX(register);
}

/** lui and auipc. */
function emitUpper(op: u32, offset: i32, immediate: i32): bool {
  if (op == OP_LUI) i64c(immediate);
  else if (op == OP_AUIPC) {
    get(L_PAGE);
    i64c(offset + immediate);
    byte(W_I64_ADD);
  } else return false;
  return true;
}
