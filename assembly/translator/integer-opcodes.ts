// Which Wasm instruction does the work of an integer instruction, where one does all of it; 0 where none does.
import {
  OP_ADD,
  OP_ADDI,
  OP_ADDIW,
  OP_ADDW,
  OP_AND,
  OP_ANDI,
  OP_BEQ,
  OP_BGE,
  OP_BGEU,
  OP_BLT,
  OP_BLTU,
  OP_BNE,
  OP_CLZ,
  OP_CLZW,
  OP_CPOP,
  OP_CPOPW,
  OP_CTZ,
  OP_CTZW,
  OP_MUL,
  OP_MULW,
  OP_OR,
  OP_ORI,
  OP_ROL,
  OP_ROLW,
  OP_ROR,
  OP_RORI,
  OP_RORIW,
  OP_RORW,
  OP_SLL,
  OP_SLLI,
  OP_SLLIW,
  OP_SLLW,
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
  OP_XOR,
  OP_XORI,
} from '../isa/generated/opcodes';
import {
  W_I32_ADD,
  W_I32_CLZ,
  W_I32_CTZ,
  W_I32_EQ,
  W_I32_GE_S,
  W_I32_GE_U,
  W_I32_LT_S,
  W_I32_LT_U,
  W_I32_MUL,
  W_I32_NE,
  W_I32_POPCNT,
  W_I32_ROTL,
  W_I32_ROTR,
  W_I32_SHL,
  W_I32_SHR_S,
  W_I32_SHR_U,
  W_I32_SUB,
  W_I64_ADD,
  W_I64_AND,
  W_I64_CLZ,
  W_I64_CTZ,
  W_I64_EQ,
  W_I64_GE_S,
  W_I64_GE_U,
  W_I64_LT_S,
  W_I64_LT_U,
  W_I64_MUL,
  W_I64_NE,
  W_I64_OR,
  W_I64_POPCNT,
  W_I64_ROTL,
  W_I64_ROTR,
  W_I64_SHL,
  W_I64_SHR_S,
  W_I64_SHR_U,
  W_I64_SUB,
  W_I64_XOR,
} from './wasm-writer';

/** rd = rs1 op rs2, all 64 bits. */
export function registerOpcode(op: u32): u8 {
  switch (op) {
    case OP_ADD:
      return W_I64_ADD;
    case OP_SUB:
      return W_I64_SUB;
    case OP_XOR:
      return W_I64_XOR;
    case OP_OR:
      return W_I64_OR;
    case OP_AND:
      return W_I64_AND;
    case OP_SLL:
      return W_I64_SHL;
    case OP_SRL:
      return W_I64_SHR_U;
    case OP_SRA:
      return W_I64_SHR_S;
    case OP_MUL:
      return W_I64_MUL;
    case OP_ROL:
      return W_I64_ROTL;
    case OP_ROR:
      return W_I64_ROTR;
  }
  return 0;
}

/** rd = rs1 op immediate, all 64 bits. */
export function immediateOpcode(op: u32): u8 {
  switch (op) {
    case OP_ADDI:
      return W_I64_ADD;
    case OP_XORI:
      return W_I64_XOR;
    case OP_ORI:
      return W_I64_OR;
    case OP_ANDI:
      return W_I64_AND;
    case OP_SLLI:
      return W_I64_SHL;
    case OP_SRLI:
      return W_I64_SHR_U;
    case OP_SRAI:
      return W_I64_SHR_S;
    case OP_RORI:
      return W_I64_ROTR;
  }
  return 0;
}

/** rd = the low word of rs1 op that of rs2, sign-extended. */
export function wordOpcode(op: u32): u8 {
  switch (op) {
    case OP_ADDW:
      return W_I32_ADD;
    case OP_SUBW:
      return W_I32_SUB;
    case OP_SLLW:
      return W_I32_SHL;
    case OP_SRLW:
      return W_I32_SHR_U;
    case OP_SRAW:
      return W_I32_SHR_S;
    case OP_MULW:
      return W_I32_MUL;
    case OP_ROLW:
      return W_I32_ROTL;
    case OP_RORW:
      return W_I32_ROTR;
  }
  return 0;
}

/** rd = the low word of rs1 op immediate, sign-extended. */
export function wordImmediateOpcode(op: u32): u8 {
  switch (op) {
    case OP_ADDIW:
      return W_I32_ADD;
    case OP_SLLIW:
      return W_I32_SHL;
    case OP_SRLIW:
      return W_I32_SHR_U;
    case OP_SRAIW:
      return W_I32_SHR_S;
    case OP_RORIW:
      return W_I32_ROTR;
  }
  return 0;
}

/** rd = op rs1, all 64 bits. */
export function unaryOpcode(op: u32): u8 {
  switch (op) {
    case OP_CLZ:
      return W_I64_CLZ;
    case OP_CTZ:
      return W_I64_CTZ;
    case OP_CPOP:
      return W_I64_POPCNT;
  }
  return 0;
}

/** rd = op the low word of rs1, which is never negative. */
export function wordUnaryOpcode(op: u32): u8 {
  switch (op) {
    case OP_CLZW:
      return W_I32_CLZ;
    case OP_CTZW:
      return W_I32_CTZ;
    case OP_CPOPW:
      return W_I32_POPCNT;
  }
  return 0;
}

/** Whether rs1 and rs2 make a branch taken. */
export function branchOpcode(op: u32): u8 {
  switch (op) {
    case OP_BEQ:
      return W_I64_EQ;
    case OP_BNE:
      return W_I64_NE;
    case OP_BLT:
      return W_I64_LT_S;
    case OP_BGE:
      return W_I64_GE_S;
    case OP_BLTU:
      return W_I64_LT_U;
    case OP_BGEU:
      return W_I64_GE_U;
  }
  return 0;
}

/** The same where both hold words: sign extension keeps the unsigned order too. */
export function wordBranchOpcode(op: u32): u8 {
  switch (op) {
    case OP_BEQ:
      return W_I32_EQ;
    case OP_BNE:
      return W_I32_NE;
    case OP_BLT:
      return W_I32_LT_S;
    case OP_BGE:
      return W_I32_GE_S;
    case OP_BLTU:
      return W_I32_LT_U;
    case OP_BGEU:
      return W_I32_GE_U;
  }
  return 0;
}
