// Integer instructions as Wasm: rs1 in a, rs2 in b, the result into rd's local.
import { isAtomic } from './emit-atomic';
import { isMemory } from './emit-memory';
import { isFloat } from './translatable';
import { L_PAGE, popX, pushX } from './emit-registers';
import { call, CALL_DIV, CALL_DIVU, CALL_DIVUW, CALL_DIVW, CALL_MULH, CALL_MULHSU, CALL_MULHU, CALL_REM, CALL_REMU, CALL_REMUW, CALL_REMW } from './imports';
import { insnImm, insnRd, insnRs1, insnRs2 } from './region';
import {
  OP_ADD,
  OP_ADDI,
  OP_ADDIW,
  OP_ADDW,
  OP_ADD_UW,
  OP_AND,
  OP_ANDI,
  OP_ANDN,
  OP_AUIPC,
  OP_BCLR,
  OP_BCLRI,
  OP_BEQ,
  OP_BEXT,
  OP_BEXTI,
  OP_BGE,
  OP_BGEU,
  OP_BINV,
  OP_BINVI,
  OP_BLT,
  OP_BLTU,
  OP_BNE,
  OP_BSET,
  OP_BSETI,
  OP_CLZ,
  OP_CLZW,
  OP_CPOP,
  OP_CPOPW,
  OP_CTZ,
  OP_CTZW,
  OP_CZERO_EQZ,
  OP_CZERO_NEZ,
  OP_DIV,
  OP_DIVU,
  OP_DIVUW,
  OP_DIVW,
  OP_FENCE,
  OP_FENCE_I,
  OP_JAL,
  OP_JALR,
  OP_LUI,
  OP_MAX,
  OP_MAXU,
  OP_MIN,
  OP_MINU,
  OP_MUL,
  OP_MULH,
  OP_MULHSU,
  OP_MULHU,
  OP_MULW,
  OP_OR,
  OP_ORI,
  OP_ORN,
  OP_REM,
  OP_REMU,
  OP_REMUW,
  OP_REMW,
  OP_ROL,
  OP_ROLW,
  OP_ROR,
  OP_RORI,
  OP_RORIW,
  OP_RORW,
  OP_SEXT_B,
  OP_SEXT_H,
  OP_SH1ADD,
  OP_SH1ADD_UW,
  OP_SH2ADD,
  OP_SH2ADD_UW,
  OP_SH3ADD,
  OP_SH3ADD_UW,
  OP_SLL,
  OP_SLLI,
  OP_SLLIW,
  OP_SLLI_UW,
  OP_SLLW,
  OP_SLT,
  OP_SLTI,
  OP_SLTIU,
  OP_SLTU,
  OP_SRA,
  OP_SRAI,
  OP_SRAIW,
  OP_SRAW,
  OP_SRL,
  OP_SRLI,
  OP_SRLIW,
  OP_SRLW,
  OP_SUB,
  OP_SUBW,
  OP_XNOR,
  OP_XOR,
  OP_XORI,
  OP_ZEXT_H,
} from '../isa/generated/opcodes';
import {
  T_I32,
  T_I64,
  W_ELSE,
  W_END,
  W_I32_ADD,
  W_I32_CLZ,
  W_I32_CTZ,
  W_I32_DIV_S,
  W_I32_DIV_U,
  W_I32_EQZ,
  W_I32_LT_U,
  W_I32_MUL,
  W_I32_POPCNT,
  W_I32_REM_S,
  W_I32_REM_U,
  W_I32_ROTL,
  W_I32_ROTR,
  W_I32_SHL,
  W_I32_SHR_S,
  W_I32_SHR_U,
  W_I32_SUB,
  W_I32_WRAP,
  W_I64_ADD,
  W_I64_AND,
  W_I64_CLZ,
  W_I64_CTZ,
  W_I64_DIV_S,
  W_I64_DIV_U,
  W_I64_EQ,
  W_I64_EQZ,
  W_I64_EXTEND16,
  W_I64_EXTEND8,
  W_I64_EXTEND_S,
  W_I64_EXTEND_U,
  W_I64_GE_S,
  W_I64_GE_U,
  W_I64_GT_S,
  W_I64_GT_U,
  W_I64_LT_S,
  W_I64_LT_U,
  W_I64_MUL,
  W_I64_NE,
  W_I64_OR,
  W_I64_POPCNT,
  W_I64_REM_S,
  W_I64_REM_U,
  W_I64_ROTL,
  W_I64_ROTR,
  W_I64_SHL,
  W_I64_SHR_S,
  W_I64_SHR_U,
  W_I64_SUB,
  W_I64_XOR,
  W_IF,
  W_SELECT,
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

/** The low half of a register. */
function pushW(register: u32): void {
  if (register) {
    pushX(register);
    byte(W_I32_WRAP);
  } else i32c(0);
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
  switch (op) {
    case OP_BEQ:
      byte(W_I64_EQ);
      break;
    case OP_BNE:
      byte(W_I64_NE);
      break;
    case OP_BLT:
      byte(W_I64_LT_S);
      break;
    case OP_BGE:
      byte(W_I64_GE_S);
      break;
    case OP_BLTU:
      byte(W_I64_LT_U);
      break;
    case OP_BGEU:
      byte(W_I64_GE_U);
      break;
  }
}

/** A division: the machine's own, unless the divisor is 0 or -1, where RISC-V has its own results (section 13.2). */
function emitDivision(a: u32, b: u32, word: bool, op: u8, slow: u32): void {
  if (word) {
    pushW(b);
    i32c(1);
    byte(W_I32_ADD);
    i32c(2);
    byte(W_I32_LT_U);
  } else {
    pushX(b);
    i64c(1);
    byte(W_I64_ADD);
    i64c(2);
    byte(W_I64_LT_U);
  }
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
}
function pushOperand(register: u32, word: bool): void {
  if (word) pushW(register);
  else pushX(register);
}

/** Emits instruction `i` (a halfword of the page) at `offset`. A result for x0 is not computed. */
export function emitInteger(op: u32, i: i32, offset: i32): void {
  const d: u32 = unchecked(insnRd[i]);
  if (!d) return;
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  const immediate = unchecked(insnImm[i]);
  switch (op) {
    case OP_ADD:
      pushX(a);
      pushX(b);
      byte(W_I64_ADD);
      break;
    case OP_SUB:
      pushX(a);
      pushX(b);
      byte(W_I64_SUB);
      break;
    case OP_XOR:
      pushX(a);
      pushX(b);
      byte(W_I64_XOR);
      break;
    case OP_OR:
      pushX(a);
      pushX(b);
      byte(W_I64_OR);
      break;
    case OP_AND:
      pushX(a);
      pushX(b);
      byte(W_I64_AND);
      break;
    case OP_SLL:
      pushX(a);
      pushX(b);
      byte(W_I64_SHL);
      break;
    case OP_SRL:
      pushX(a);
      pushX(b);
      byte(W_I64_SHR_U);
      break;
    case OP_SRA:
      pushX(a);
      pushX(b);
      byte(W_I64_SHR_S);
      break;
    case OP_MUL:
      pushX(a);
      pushX(b);
      byte(W_I64_MUL);
      break;
    case OP_ROL:
      pushX(a);
      pushX(b);
      byte(W_I64_ROTL);
      break;
    case OP_ROR:
      pushX(a);
      pushX(b);
      byte(W_I64_ROTR);
      break;
    case OP_ADDI:
      if (!a) i64c(immediate);
      else {
        pushX(a);
        if (immediate) {
          i64c(immediate);
          byte(W_I64_ADD);
        }
      }
      break;
    case OP_XORI:
      pushX(a);
      i64c(immediate);
      byte(W_I64_XOR);
      break;
    case OP_ORI:
      pushX(a);
      i64c(immediate);
      byte(W_I64_OR);
      break;
    case OP_ANDI:
      pushX(a);
      i64c(immediate);
      byte(W_I64_AND);
      break;
    case OP_SLLI:
      pushX(a);
      i64c(immediate);
      byte(W_I64_SHL);
      break;
    case OP_SRLI:
      pushX(a);
      i64c(immediate);
      byte(W_I64_SHR_U);
      break;
    case OP_SRAI:
      pushX(a);
      i64c(immediate);
      byte(W_I64_SHR_S);
      break;
    case OP_RORI:
      pushX(a);
      i64c(immediate);
      byte(W_I64_ROTR);
      break;
    case OP_SLT:
      pushX(a);
      pushX(b);
      byte(W_I64_LT_S);
      byte(W_I64_EXTEND_U);
      break;
    case OP_SLTU:
      pushX(a);
      pushX(b);
      byte(W_I64_LT_U);
      byte(W_I64_EXTEND_U);
      break;
    case OP_SLTI:
      pushX(a);
      i64c(immediate);
      byte(W_I64_LT_S);
      byte(W_I64_EXTEND_U);
      break;
    case OP_SLTIU:
      pushX(a);
      i64c(immediate);
      byte(W_I64_LT_U);
      byte(W_I64_EXTEND_U);
      break;
    case OP_ADDW:
      pushW(a);
      pushW(b);
      byte(W_I32_ADD);
      byte(W_I64_EXTEND_S);
      break;
    case OP_SUBW:
      pushW(a);
      pushW(b);
      byte(W_I32_SUB);
      byte(W_I64_EXTEND_S);
      break;
    case OP_SLLW:
      pushW(a);
      pushW(b);
      byte(W_I32_SHL);
      byte(W_I64_EXTEND_S);
      break;
    case OP_SRLW:
      pushW(a);
      pushW(b);
      byte(W_I32_SHR_U);
      byte(W_I64_EXTEND_S);
      break;
    case OP_SRAW:
      pushW(a);
      pushW(b);
      byte(W_I32_SHR_S);
      byte(W_I64_EXTEND_S);
      break;
    case OP_MULW:
      pushW(a);
      pushW(b);
      byte(W_I32_MUL);
      byte(W_I64_EXTEND_S);
      break;
    case OP_ROLW:
      pushW(a);
      pushW(b);
      byte(W_I32_ROTL);
      byte(W_I64_EXTEND_S);
      break;
    case OP_RORW:
      pushW(a);
      pushW(b);
      byte(W_I32_ROTR);
      byte(W_I64_EXTEND_S);
      break;
    case OP_ADDIW:
      pushW(a);
      if (immediate) {
        i32c(immediate);
        byte(W_I32_ADD);
      }
      byte(W_I64_EXTEND_S);
      break;
    case OP_SLLIW:
      pushW(a);
      i32c(immediate);
      byte(W_I32_SHL);
      byte(W_I64_EXTEND_S);
      break;
    case OP_SRLIW:
      pushW(a);
      i32c(immediate);
      byte(W_I32_SHR_U);
      byte(W_I64_EXTEND_S);
      break;
    case OP_SRAIW:
      pushW(a);
      i32c(immediate);
      byte(W_I32_SHR_S);
      byte(W_I64_EXTEND_S);
      break;
    case OP_RORIW:
      pushW(a);
      i32c(immediate);
      byte(W_I32_ROTR);
      byte(W_I64_EXTEND_S);
      break;
    case OP_LUI:
      i64c(immediate);
      break;
    case OP_AUIPC:
      get(L_PAGE);
      i64c(offset + immediate);
      byte(W_I64_ADD);
      break;
    case OP_MULH:
      pushX(a);
      pushX(b);
      call(CALL_MULH);
      break;
    case OP_MULHU:
      pushX(a);
      pushX(b);
      call(CALL_MULHU);
      break;
    case OP_MULHSU:
      pushX(a);
      pushX(b);
      call(CALL_MULHSU);
      break;
    case OP_DIV:
      emitDivision(a, b, false, W_I64_DIV_S, CALL_DIV);
      break;
    case OP_DIVU:
      emitDivision(a, b, false, W_I64_DIV_U, CALL_DIVU);
      break;
    case OP_REM:
      emitDivision(a, b, false, W_I64_REM_S, CALL_REM);
      break;
    case OP_REMU:
      emitDivision(a, b, false, W_I64_REM_U, CALL_REMU);
      break;
    case OP_DIVW:
      emitDivision(a, b, true, W_I32_DIV_S, CALL_DIVW);
      byte(W_I64_EXTEND_S);
      break;
    case OP_DIVUW:
      emitDivision(a, b, true, W_I32_DIV_U, CALL_DIVUW);
      byte(W_I64_EXTEND_S);
      break;
    case OP_REMW:
      emitDivision(a, b, true, W_I32_REM_S, CALL_REMW);
      byte(W_I64_EXTEND_S);
      break;
    case OP_REMUW:
      emitDivision(a, b, true, W_I32_REM_U, CALL_REMUW);
      byte(W_I64_EXTEND_S);
      break;
    case OP_ADD_UW:
      pushW(a);
      byte(W_I64_EXTEND_U);
      pushX(b);
      byte(W_I64_ADD);
      break;
    case OP_SH1ADD:
      pushX(a);
      i64c(1);
      byte(W_I64_SHL);
      pushX(b);
      byte(W_I64_ADD);
      break;
    case OP_SH1ADD_UW:
      pushW(a);
      byte(W_I64_EXTEND_U);
      i64c(1);
      byte(W_I64_SHL);
      pushX(b);
      byte(W_I64_ADD);
      break;
    case OP_SH2ADD:
      pushX(a);
      i64c(2);
      byte(W_I64_SHL);
      pushX(b);
      byte(W_I64_ADD);
      break;
    case OP_SH2ADD_UW:
      pushW(a);
      byte(W_I64_EXTEND_U);
      i64c(2);
      byte(W_I64_SHL);
      pushX(b);
      byte(W_I64_ADD);
      break;
    case OP_SH3ADD:
      pushX(a);
      i64c(3);
      byte(W_I64_SHL);
      pushX(b);
      byte(W_I64_ADD);
      break;
    case OP_SH3ADD_UW:
      pushW(a);
      byte(W_I64_EXTEND_U);
      i64c(3);
      byte(W_I64_SHL);
      pushX(b);
      byte(W_I64_ADD);
      break;
    case OP_SLLI_UW:
      pushW(a);
      byte(W_I64_EXTEND_U);
      i64c(immediate);
      byte(W_I64_SHL);
      break;
    case OP_ANDN:
      pushX(a);
      pushX(b);
      i64c(-1);
      byte(W_I64_XOR);
      byte(W_I64_AND);
      break;
    case OP_ORN:
      pushX(a);
      pushX(b);
      i64c(-1);
      byte(W_I64_XOR);
      byte(W_I64_OR);
      break;
    case OP_XNOR:
      pushX(a);
      pushX(b);
      byte(W_I64_XOR);
      i64c(-1);
      byte(W_I64_XOR);
      break;
    case OP_CLZ:
      pushX(a);
      byte(W_I64_CLZ);
      break;
    case OP_CLZW:
      pushW(a);
      byte(W_I32_CLZ);
      byte(W_I64_EXTEND_U);
      break;
    case OP_CTZ:
      pushX(a);
      byte(W_I64_CTZ);
      break;
    case OP_CTZW:
      pushW(a);
      byte(W_I32_CTZ);
      byte(W_I64_EXTEND_U);
      break;
    case OP_CPOP:
      pushX(a);
      byte(W_I64_POPCNT);
      break;
    case OP_CPOPW:
      pushW(a);
      byte(W_I32_POPCNT);
      byte(W_I64_EXTEND_U);
      break;
    case OP_SEXT_B:
      pushX(a);
      byte(W_I64_EXTEND8);
      break;
    case OP_SEXT_H:
      pushX(a);
      byte(W_I64_EXTEND16);
      break;
    case OP_ZEXT_H:
      pushX(a);
      i64c(0xffff);
      byte(W_I64_AND);
      break;
    case OP_MIN:
      pushX(a);
      pushX(b);
      pushX(a);
      pushX(b);
      byte(W_I64_LT_S);
      byte(W_SELECT);
      break;
    case OP_MINU:
      pushX(a);
      pushX(b);
      pushX(a);
      pushX(b);
      byte(W_I64_LT_U);
      byte(W_SELECT);
      break;
    case OP_MAX:
      pushX(a);
      pushX(b);
      pushX(a);
      pushX(b);
      byte(W_I64_GT_S);
      byte(W_SELECT);
      break;
    case OP_MAXU:
      pushX(a);
      pushX(b);
      pushX(a);
      pushX(b);
      byte(W_I64_GT_U);
      byte(W_SELECT);
      break;
    case OP_BCLR:
      pushX(a);
      i64c(-2);
      pushX(b);
      byte(W_I64_ROTL);
      byte(W_I64_AND);
      break;
    case OP_BCLRI:
      pushX(a);
      i64c(~((<i64>1) << immediate));
      byte(W_I64_AND);
      break;
    case OP_BINV:
      pushX(a);
      i64c(1);
      pushX(b);
      byte(W_I64_SHL);
      byte(W_I64_XOR);
      break;
    case OP_BINVI:
      pushX(a);
      i64c((<i64>1) << immediate);
      byte(W_I64_XOR);
      break;
    case OP_BSET:
      pushX(a);
      i64c(1);
      pushX(b);
      byte(W_I64_SHL);
      byte(W_I64_OR);
      break;
    case OP_BSETI:
      pushX(a);
      i64c((<i64>1) << immediate);
      byte(W_I64_OR);
      break;
    case OP_BEXT:
      pushX(a);
      pushX(b);
      byte(W_I64_SHR_U);
      i64c(1);
      byte(W_I64_AND);
      break;
    case OP_BEXTI:
      pushX(a);
      i64c(immediate);
      byte(W_I64_SHR_U);
      i64c(1);
      byte(W_I64_AND);
      break;
    case OP_CZERO_EQZ:
      i64c(0);
      pushX(a);
      pushX(b);
      byte(W_I64_EQZ);
      byte(W_SELECT);
      break;
    case OP_CZERO_NEZ:
      pushX(a);
      i64c(0);
      pushX(b);
      byte(W_I64_EQZ);
      byte(W_SELECT);
      break;
    default:
      unreachable();
  }
  popX(d);
}
