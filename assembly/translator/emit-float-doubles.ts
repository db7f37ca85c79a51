// Double precision where FS is dirty, rounding is to nearest and NX is set already (emit-float-state.ts): the machine's
// own instruction is exact in value and in flags as long as its result is an ordinary number. What is not leaves the
// region in front of the instruction; nothing is called, so that the host's compiler keeps registers where they are.
import {
  OP_FADD_D,
  OP_FCVT_D_L,
  OP_FCVT_D_LU,
  OP_FCVT_D_W,
  OP_FCVT_D_WU,
  OP_FCVT_LU_D,
  OP_FCVT_L_D,
  OP_FCVT_WU_D,
  OP_FCVT_W_D,
  OP_FDIV_D,
  OP_FEQ_D,
  OP_FLE_D,
  OP_FLT_D,
  OP_FMADD_D,
  OP_FMAX_D,
  OP_FMIN_D,
  OP_FMSUB_D,
  OP_FMUL_D,
  OP_FNMADD_D,
  OP_FNMSUB_D,
  OP_FSQRT_D,
  OP_FSUB_D,
} from '../isa/generated/opcodes';
import { closeRare, emitLeaveIf, emitLeaveUnless, openRare } from './emit-exits';
import { emitFused, hasFused } from './emit-float';
import { L_DOUBLE, popDouble, popX, pushDouble, pushX } from './emit-registers';
import { insnRd, insnRm, insnRs1, insnRs2 } from './region';
import {
  W_F64_ABS,
  W_F64_ADD,
  W_F64_CEIL,
  W_F64_CONVERT_I32_S,
  W_F64_CONVERT_I32_U,
  W_F64_CONVERT_I64_S,
  W_F64_CONVERT_I64_U,
  W_F64_DIV,
  W_F64_EQ,
  W_F64_FLOOR,
  W_F64_GE,
  W_F64_LE,
  W_F64_LT,
  W_F64_MAX,
  W_F64_MIN,
  W_F64_MUL,
  W_F64_NEAREST,
  W_F64_SQRT,
  W_F64_SUB,
  W_F64_TRUNC,
  W_I32_AND,
  W_I32_OR,
  W_I32_TRUNC_F64_S,
  W_I32_TRUNC_F64_U,
  W_I32_WRAP,
  W_I64_EQ,
  W_I64_EXTEND_S,
  W_I64_EXTEND_U,
  W_I64_GE_U,
  W_I64_REINTERPRET,
  W_I64_SHL,
  W_I64_SHR_U,
  W_I64_SUB,
  W_I64_TRUNC_F64_S,
  W_I64_TRUNC_F64_U,
  byte,
  f64c,
  get,
  i64c,
  set,
  tee,
} from './wasm-writer';

/** Pushes the exponent field of the double in L_DOUBLE, as an i64. */
function pushExponent(): void {
  get(L_DOUBLE);
  byte(W_I64_REINTERPRET);
  i64c(1);
  byte(W_I64_SHL);
  i64c(53);
  byte(W_I64_SHR_U);
}
/** Pushes whether the sum in L_DOUBLE is infinite or a NaN: a tiny sum is exact, so that is all that raises more than NX. */
function pushStrangeSum(): void {
  pushExponent();
  i64c(0x7ff);
  byte(W_I64_EQ);
}
/** Pushes whether the product in L_DOUBLE is zero, tiny, infinite or a NaN. */
function pushStrangeProduct(): void {
  pushExponent();
  i64c(2);
  byte(W_I64_SUB);
  i64c(2045);
  byte(W_I64_GE_U);
}
/** Pushes whether a register holds a zero of either sign. */
export function pushIsZero(register: u32): void {
  pushDouble(register);
  f64c(0);
  byte(W_F64_EQ);
}
/** Pushes whether L_DOUBLE is finite. */
function pushFinite(): void {
  get(L_DOUBLE);
  get(L_DOUBLE);
  byte(W_F64_SUB);
  f64c(0);
  byte(W_F64_EQ);
}

function emitSum(i: i32, op: u8): void {
  pushDouble(unchecked(insnRs1[i]));
  pushDouble(unchecked(insnRs2[i]));
  byte(op);
  set(L_DOUBLE);
  pushStrangeSum();
  emitLeaveIf();
  get(L_DOUBLE);
  popDouble(unchecked(insnRd[i]));
}

/** Product or quotient; zeroes come from zeroes most of the time, and are exact then. */
function emitProduct(i: i32, op: u8): void {
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  pushDouble(a);
  pushDouble(b);
  byte(op);
  set(L_DOUBLE);
  pushStrangeProduct();
  openRare();
  pushIsZero(a);
  if (op == W_F64_MUL) {
    pushIsZero(b);
    byte(W_I32_OR);
  }
  get(L_DOUBLE);
  f64c(0);
  byte(W_F64_EQ);
  byte(W_I32_AND);
  emitLeaveUnless();
  closeRare();
  get(L_DOUBLE);
  popDouble(unchecked(insnRd[i]));
}

/** Multiply-add by the host's fused one. Zero times what is finite adds nothing, exactly. */
function emitFusedUsual(i: i32, negateProduct: bool, negateAddend: bool): void {
  emitFused(i, negateProduct, negateAddend);
  set(L_DOUBLE);
  pushStrangeProduct();
  openRare();
  pushIsZero(unchecked(insnRs1[i]));
  pushIsZero(unchecked(insnRs2[i]));
  byte(W_I32_OR);
  pushFinite();
  byte(W_I32_AND);
  emitLeaveUnless();
  closeRare();
  get(L_DOUBLE);
  popDouble(unchecked(insnRd[i]));
}

/** Leaves where an operand is a NaN. */
function leaveNan(a: u32, b: u32): void {
  pushDouble(a);
  pushDouble(a);
  byte(W_F64_EQ);
  if (a != b) {
    pushDouble(b);
    pushDouble(b);
    byte(W_F64_EQ);
    byte(W_I32_AND);
  }
  emitLeaveUnless();
}

function emitCompareUsual(i: i32, op: u8): void {
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  leaveNan(a, b);
  const d: u32 = unchecked(insnRd[i]);
  if (!d) return;
  pushDouble(a);
  pushDouble(b);
  byte(op);
  byte(W_I64_EXTEND_U);
  popX(d);
}

/** Minimum or maximum of two numbers: Wasm orders zeroes as the F extension does. */
function emitExtreme(i: i32, op: u8): void {
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  leaveNan(a, b);
  pushDouble(a);
  pushDouble(b);
  byte(op);
  popDouble(unchecked(insnRd[i]));
}

function emitRoot(i: i32): void {
  pushDouble(unchecked(insnRs1[i]));
  byte(W_F64_SQRT);
  tee(L_DOUBLE);
  get(L_DOUBLE);
  byte(W_F64_EQ);
  emitLeaveUnless();
  get(L_DOUBLE);
  popDouble(unchecked(insnRd[i]));
}

/** From an integer register; `wrap`: its low word counts. The result is exact or only inexact. */
function emitFromInteger(i: i32, wrap: bool, op: u8): void {
  pushX(unchecked(insnRs1[i]));
  if (wrap) byte(W_I32_WRAP);
  byte(op);
  popDouble(unchecked(insnRd[i]));
}

/** To an integer, where it fits; the number is rounded first as the instruction says. */
function emitToInteger(op: u32, i: i32): void {
  const mode: u32 = unchecked(insnRm[i]);
  pushDouble(unchecked(insnRs1[i]));
  if (mode == 0 || mode == 7) byte(W_F64_NEAREST);
  else if (mode == 2) byte(W_F64_FLOOR);
  else if (mode == 3) byte(W_F64_CEIL);
  else byte(W_F64_TRUNC);
  set(L_DOUBLE);
  const signed = op == OP_FCVT_W_D || op == OP_FCVT_L_D;
  const long = op == OP_FCVT_L_D || op == OP_FCVT_LU_D;
  get(L_DOUBLE);
  if (signed) byte(W_F64_ABS);
  f64c(signed ? (long ? 9223372036854775808.0 : 2147483648.0) : long ? 18446744073709551616.0 : 4294967296.0);
  byte(W_F64_LT);
  if (!signed) {
    get(L_DOUBLE);
    f64c(0);
    byte(W_F64_GE);
    byte(W_I32_AND);
  }
  emitLeaveUnless();
  const d: u32 = unchecked(insnRd[i]);
  if (!d) return;
  get(L_DOUBLE);
  if (long) byte(signed ? W_I64_TRUNC_F64_S : W_I64_TRUNC_F64_U);
  else {
    byte(signed ? W_I32_TRUNC_F64_S : W_I32_TRUNC_F64_U);
    byte(W_I64_EXTEND_S);
  }
  popX(d);
}

/**
 * Emits floating-point instruction `op` in the usual version; false when it has no short form among doubles, and the
 * interpreter's function must be called.
 */
export function emitDoubleUsual(op: u32, i: i32): bool {
  const mode: u32 = unchecked(insnRm[i]);
  switch (op) {
    case OP_FEQ_D:
      emitCompareUsual(i, W_F64_EQ);
      return true;
    case OP_FLT_D:
      emitCompareUsual(i, W_F64_LT);
      return true;
    case OP_FLE_D:
      emitCompareUsual(i, W_F64_LE);
      return true;
    case OP_FMIN_D:
      emitExtreme(i, W_F64_MIN);
      return true;
    case OP_FMAX_D:
      emitExtreme(i, W_F64_MAX);
      return true;
    case OP_FCVT_D_W:
      emitFromInteger(i, true, W_F64_CONVERT_I32_S);
      return true;
    case OP_FCVT_D_WU:
      emitFromInteger(i, true, W_F64_CONVERT_I32_U);
      return true;
    case OP_FCVT_W_D:
    case OP_FCVT_WU_D:
    case OP_FCVT_L_D:
    case OP_FCVT_LU_D:
      if (mode == 4) return false;
      emitToInteger(op, i);
      return true;
  }
  if (mode != 0 && mode != 7) return false;
  switch (op) {
    case OP_FADD_D:
      emitSum(i, W_F64_ADD);
      return true;
    case OP_FSUB_D:
      emitSum(i, W_F64_SUB);
      return true;
    case OP_FMUL_D:
      emitProduct(i, W_F64_MUL);
      return true;
    case OP_FDIV_D:
      emitProduct(i, W_F64_DIV);
      return true;
    case OP_FSQRT_D:
      emitRoot(i);
      return true;
    case OP_FCVT_D_L:
      emitFromInteger(i, false, W_F64_CONVERT_I64_S);
      return true;
    case OP_FCVT_D_LU:
      emitFromInteger(i, false, W_F64_CONVERT_I64_U);
      return true;
  }
  if (!hasFused()) return false;
  switch (op) {
    case OP_FMADD_D:
      emitFusedUsual(i, false, false);
      return true;
    case OP_FMSUB_D:
      emitFusedUsual(i, false, true);
      return true;
    case OP_FNMSUB_D:
      emitFusedUsual(i, true, false);
      return true;
    case OP_FNMADD_D:
      emitFusedUsual(i, true, true);
      return true;
  }
  return false;
}
