// Single precision in the usual version, as in emit-float-doubles.ts, and conversions between the two. A register holds
// a single when its upper half is all ones.
import {
  OP_FADD_S,
  OP_FCVT_D_S,
  OP_FCVT_S_D,
  OP_FDIV_S,
  OP_FEQ_S,
  OP_FLE_S,
  OP_FLT_S,
  OP_FMUL_S,
  OP_FMV_W_X,
  OP_FMV_X_W,
  OP_FSGNJN_S,
  OP_FSGNJX_S,
  OP_FSGNJ_S,
  OP_FSUB_S,
} from '../isa/generated/opcodes';
import { closeRare, emitLeaveIf, emitLeaveUnless, openRare } from './emit-exits';
import { pushIsZero } from './emit-float-doubles';
import { L_DOUBLE, L_SINGLE, popDouble, popF, popX, pushDouble, pushF, pushX } from './emit-registers';
import { insnRd, insnRm, insnRs1, insnRs2 } from './region';
import {
  W_F32_ADD,
  W_F32_DEMOTE,
  W_F32_DIV,
  W_F32_EQ,
  W_F32_LE,
  W_F32_LT,
  W_F32_MUL,
  W_F32_REINTERPRET,
  W_F32_SUB,
  W_F64_EQ,
  W_F64_PROMOTE,
  W_I32_AND,
  W_I32_EQ,
  W_I32_GE_U,
  W_I32_OR,
  W_I32_REINTERPRET_F32,
  W_I32_SHL,
  W_I32_SHR_U,
  W_I32_SUB,
  W_I32_WRAP,
  W_I64_AND,
  W_I64_EXTEND32,
  W_I64_EXTEND_U,
  W_I64_NE,
  W_I64_OR,
  W_I64_SHR_S,
  W_I64_XOR,
  byte,
  f32c,
  get,
  i32c,
  i64c,
  set,
  tee,
} from './wasm-writer';

const BOX: i64 = <i64>0xffffffff00000000;

/** Leaves unless both registers hold singles. */
function leaveUnlessSingles(a: u32, b: u32): void {
  pushF(a);
  if (a != b) {
    pushF(b);
    byte(W_I64_AND);
  }
  i64c(32);
  byte(W_I64_SHR_S);
  i64c(-1);
  byte(W_I64_NE);
  emitLeaveIf();
}
function pushSingle(register: u32): void {
  pushF(register);
  byte(W_I32_WRAP);
  byte(W_F32_REINTERPRET);
}
/** Pops the single in L_SINGLE into a register. */
function popSingle(register: u32): void {
  get(L_SINGLE);
  byte(W_I32_REINTERPRET_F32);
  byte(W_I64_EXTEND_U);
  i64c(BOX);
  byte(W_I64_OR);
  popF(register);
}
/** Pushes the exponent field of the single in L_SINGLE. */
function pushSingleExponent(): void {
  get(L_SINGLE);
  byte(W_I32_REINTERPRET_F32);
  i32c(1);
  byte(W_I32_SHL);
  i32c(24);
  byte(W_I32_SHR_U);
}
function pushStrangeSingle(): void {
  pushSingleExponent();
  i32c(2);
  byte(W_I32_SUB);
  i32c(253);
  byte(W_I32_GE_U);
}
function pushSingleZero(register: u32): void {
  pushSingle(register);
  f32c(0);
  byte(W_F32_EQ);
}

/** L_SINGLE = a op b, where both registers hold singles. */
function emitSingleArithmetic(a: u32, b: u32, op: u8): void {
  leaveUnlessSingles(a, b);
  pushSingle(a);
  pushSingle(b);
  byte(op);
  set(L_SINGLE);
}
function emitSingleSum(i: i32, op: u8): void {
  emitSingleArithmetic(unchecked(insnRs1[i]), unchecked(insnRs2[i]), op);
  pushSingleExponent();
  i32c(0xff);
  byte(W_I32_EQ);
  emitLeaveIf();
  popSingle(unchecked(insnRd[i]));
}
function emitSingleProduct(i: i32, op: u8): void {
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  emitSingleArithmetic(a, b, op);
  pushStrangeSingle();
  openRare();
  pushSingleZero(a);
  if (op == W_F32_MUL) {
    pushSingleZero(b);
    byte(W_I32_OR);
  }
  get(L_SINGLE);
  f32c(0);
  byte(W_F32_EQ);
  byte(W_I32_AND);
  emitLeaveUnless();
  closeRare();
  popSingle(unchecked(insnRd[i]));
}
function emitSingleCompare(i: i32, op: u8): void {
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  leaveUnlessSingles(a, b);
  pushSingle(a);
  pushSingle(a);
  byte(W_F32_EQ);
  pushSingle(b);
  pushSingle(b);
  byte(W_F32_EQ);
  byte(W_I32_AND);
  emitLeaveUnless();
  const d: u32 = unchecked(insnRd[i]);
  if (!d) return;
  pushSingle(a);
  pushSingle(b);
  byte(op);
  byte(W_I64_EXTEND_U);
  popX(d);
}
/** fsgnj.s and its kin: bits of singles. */
function emitSingleSign(op: u32, i: i32): void {
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  leaveUnlessSingles(a, b);
  if (op == OP_FSGNJ_S && a == b) {
    pushDouble(a);
    popDouble(unchecked(insnRd[i]));
    return;
  }
  pushF(a);
  if (op != OP_FSGNJX_S) {
    i64c(~(<i64>0x80000000));
    byte(W_I64_AND);
  }
  pushF(b);
  if (op == OP_FSGNJN_S) {
    i64c(-1);
    byte(W_I64_XOR);
  }
  i64c(0x80000000);
  byte(W_I64_AND);
  byte(op == OP_FSGNJX_S ? W_I64_XOR : W_I64_OR);
  popF(unchecked(insnRd[i]));
}
function emitDemote(i: i32): void {
  pushDouble(unchecked(insnRs1[i]));
  byte(W_F32_DEMOTE);
  set(L_SINGLE);
  pushStrangeSingle();
  openRare();
  pushIsZero(unchecked(insnRs1[i]));
  emitLeaveUnless();
  closeRare();
  popSingle(unchecked(insnRd[i]));
}
function emitPromote(i: i32): void {
  const a: u32 = unchecked(insnRs1[i]);
  leaveUnlessSingles(a, a);
  pushSingle(a);
  byte(W_F64_PROMOTE);
  tee(L_DOUBLE);
  get(L_DOUBLE);
  byte(W_F64_EQ);
  emitLeaveUnless();
  get(L_DOUBLE);
  popDouble(unchecked(insnRd[i]));
}

/** The same as emitDoubleUsual, for instructions with singles. */
export function emitSingleUsual(op: u32, i: i32): bool {
  switch (op) {
    case OP_FEQ_S:
      emitSingleCompare(i, W_F32_EQ);
      return true;
    case OP_FLT_S:
      emitSingleCompare(i, W_F32_LT);
      return true;
    case OP_FLE_S:
      emitSingleCompare(i, W_F32_LE);
      return true;
    case OP_FSGNJ_S:
    case OP_FSGNJN_S:
    case OP_FSGNJX_S:
      emitSingleSign(op, i);
      return true;
    case OP_FCVT_D_S:
      emitPromote(i);
      return true;
    case OP_FMV_X_W:
      if (unchecked(insnRd[i])) {
        pushF(unchecked(insnRs1[i]));
        byte(W_I64_EXTEND32);
        popX(unchecked(insnRd[i]));
      }
      return true;
    case OP_FMV_W_X:
      pushX(unchecked(insnRs1[i]));
      i64c(BOX);
      byte(W_I64_OR);
      popF(unchecked(insnRd[i]));
      return true;
  }
  const mode: u32 = unchecked(insnRm[i]);
  if (mode != 0 && mode != 7) return false;
  switch (op) {
    case OP_FCVT_S_D:
      emitDemote(i);
      return true;
    case OP_FADD_S:
      emitSingleSum(i, W_F32_ADD);
      return true;
    case OP_FSUB_S:
      emitSingleSum(i, W_F32_SUB);
      return true;
    case OP_FMUL_S:
      emitSingleProduct(i, W_F32_MUL);
      return true;
    case OP_FDIV_S:
      emitSingleProduct(i, W_F32_DIV);
      return true;
  }
  return false;
}
