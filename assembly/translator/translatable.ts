// Which instructions are translated; the others end a region and are the interpreter's.
import {
  OP_CLMUL,
  OP_CLMULH,
  OP_CLMULR,
  OP_CZERO_NEZ,
  OP_FADD_D,
  OP_FCVT_D_W,
  OP_FDIV_D,
  OP_FENCE,
  OP_FEQ_D,
  OP_FLD,
  OP_FLE_D,
  OP_FLT_D,
  OP_FLW,
  OP_FMADD_D,
  OP_FMSUB_D,
  OP_FMUL_D,
  OP_FMV_D_X,
  OP_FMV_X_D,
  OP_FNMADD_D,
  OP_FNMSUB_D,
  OP_FSD,
  OP_FSGNJN_D,
  OP_FSGNJX_D,
  OP_FSGNJ_D,
  OP_FSUB_D,
  OP_FSW,
  OP_LB,
  OP_ORC_B,
  OP_REV8,
} from '../isa/generated/opcodes';
import { rm } from '../isa/fields';

/** Floating-point instructions that are translated. */
export function isFloat(op: u32): bool {
  switch (op) {
    case OP_FLW:
    case OP_FLD:
    case OP_FSW:
    case OP_FSD:
    case OP_FADD_D:
    case OP_FSUB_D:
    case OP_FMUL_D:
    case OP_FDIV_D:
    case OP_FMADD_D:
    case OP_FMSUB_D:
    case OP_FNMADD_D:
    case OP_FNMSUB_D:
    case OP_FSGNJ_D:
    case OP_FSGNJN_D:
    case OP_FSGNJX_D:
    case OP_FMV_X_D:
    case OP_FMV_D_X:
    case OP_FEQ_D:
    case OP_FLT_D:
    case OP_FLE_D:
    case OP_FCVT_D_W:
      return true;
  }
  return false;
}

/** True for those whose rounding mode field must be dynamic or to nearest, as only these have a short way. */
function rounds(op: u32): bool {
  return (
    op == OP_FADD_D ||
    op == OP_FSUB_D ||
    op == OP_FMUL_D ||
    op == OP_FDIV_D ||
    op == OP_FMADD_D ||
    op == OP_FMSUB_D ||
    op == OP_FNMADD_D ||
    op == OP_FNMSUB_D
  );
}

export function canTranslate(op: u32, insn: u32): bool {
  if (op == OP_FENCE) return true;
  if (op == OP_FCVT_D_W) return rm(insn) < 5 || rm(insn) == 7;
  if (isFloat(op)) return !rounds(op) || rm(insn) == 0 || rm(insn) == 7;
  if (op == OP_CLMUL || op == OP_CLMULR || op == OP_CLMULH || op == OP_ORC_B || op == OP_REV8) return false;
  // The integer instructions stand together at the head of the table.
  return op >= <u32>OP_LB && op <= <u32>OP_CZERO_NEZ;
}
