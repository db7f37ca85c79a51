// Instructions whose results are words: i32 arithmetic on the low words of their operands.
import {
  OP_ADD,
  OP_ADDI,
  OP_ADDIW,
  OP_AND,
  OP_ANDI,
  OP_DIVUW,
  OP_DIVW,
  OP_LUI,
  OP_OR,
  OP_ORI,
  OP_REMUW,
  OP_REMW,
  OP_SEXT_B,
  OP_SEXT_H,
  OP_SLT,
  OP_SLTI,
  OP_SLTIU,
  OP_SLTU,
  OP_SRAI,
  OP_SRLI,
  OP_XOR,
  OP_XORI,
  OP_ZEXT_H,
} from '../isa/generated/opcodes';
import { unlikely } from './branch-hints';
import { known, narrow, pushW, pushX } from './emit-registers';
import { CALL_DIVUW, CALL_DIVW, CALL_REMUW, CALL_REMW, call } from './imports';
import { wordImmediateOpcode, wordOpcode, wordUnaryOpcode } from './integer-opcodes';
import {
  T_I32,
  W_ELSE,
  W_END,
  W_I32_ADD,
  W_I32_AND,
  W_I32_DIV_S,
  W_I32_DIV_U,
  W_I32_EXTEND16,
  W_I32_EXTEND8,
  W_I32_LT_S,
  W_I32_LT_U,
  W_I32_OR,
  W_I32_REM_S,
  W_I32_REM_U,
  W_I32_SHR_S,
  W_I32_WRAP,
  W_I32_XOR,
  W_I64_LT_S,
  W_I64_LT_U,
  W_I64_SHR_S,
  W_I64_SHR_U,
  W_IF,
  byte,
  i32c,
  i64c,
} from './wasm-writer';

/** True where both registers are known to hold words, and one of them is not even widened. */
export function areWords(a: u32, b: u32): bool {
  const operands = ((<u32>1 << a) | (<u32>1 << b)) & ~1;
  return !(operands & ~known) && (operands & narrow) != 0;
}

function emitBinary(a: u32, b: u32, op: u8): void {
  pushW(a);
  pushW(b);
  byte(op);
}
function emitWithImmediate(a: u32, immediate: i32, op: u8): void {
  pushW(a);
  i32c(immediate);
  byte(op);
}

/** slt and its kin; sign extension keeps the unsigned order of words too. */
function emitLess(a: u32, b: u32, signed: bool): void {
  if (areWords(a, b)) {
    emitBinary(a, b, signed ? W_I32_LT_S : W_I32_LT_U);
    return;
  }
  pushX(a);
  pushX(b);
  byte(signed ? W_I64_LT_S : W_I64_LT_U);
}
function emitLessImmediate(a: u32, immediate: i32, signed: bool): void {
  if (areWords(a, a)) {
    emitWithImmediate(a, immediate, signed ? W_I32_LT_S : W_I32_LT_U);
    return;
  }
  pushX(a);
  i64c(immediate);
  byte(signed ? W_I64_LT_S : W_I64_LT_U);
}

/** A division: the machine's own, unless the divisor is 0 or -1, where RISC-V has its own results (section 13.2). */
function emitDivision(a: u32, b: u32, op: u8, slow: u32): void {
  pushW(b);
  i32c(1);
  byte(W_I32_ADD);
  i32c(2);
  byte(W_I32_LT_U);
  unlikely();
  byte(W_IF);
  byte(T_I32);
  pushW(a);
  pushW(b);
  call(slow);
  byte(W_ELSE);
  emitBinary(a, b, op);
  byte(W_END);
}

/** The shifts of 64 bits that leave no more than 32. */
function emitShift(a: u32, immediate: i32, op: u8): void {
  pushX(a);
  i64c(immediate);
  byte(op);
  byte(W_I32_WRAP);
}

/** Pushes the result of an instruction that makes its rd narrow (words.ts), as an i32. */
export function emitNarrow(op: u32, a: u32, b: u32, immediate: i32): void {
  switch (op) {
    case OP_LUI:
      i32c(immediate);
      return;
    case OP_ADDI:
      if (a) pushW(a);
      else i32c(immediate);
      return;
    case OP_ADD:
      pushW(a | b);
      return;
    case OP_ADDIW:
      if (immediate) emitWithImmediate(a, immediate, W_I32_ADD);
      else pushW(a);
      return;
    case OP_ANDI:
      emitWithImmediate(a, immediate, W_I32_AND);
      return;
    case OP_ORI:
      emitWithImmediate(a, immediate, W_I32_OR);
      return;
    case OP_XORI:
      emitWithImmediate(a, immediate, W_I32_XOR);
      return;
    case OP_AND:
      emitBinary(a, b, W_I32_AND);
      return;
    case OP_OR:
      emitBinary(a, b, W_I32_OR);
      return;
    case OP_XOR:
      emitBinary(a, b, W_I32_XOR);
      return;
    case OP_SLT:
      emitLess(a, b, true);
      return;
    case OP_SLTU:
      emitLess(a, b, false);
      return;
    case OP_SLTI:
      emitLessImmediate(a, immediate, true);
      return;
    case OP_SLTIU:
      emitLessImmediate(a, immediate, false);
      return;
    case OP_SEXT_B:
      pushW(a);
      byte(W_I32_EXTEND8);
      return;
    case OP_SEXT_H:
      pushW(a);
      byte(W_I32_EXTEND16);
      return;
    case OP_ZEXT_H:
      emitWithImmediate(a, 0xffff, W_I32_AND);
      return;
    case OP_SRLI:
      emitShift(a, immediate, W_I64_SHR_U);
      return;
    case OP_SRAI:
      if (immediate < 32) emitWithImmediate(a, immediate, W_I32_SHR_S);
      else emitShift(a, immediate, W_I64_SHR_S);
      return;
    case OP_DIVW:
      emitDivision(a, b, W_I32_DIV_S, CALL_DIVW);
      return;
    case OP_DIVUW:
      emitDivision(a, b, W_I32_DIV_U, CALL_DIVUW);
      return;
    case OP_REMW:
      emitDivision(a, b, W_I32_REM_S, CALL_REMW);
      return;
    case OP_REMUW:
      emitDivision(a, b, W_I32_REM_U, CALL_REMUW);
      return;
  }
  let opcode = wordImmediateOpcode(op);
  if (opcode) {
    emitWithImmediate(a, immediate, opcode);
    return;
  }
  opcode = wordOpcode(op);
  if (opcode) {
    emitBinary(a, b, opcode);
    return;
  }
  opcode = wordUnaryOpcode(op);
  if (!opcode) unreachable();
  pushW(a);
  byte(opcode);
}
