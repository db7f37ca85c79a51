// Double-precision arithmetic on registers in locals of type f64 (moves keep every bit of a NaN). Where NX is set already and rounding is
// to nearest (L_FLOAT = 2), the machine's own instruction is exact in value and in flags as long as its result is an
// ordinary number; everything else goes through the core's functions.
import { formatOf, operandFlags } from '../isa/generated/decoder';
import {
  FLAG_RD_F,
  FLAG_RS1_F,
  FLAG_RS2_F,
  FMT_R4,
  OP_FADD_D,
  OP_FCVT_D_W,
  OP_FDIV_D,
  OP_FEQ_D,
  OP_FLE_D,
  OP_FLT_D,
  OP_FMADD_D,
  OP_FMSUB_D,
  OP_FMUL_D,
  OP_FMV_D_X,
  OP_FMV_X_D,
  OP_FNMADD_D,
  OP_FNMSUB_D,
  OP_FSGNJN_D,
  OP_FSGNJX_D,
  OP_FSGNJ_D,
  OP_FSUB_D,
} from '../isa/generated/opcodes';
import { FEATURES, FEATURE_FUSED, FRM, HART_BASE } from '../layout';
import { emitLeaveCode, emitLeaveIf } from './emit-exits';
import { emitDoubleUsual } from './emit-float-doubles';
import { emitSingleUsual } from './emit-float-singles';
import { isUsual } from './emit-float-state';
import {
  L_BASE,
  L_DOUBLE,
  L_FLOAT,
  L_PAGE,
  popDouble,
  popF,
  popX,
  pushDouble,
  pushF,
  pushX,
  reloadF,
  reloadX,
  spillF,
  spillX,
} from './emit-registers';
import {
  CALL_F64_ADD,
  CALL_F64_DIV,
  CALL_F64_EQ,
  CALL_F64_FMA,
  CALL_F64_LE,
  CALL_F64_LT,
  CALL_F64_MUL,
  CALL_F64_SUB,
  CALL_FLOAT,
  call,
} from './imports';
import { insnRd, insnRm, insnRs1, insnRs2, insnRs3 } from './region';
import {
  T_F64,
  T_I32,
  T_VOID,
  W_BLOCK,
  W_BR_IF,
  W_DROP,
  W_ELSE,
  W_END,
  W_F64X2_EXTRACT_LANE,
  W_F64X2_RELAXED_MADD,
  W_F64X2_RELAXED_NMADD,
  W_F64X2_SPLAT,
  W_F64_ADD,
  W_F64_CONVERT_I32_S,
  W_F64_COPYSIGN,
  W_F64_DIV,
  W_F64_EQ,
  W_F64_LE,
  W_F64_LT,
  W_F64_MUL,
  W_F64_NEG,
  W_F64_REINTERPRET,
  W_F64_SUB,
  W_I32_ADD,
  W_I32_AND,
  W_I32_EQZ,
  W_I32_LOAD,
  W_I32_LT_U,
  W_I32_NE,
  W_I32_SUB,
  W_I32_WRAP,
  W_I64_ADD,
  W_I64_AND,
  W_I64_EXTEND_U,
  W_I64_REINTERPRET,
  W_I64_SHR_U,
  W_I64_XOR,
  W_IF,
  W_SIMD,
  access,
  byte,
  get,
  i32c,
  i64c,
  tee,
  u,
} from './wasm-writer';

const SIGN: i64 = <i64>0x8000000000000000;

function pushMode(i: i32): void {
  if (unchecked(insnRm[i]) == 7) {
    i32c(0);
    access(W_I32_LOAD, 2, HART_BASE + FRM);
  } else i32c(0);
}

/**
 * Whether the double on the stack is a result that raises nothing but NX, by its exponent field: as isOrdinary64 of
 * float/f64.ts. A tiny sum is exact, so sums need only be finite.
 */
function emitOrdinary(sum: bool): void {
  byte(W_I64_REINTERPRET);
  i64c(52);
  byte(W_I64_SHR_U);
  byte(W_I32_WRAP);
  i32c(0x7ff);
  byte(W_I32_AND);
  if (sum) {
    i32c(0x7ff);
    byte(W_I32_NE);
    return;
  }
  i32c(2);
  byte(W_I32_SUB);
  i32c(2045);
  byte(W_I32_LT_U);
}

/**
 * Opens two blocks: the inner one for the machine's own arithmetic where L_FLOAT allows it, the outer one for the
 * result, whichever way it came about.
 */
function openOwn(): void {
  byte(W_BLOCK);
  byte(T_F64);
  byte(W_BLOCK);
  byte(T_VOID);
  get(L_FLOAT);
  i32c(2);
  byte(W_I32_NE);
  byte(W_BR_IF);
  u(0);
}
/** Goes to the end of the outer block with an ordinary result (emitOrdinary); ends the inner one. */
function closeOwn(sum: bool): void {
  tee(L_DOUBLE);
  get(L_DOUBLE);
  emitOrdinary(sum);
  byte(W_BR_IF);
  u(1);
  byte(W_DROP);
  byte(W_END);
}

/** Two-operand arithmetic: the machine's instruction `op`, or the core's function. */
function emitArithmetic(i: i32, op: u8, slow: u32): void {
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  openOwn();
  pushDouble(a);
  pushDouble(b);
  byte(op);
  closeOwn(op == W_F64_ADD || op == W_F64_SUB);
  pushF(a);
  pushF(b);
  pushMode(i);
  call(slow);
  byte(W_F64_REINTERPRET);
  byte(W_END);
  popDouble(unchecked(insnRd[i]));
}

/** The three operands as vectors, a fused multiply-add of them, and its first lane. */
export function emitFused(i: i32, negateProduct: bool, negateAddend: bool): void {
  pushDouble(unchecked(insnRs1[i]));
  splat();
  pushDouble(unchecked(insnRs2[i]));
  splat();
  pushDouble(unchecked(insnRs3[i]));
  if (negateAddend) byte(W_F64_NEG);
  splat();
  byte(W_SIMD);
  u(negateProduct ? W_F64X2_RELAXED_NMADD : W_F64X2_RELAXED_MADD);
  byte(W_SIMD);
  u(W_F64X2_EXTRACT_LANE);
  byte(0);
}
function splat(): void {
  byte(W_SIMD);
  u(W_F64X2_SPLAT);
}

/** Multiply-add: the host's own where it rounds once, else the core's function. */
function emitFma(i: i32, negateProduct: bool, negateAddend: bool): void {
  const fused = hasFused();
  if (fused) {
    openOwn();
    emitFused(i, negateProduct, negateAddend);
    closeOwn(false);
  }
  pushF(unchecked(insnRs1[i]));
  if (negateProduct) {
    i64c(SIGN);
    byte(W_I64_XOR);
  }
  pushF(unchecked(insnRs2[i]));
  pushF(unchecked(insnRs3[i]));
  if (negateAddend) {
    i64c(SIGN);
    byte(W_I64_XOR);
  }
  pushMode(i);
  call(CALL_F64_FMA);
  byte(W_F64_REINTERPRET);
  if (fused) byte(W_END);
  popDouble(unchecked(insnRd[i]));
}

/** Comparison: the machine's own where neither operand is a NaN, which is all that could raise a flag. */
function emitCompare(i: i32, op: u8, slow: u32): void {
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  pushDouble(a);
  pushDouble(a);
  byte(W_F64_EQ);
  pushDouble(b);
  pushDouble(b);
  byte(W_F64_EQ);
  byte(W_I32_AND);
  byte(W_IF);
  byte(T_I32);
  pushDouble(a);
  pushDouble(b);
  byte(op);
  byte(W_ELSE);
  pushF(a);
  pushF(b);
  call(slow);
  byte(W_END);
  byte(W_I64_EXTEND_U);
  const d: u32 = unchecked(insnRd[i]);
  if (d) popX(d);
  else byte(W_DROP);
}

function emitSign(op: u32, i: i32): void {
  const a: u32 = unchecked(insnRs1[i]);
  const b: u32 = unchecked(insnRs2[i]);
  const d: u32 = unchecked(insnRd[i]);
  if (op == OP_FSGNJX_D) {
    pushF(b);
    i64c(SIGN);
    byte(W_I64_AND);
    pushF(a);
    byte(W_I64_XOR);
    popF(d);
    return;
  }
  pushDouble(a);
  if (a != b || op == OP_FSGNJN_D) {
    pushDouble(b);
    if (op == OP_FSGNJN_D) byte(W_F64_NEG);
    byte(W_F64_COPYSIGN);
  }
  popDouble(d);
}

/** The host has a multiply-add that rounds once. */
export function hasFused(): bool {
  return (load<u32>(HART_BASE + FEATURES) & FEATURE_FUSED) != 0;
}

/** Any floating-point instruction, by the interpreter's own function on the decoded entry. */
function emitGeneral(op: u32, i: i32, offset: i32): void {
  const flags = operandFlags(op);
  const format = formatOf(op);
  if (flags & FLAG_RS1_F) spillF(unchecked(insnRs1[i]));
  else spillX(unchecked(insnRs1[i]));
  if (flags & FLAG_RS2_F) spillF(unchecked(insnRs2[i]));
  if (format == FMT_R4) spillF(unchecked(insnRs3[i]));
  i32c(op);
  get(L_BASE);
  i32c(offset << 3);
  byte(W_I32_ADD);
  get(L_PAGE);
  i64c(offset);
  byte(W_I64_ADD);
  call(CALL_FLOAT);
  byte(W_DROP);
  if (flags & FLAG_RD_F) reloadF(unchecked(insnRd[i]));
  else reloadX(unchecked(insnRd[i]));
}

/** Emits floating-point instruction `i` at `offset`, with `done` instructions of its block before it. */
export function emitFloat(op: u32, i: i32, offset: i32, done: i32): void {
  emitLeaveCode(offset, done);
  if (isUsual()) {
    if (emitDoubleUsual(op, i) || emitSingleUsual(op, i)) return;
  } else {
    get(L_FLOAT);
    byte(W_I32_EQZ);
    emitLeaveIf();
  }
  const d: u32 = unchecked(insnRd[i]);
  const mode: u32 = unchecked(insnRm[i]);
  if (op >= <u32>OP_FMADD_D && op <= <u32>OP_FDIV_D && mode != 0 && mode != 7) {
    emitGeneral(op, i, offset);
    return;
  }
  switch (op) {
    case OP_FADD_D:
      emitArithmetic(i, W_F64_ADD, CALL_F64_ADD);
      break;
    case OP_FSUB_D:
      emitArithmetic(i, W_F64_SUB, CALL_F64_SUB);
      break;
    case OP_FMUL_D:
      emitArithmetic(i, W_F64_MUL, CALL_F64_MUL);
      break;
    case OP_FDIV_D:
      emitArithmetic(i, W_F64_DIV, CALL_F64_DIV);
      break;
    case OP_FMADD_D:
      emitFma(i, false, false);
      break;
    case OP_FMSUB_D:
      emitFma(i, false, true);
      break;
    case OP_FNMSUB_D:
      emitFma(i, true, false);
      break;
    case OP_FNMADD_D:
      emitFma(i, true, true);
      break;
    case OP_FSGNJ_D:
    case OP_FSGNJN_D:
    case OP_FSGNJX_D:
      emitSign(op, i);
      break;
    case OP_FMV_X_D:
      if (d) {
        pushF(unchecked(insnRs1[i]));
        popX(d);
      }
      break;
    case OP_FMV_D_X:
      pushX(unchecked(insnRs1[i]));
      popF(d);
      break;
    case OP_FEQ_D:
      emitCompare(i, W_F64_EQ, CALL_F64_EQ);
      break;
    case OP_FLT_D:
      emitCompare(i, W_F64_LT, CALL_F64_LT);
      break;
    case OP_FLE_D:
      emitCompare(i, W_F64_LE, CALL_F64_LE);
      break;
    case OP_FCVT_D_W:
      pushX(unchecked(insnRs1[i]));
      byte(W_I32_WRAP);
      byte(W_F64_CONVERT_I32_S);
      popDouble(d);
      break;
    default:
      emitGeneral(op, i, offset);
  }
}
