// Bit manipulation that takes more than one Wasm instruction: Zba, Zbb, Zbs and Zicond.
import {
  OP_ADD_UW,
  OP_ANDN,
  OP_BCLR,
  OP_BCLRI,
  OP_BEXT,
  OP_BEXTI,
  OP_BINV,
  OP_BINVI,
  OP_BSET,
  OP_BSETI,
  OP_CZERO_EQZ,
  OP_CZERO_NEZ,
  OP_MAX,
  OP_MAXU,
  OP_MIN,
  OP_MINU,
  OP_ORC_B,
  OP_ORN,
  OP_REV8,
  OP_SH1ADD,
  OP_SH1ADD_UW,
  OP_SH2ADD,
  OP_SH2ADD_UW,
  OP_SH3ADD,
  OP_SH3ADD_UW,
  OP_SLLI_UW,
  OP_XNOR,
} from '../isa/generated/opcodes';
import { L_ADDRESS, pushW, pushX } from './emit-registers';
import {
  W_I64_ADD,
  W_I64_AND,
  W_I64_EQZ,
  W_I64_EXTEND_U,
  W_I64_GT_S,
  W_I64_GT_U,
  W_I64_LT_S,
  W_I64_LT_U,
  W_I64_MUL,
  W_I64_OR,
  W_I64_ROTL,
  W_I64_SHL,
  W_I64_SHR_U,
  W_I64_XOR,
  W_SELECT,
  byte,
  get,
  i64c,
  tee,
} from './wasm-writer';

/** sh1add and its kin: b + (a << shift), where `word` says that only the low word of a counts. */
function emitShiftedAdd(a: u32, b: u32, shift: i64, word: bool): void {
  if (word) {
    pushW(a);
    byte(W_I64_EXTEND_U);
  } else pushX(a);
  if (shift) {
    i64c(shift);
    byte(W_I64_SHL);
  }
  pushX(b);
  byte(W_I64_ADD);
}

/** and, or with the complement of b. */
function emitWithComplement(a: u32, b: u32, op: u8): void {
  pushX(a);
  pushX(b);
  i64c(-1);
  byte(W_I64_XOR);
  byte(op);
}

/** a where `a compare b` holds, else b. */
function emitChoice(a: u32, b: u32, compare: u8): void {
  pushX(a);
  pushX(b);
  pushX(a);
  pushX(b);
  byte(compare);
  byte(W_SELECT);
}

/** Joins a with the bit that b numbers. */
function emitWithBit(a: u32, b: u32, op: u8): void {
  pushX(a);
  i64c(1);
  pushX(b);
  byte(W_I64_SHL);
  byte(op);
}
function emitWithMask(a: u32, mask: i64, op: u8): void {
  pushX(a);
  i64c(mask);
  byte(op);
}
/** The lowest bit of what is on the stack. */
function keepBit(): void {
  i64c(1);
  byte(W_I64_AND);
}

/** rev8: neighbouring bytes change places, then pairs of them, then the halves. */
function emitReversed(a: u32): void {
  const bytes: i64 = 0x00ff00ff00ff00ff;
  const pairs: i64 = 0x0000ffff0000ffff;
  pushX(a);
  i64c(bytes);
  byte(W_I64_AND);
  i64c(8);
  byte(W_I64_SHL);
  pushX(a);
  i64c(8);
  byte(W_I64_SHR_U);
  i64c(bytes);
  byte(W_I64_AND);
  byte(W_I64_OR);
  tee(L_ADDRESS);
  i64c(pairs);
  byte(W_I64_AND);
  i64c(16);
  byte(W_I64_SHL);
  get(L_ADDRESS);
  i64c(16);
  byte(W_I64_SHR_U);
  i64c(pairs);
  byte(W_I64_AND);
  byte(W_I64_OR);
  i64c(32);
  byte(W_I64_ROTL);
}

/** orc.b: all ones in each byte that is not zero. The top bit of each is found first, without a carry between bytes. */
function emitOrOfBytes(a: u32): void {
  const low: i64 = 0x7f7f7f7f7f7f7f7f;
  pushX(a);
  i64c(low);
  byte(W_I64_AND);
  i64c(low);
  byte(W_I64_ADD);
  pushX(a);
  byte(W_I64_OR);
  i64c(~low);
  byte(W_I64_AND);
  i64c(7);
  byte(W_I64_SHR_U);
  i64c(255);
  byte(W_I64_MUL);
}

/** Pushes the result of `op` on registers a and b; false, and nothing emitted, when it is none of these. */
export function emitBits(op: u32, a: u32, b: u32, immediate: i64): bool {
  switch (op) {
    case OP_ADD_UW:
      emitShiftedAdd(a, b, 0, true);
      return true;
    case OP_SH1ADD:
      emitShiftedAdd(a, b, 1, false);
      return true;
    case OP_SH1ADD_UW:
      emitShiftedAdd(a, b, 1, true);
      return true;
    case OP_SH2ADD:
      emitShiftedAdd(a, b, 2, false);
      return true;
    case OP_SH2ADD_UW:
      emitShiftedAdd(a, b, 2, true);
      return true;
    case OP_SH3ADD:
      emitShiftedAdd(a, b, 3, false);
      return true;
    case OP_SH3ADD_UW:
      emitShiftedAdd(a, b, 3, true);
      return true;
    case OP_SLLI_UW:
      pushW(a);
      byte(W_I64_EXTEND_U);
      i64c(immediate);
      byte(W_I64_SHL);
      return true;
    case OP_ANDN:
      emitWithComplement(a, b, W_I64_AND);
      return true;
    case OP_ORN:
      emitWithComplement(a, b, W_I64_OR);
      return true;
    case OP_REV8:
      emitReversed(a);
      return true;
    case OP_ORC_B:
      emitOrOfBytes(a);
      return true;
    case OP_XNOR:
      pushX(a);
      pushX(b);
      byte(W_I64_XOR);
      i64c(-1);
      byte(W_I64_XOR);
      return true;
    case OP_MIN:
      emitChoice(a, b, W_I64_LT_S);
      return true;
    case OP_MINU:
      emitChoice(a, b, W_I64_LT_U);
      return true;
    case OP_MAX:
      emitChoice(a, b, W_I64_GT_S);
      return true;
    case OP_MAXU:
      emitChoice(a, b, W_I64_GT_U);
      return true;
    case OP_BCLR:
      pushX(a);
      i64c(-2);
      pushX(b);
      byte(W_I64_ROTL);
      byte(W_I64_AND);
      return true;
    case OP_BCLRI:
      emitWithMask(a, ~((<i64>1) << immediate), W_I64_AND);
      return true;
    case OP_BINV:
      emitWithBit(a, b, W_I64_XOR);
      return true;
    case OP_BINVI:
      emitWithMask(a, (<i64>1) << immediate, W_I64_XOR);
      return true;
    case OP_BSET:
      emitWithBit(a, b, W_I64_OR);
      return true;
    case OP_BSETI:
      emitWithMask(a, (<i64>1) << immediate, W_I64_OR);
      return true;
    case OP_BEXT:
      pushX(a);
      pushX(b);
      byte(W_I64_SHR_U);
      keepBit();
      return true;
    case OP_BEXTI:
      emitWithMask(a, immediate, W_I64_SHR_U);
      keepBit();
      return true;
    case OP_CZERO_EQZ:
      i64c(0);
      pushX(a);
      pushX(b);
      byte(W_I64_EQZ);
      byte(W_SELECT);
      return true;
    case OP_CZERO_NEZ:
      pushX(a);
      i64c(0);
      pushX(b);
      byte(W_I64_EQZ);
      byte(W_SELECT);
      return true;
  }
  return false;
}
