// Which instructions are translated; the others end a region and are the interpreter's.
import {
  OP_CBO_ZERO,
  OP_CLMUL,
  OP_CLMULH,
  OP_CLMULR,
  OP_CSRRC,
  OP_CSRRCI,
  OP_CSRRS,
  OP_CSRRSI,
  OP_CSRRW,
  OP_FCVT_H_D,
  OP_FENCE,
  OP_FENCE_I,
  OP_FLH,
  OP_FLW,
  OP_FSH,
  OP_LB,
} from '../isa/generated/opcodes';
import { csrNumber, rm, rs1 } from '../isa/fields';
import { HART_BASE, SCAUSE, SEPC, SSCRATCH, STVAL, TIME_DIVISOR } from '../layout';

/** Floating-point instructions, loads and stores included. They stand together in the table. */
export function isFloat(op: u32): bool {
  return op >= <u32>OP_FLW && op <= <u32>OP_FCVT_H_D;
}

export const SSTATUS = 0x100;
/** sstatus.SIE (privileged architecture 1.12, section 4.1.1): all that an immediate of a kernel's changes. */
const SIE: u32 = 2;

export const TIME_CSR = 0xc01;

/** Where the hart holds a CSR that is no more than its value; 0 for any other. */
export function plainRegister(csr: u32): usize {
  if (csr == 0x140) return SSCRATCH;
  if (csr == 0x141) return SEPC;
  if (csr == 0x142) return SCAUSE;
  return csr == 0x143 ? STVAL : 0;
}

// @ts-ignore: decorator
@inline
export function isImmediate(op: u32): bool {
  return op == OP_CSRRSI || op == OP_CSRRCI;
}

/** CSR instructions and cbo.zero, whether or not they have a form in line. */
export function isSystem(op: u32): bool {
  return op == OP_CBO_ZERO || (op >= <u32>OP_CSRRW && op <= <u32>OP_CSRRCI);
}

/** True for those that emit-system.ts has a form for. */
function isInlineSystem(op: u32, insn: u32): bool {
  if (op == OP_CBO_ZERO) return true;
  const csr = csrNumber(insn);
  const source = rs1(insn);
  // A clock that follows the instructions needs their count, which a region does not have.
  if (csr == TIME_CSR) return op == OP_CSRRS && !source && !load<u32>(HART_BASE + TIME_DIVISOR);
  if (isImmediate(op)) return csr == SSTATUS && (!source || source == SIE);
  if (op == OP_CSRRS || op == OP_CSRRC) return csr == SSTATUS || (plainRegister(csr) != 0 && !source);
  return op == OP_CSRRW && plainRegister(csr) != 0;
}

export function canTranslate(op: u32, insn: u32): bool {
  if (isSystem(op)) return isInlineSystem(op, insn);
  if (op == OP_FENCE || op == OP_FENCE_I) return true;
  if (op == OP_FLH || op == OP_FSH) return false;
  // A reserved rounding mode makes an illegal instruction; no other use of the field has these values.
  if (isFloat(op)) return rm(insn) != 5 && rm(insn) != 6;
  if (op == OP_CLMUL || op == OP_CLMULR || op == OP_CLMULH) return false;
  // Integer and atomic instructions stand together in front of them.
  return op >= <u32>OP_LB && op < <u32>OP_FLW;
}
