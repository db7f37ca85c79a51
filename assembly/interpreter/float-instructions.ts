// Floating-point instructions (F, D, Zfhmin) other than loads and stores. Values and flags come from assembly/float.

import {
  f32Class,
  f32Eq,
  f32Le,
  f32Lt,
  f32Max,
  f32Min,
  f64Class,
  f64Eq,
  f64Le,
  f64Lt,
  f64Max,
  f64Min,
} from '../float/compare';
import {
  f16ToF32,
  f16ToF64,
  f32ToF16,
  f32ToF64,
  f32ToI32,
  f32ToI64,
  f32ToU32,
  f32ToU64,
  f64ToF16,
  f64ToF32,
  f64ToI32,
  f64ToI64,
  f64ToU32,
  f64ToU64,
  i32ToF32,
  i32ToF64,
  i64ToF32,
  i64ToF64,
  u32ToF32,
  u32ToF64,
  u64ToF32,
  u64ToF64,
} from '../float/convert';
import { f32Add, f32Div, f32Mul, f32Sqrt, f32Sub } from '../float/f32';
import { f64Add, f64Div, f64Mul, f64Sqrt, f64Sub } from '../float/f64';
import { f32Fma, f64Fma } from '../float/fma';
import { get32, mstatus, NEXT, set64 } from '../hart/state';
import { MSTATUS_FS } from '../hart/status';
import {
  OP_FADD_D,
  OP_FADD_S,
  OP_FCLASS_D,
  OP_FCLASS_S,
  OP_FCVT_D_H,
  OP_FCVT_D_L,
  OP_FCVT_D_LU,
  OP_FCVT_D_S,
  OP_FCVT_D_W,
  OP_FCVT_D_WU,
  OP_FCVT_H_D,
  OP_FCVT_H_S,
  OP_FCVT_L_D,
  OP_FCVT_L_S,
  OP_FCVT_LU_D,
  OP_FCVT_LU_S,
  OP_FCVT_S_D,
  OP_FCVT_S_H,
  OP_FCVT_S_L,
  OP_FCVT_S_LU,
  OP_FCVT_S_W,
  OP_FCVT_S_WU,
  OP_FCVT_W_D,
  OP_FCVT_W_S,
  OP_FCVT_WU_D,
  OP_FCVT_WU_S,
  OP_FDIV_D,
  OP_FDIV_S,
  OP_FEQ_D,
  OP_FEQ_S,
  OP_FLE_D,
  OP_FLE_S,
  OP_FLT_D,
  OP_FLT_S,
  OP_FMADD_D,
  OP_FMADD_S,
  OP_FMAX_D,
  OP_FMAX_S,
  OP_FMIN_D,
  OP_FMIN_S,
  OP_FMSUB_D,
  OP_FMSUB_S,
  OP_FMUL_D,
  OP_FMUL_S,
  OP_FMV_D_X,
  OP_FMV_H_X,
  OP_FMV_W_X,
  OP_FMV_X_D,
  OP_FMV_X_H,
  OP_FMV_X_W,
  OP_FNMADD_D,
  OP_FNMADD_S,
  OP_FNMSUB_D,
  OP_FNMSUB_S,
  OP_FSGNJ_D,
  OP_FSGNJ_S,
  OP_FSGNJN_D,
  OP_FSGNJN_S,
  OP_FSGNJX_D,
  OP_FSGNJX_S,
  OP_FSQRT_D,
  OP_FSQRT_S,
  OP_FSUB_D,
  OP_FSUB_S,
} from '../isa/generated/opcodes';
import { FRM, MSTATUS } from '../layout';
import { box, boxHalf, rmField, rs1, rs1w, rs2, rs3, setRd, setRdW, unbox, unboxHalf } from './entry';
import { illegal } from './illegal';

const SIGN32: u32 = 0x80000000;
const SIGN64: u64 = 0x8000000000000000;

/** Executes a floating-point instruction. With mstatus.FS off, or a reserved rounding mode, it is illegal. */
export function executeFloat(op: u32, ip: usize, pc: u64): i32 {
  const status = mstatus();
  if (!(status & MSTATUS_FS)) return illegal(pc);
  if (!executePlain(op, ip)) {
    let rm = rmField(ip);
    if (rm == 7) rm = get32(FRM);
    if (rm > 4) return illegal(pc);
    if (!executeRounded(op, ip, rm)) return illegal(pc);
  }
  if ((status & MSTATUS_FS) != MSTATUS_FS) set64(MSTATUS, status | MSTATUS_FS);
  return NEXT;
}

/** Instructions without a rounding mode; false if `op` is none. */
function executePlain(op: u32, ip: usize): bool {
  switch (op) {
    case OP_FSGNJ_S:
      setRd(ip, box((unbox(rs1(ip)) & ~SIGN32) | (unbox(rs2(ip)) & SIGN32)));
      return true;
    case OP_FSGNJN_S:
      setRd(ip, box((unbox(rs1(ip)) & ~SIGN32) | (~unbox(rs2(ip)) & SIGN32)));
      return true;
    case OP_FSGNJX_S:
      setRd(ip, box(unbox(rs1(ip)) ^ (unbox(rs2(ip)) & SIGN32)));
      return true;
    case OP_FMIN_S:
      setRd(ip, box(f32Min(unbox(rs1(ip)), unbox(rs2(ip)))));
      return true;
    case OP_FMAX_S:
      setRd(ip, box(f32Max(unbox(rs1(ip)), unbox(rs2(ip)))));
      return true;
    case OP_FEQ_S:
      setRd(ip, f32Eq(unbox(rs1(ip)), unbox(rs2(ip))));
      return true;
    case OP_FLT_S:
      setRd(ip, f32Lt(unbox(rs1(ip)), unbox(rs2(ip))));
      return true;
    case OP_FLE_S:
      setRd(ip, f32Le(unbox(rs1(ip)), unbox(rs2(ip))));
      return true;
    case OP_FCLASS_S:
      setRd(ip, f32Class(unbox(rs1(ip))));
      return true;
    case OP_FSGNJ_D:
      setRd(ip, (rs1(ip) & ~SIGN64) | (rs2(ip) & SIGN64));
      return true;
    case OP_FSGNJN_D:
      setRd(ip, (rs1(ip) & ~SIGN64) | (~rs2(ip) & SIGN64));
      return true;
    case OP_FSGNJX_D:
      setRd(ip, rs1(ip) ^ (rs2(ip) & SIGN64));
      return true;
    case OP_FMIN_D:
      setRd(ip, f64Min(rs1(ip), rs2(ip)));
      return true;
    case OP_FMAX_D:
      setRd(ip, f64Max(rs1(ip), rs2(ip)));
      return true;
    case OP_FEQ_D:
      setRd(ip, f64Eq(rs1(ip), rs2(ip)));
      return true;
    case OP_FLT_D:
      setRd(ip, f64Lt(rs1(ip), rs2(ip)));
      return true;
    case OP_FLE_D:
      setRd(ip, f64Le(rs1(ip), rs2(ip)));
      return true;
    case OP_FCLASS_D:
      setRd(ip, f64Class(rs1(ip)));
      return true;
    case OP_FMV_X_W:
      setRdW(ip, rs1w(ip));
      return true;
    case OP_FMV_W_X:
      setRd(ip, box(<u32>rs1(ip)));
      return true;
    case OP_FMV_X_D:
      setRd(ip, rs1(ip));
      return true;
    case OP_FMV_D_X:
      setRd(ip, rs1(ip));
      return true;
    case OP_FMV_X_H:
      setRd(ip, <u64>(<i64>(<i16>rs1(ip))));
      return true;
    case OP_FMV_H_X:
      setRd(ip, boxHalf(<u32>rs1(ip) & 0xffff));
      return true;
  }
  return false;
}

/** Instructions that round; false if `op` is none. */
function executeRounded(op: u32, ip: usize, rm: u32): bool {
  switch (op) {
    case OP_FADD_S:
      setRd(ip, box(f32Add(unbox(rs1(ip)), unbox(rs2(ip)), rm)));
      return true;
    case OP_FSUB_S:
      setRd(ip, box(f32Sub(unbox(rs1(ip)), unbox(rs2(ip)), rm)));
      return true;
    case OP_FMUL_S:
      setRd(ip, box(f32Mul(unbox(rs1(ip)), unbox(rs2(ip)), rm)));
      return true;
    case OP_FDIV_S:
      setRd(ip, box(f32Div(unbox(rs1(ip)), unbox(rs2(ip)), rm)));
      return true;
    case OP_FSQRT_S:
      setRd(ip, box(f32Sqrt(unbox(rs1(ip)), rm)));
      return true;
    case OP_FMADD_S:
      setRd(ip, box(f32Fma(unbox(rs1(ip)), unbox(rs2(ip)), unbox(rs3(ip)), rm)));
      return true;
    case OP_FMSUB_S:
      setRd(ip, box(f32Fma(unbox(rs1(ip)), unbox(rs2(ip)), unbox(rs3(ip)) ^ SIGN32, rm)));
      return true;
    case OP_FNMSUB_S:
      setRd(ip, box(f32Fma(unbox(rs1(ip)) ^ SIGN32, unbox(rs2(ip)), unbox(rs3(ip)), rm)));
      return true;
    case OP_FNMADD_S:
      setRd(ip, box(f32Fma(unbox(rs1(ip)) ^ SIGN32, unbox(rs2(ip)), unbox(rs3(ip)) ^ SIGN32, rm)));
      return true;
    case OP_FCVT_W_S:
      setRd(ip, f32ToI32(unbox(rs1(ip)), rm));
      return true;
    case OP_FCVT_WU_S:
      setRd(ip, f32ToU32(unbox(rs1(ip)), rm));
      return true;
    case OP_FCVT_L_S:
      setRd(ip, f32ToI64(unbox(rs1(ip)), rm));
      return true;
    case OP_FCVT_LU_S:
      setRd(ip, f32ToU64(unbox(rs1(ip)), rm));
      return true;
    case OP_FCVT_S_W:
      setRd(ip, box(i32ToF32(rs1(ip), rm)));
      return true;
    case OP_FCVT_S_WU:
      setRd(ip, box(u32ToF32(rs1(ip), rm)));
      return true;
    case OP_FCVT_S_L:
      setRd(ip, box(i64ToF32(rs1(ip), rm)));
      return true;
    case OP_FCVT_S_LU:
      setRd(ip, box(u64ToF32(rs1(ip), rm)));
      return true;
    case OP_FADD_D:
      setRd(ip, f64Add(rs1(ip), rs2(ip), rm));
      return true;
    case OP_FSUB_D:
      setRd(ip, f64Sub(rs1(ip), rs2(ip), rm));
      return true;
    case OP_FMUL_D:
      setRd(ip, f64Mul(rs1(ip), rs2(ip), rm));
      return true;
    case OP_FDIV_D:
      setRd(ip, f64Div(rs1(ip), rs2(ip), rm));
      return true;
    case OP_FSQRT_D:
      setRd(ip, f64Sqrt(rs1(ip), rm));
      return true;
    case OP_FMADD_D:
      setRd(ip, f64Fma(rs1(ip), rs2(ip), rs3(ip), rm));
      return true;
    case OP_FMSUB_D:
      setRd(ip, f64Fma(rs1(ip), rs2(ip), rs3(ip) ^ SIGN64, rm));
      return true;
    case OP_FNMSUB_D:
      setRd(ip, f64Fma(rs1(ip) ^ SIGN64, rs2(ip), rs3(ip), rm));
      return true;
    case OP_FNMADD_D:
      setRd(ip, f64Fma(rs1(ip) ^ SIGN64, rs2(ip), rs3(ip) ^ SIGN64, rm));
      return true;
    case OP_FCVT_W_D:
      setRd(ip, f64ToI32(rs1(ip), rm));
      return true;
    case OP_FCVT_WU_D:
      setRd(ip, f64ToU32(rs1(ip), rm));
      return true;
    case OP_FCVT_L_D:
      setRd(ip, f64ToI64(rs1(ip), rm));
      return true;
    case OP_FCVT_LU_D:
      setRd(ip, f64ToU64(rs1(ip), rm));
      return true;
    case OP_FCVT_D_W:
      setRd(ip, i32ToF64(rs1(ip)));
      return true;
    case OP_FCVT_D_WU:
      setRd(ip, u32ToF64(rs1(ip)));
      return true;
    case OP_FCVT_D_L:
      setRd(ip, i64ToF64(rs1(ip), rm));
      return true;
    case OP_FCVT_D_LU:
      setRd(ip, u64ToF64(rs1(ip), rm));
      return true;
    case OP_FCVT_S_D:
      setRd(ip, box(f64ToF32(rs1(ip), rm)));
      return true;
    case OP_FCVT_D_S:
      setRd(ip, f32ToF64(unbox(rs1(ip))));
      return true;
    case OP_FCVT_S_H:
      setRd(ip, box(f16ToF32(unboxHalf(rs1(ip)))));
      return true;
    case OP_FCVT_H_S:
      setRd(ip, boxHalf(f32ToF16(unbox(rs1(ip)), rm)));
      return true;
    case OP_FCVT_D_H:
      setRd(ip, f16ToF64(unboxHalf(rs1(ip))));
      return true;
    case OP_FCVT_H_D:
      setRd(ip, boxHalf(f64ToF16(rs1(ip), rm)));
      return true;
  }
  return false;
}
