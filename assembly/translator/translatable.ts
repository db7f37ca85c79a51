// Which instructions are translated; the others end a region and are the interpreter's.
import {
  OP_CLMUL,
  OP_CLMULH,
  OP_CLMULR,
  OP_FCVT_H_D,
  OP_FENCE,
  OP_FENCE_I,
  OP_FLH,
  OP_FLW,
  OP_FSH,
  OP_LB,
  OP_ORC_B,
  OP_REV8,
} from '../isa/generated/opcodes';
import { rm } from '../isa/fields';

/** Floating-point instructions, loads and stores included. They stand together in the table. */
export function isFloat(op: u32): bool {
  return op >= <u32>OP_FLW && op <= <u32>OP_FCVT_H_D;
}

export function canTranslate(op: u32, insn: u32): bool {
  if (op == OP_FENCE || op == OP_FENCE_I) return true;
  if (op == OP_FLH || op == OP_FSH) return false;
  // A reserved rounding mode makes an illegal instruction; no other use of the field has these values.
  if (isFloat(op)) return rm(insn) != 5 && rm(insn) != 6;
  if (op == OP_CLMUL || op == OP_CLMULR || op == OP_CLMULH || op == OP_ORC_B || op == OP_REV8) return false;
  // Integer and atomic instructions stand together in front of them.
  return op >= <u32>OP_LB && op < <u32>OP_FLW;
}
