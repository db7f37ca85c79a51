// From an instruction word to a decoded entry.

import { csrNumber, immB, immI, immJ, immS, immU, rd, rm, rs1, rs2, rs3, shamt6 } from '../isa/fields';
import { expandCompressed } from '../isa/generated/compressed';
import { decodeOp, formatOf, operandFlags } from '../isa/generated/decoder';
import {FLAG_RD_F, FLAG_RS1_F, FLAG_RS2_F, 
  FMT_AMO,
  FMT_B,
  FMT_CSR,
  FMT_CSRI,
  FMT_I,
  FMT_J,
  FMT_R4,
  FMT_S,
  FMT_SHIFT,
  FMT_SHIFTW,
  FMT_U,
  OP_ADD,
  OP_ADDI,
  OP_BEQ,
  OP_BGE,
  OP_BGEU,
  OP_BLT,
  OP_BLTU,
  OP_BNE,
  OP_JAL,
  OP_JALR,
  OP_LUI
} from '../isa/generated/opcodes';
import { F, X, X_SINK } from '../layout';
import {
  I_BEQ_IN,
  I_BEQZ_IN,
  I_BGE_IN,
  I_BGEU_IN,
  I_BLT_IN,
  I_BLTU_IN,
  I_BNE_IN,
  I_BNEZ_IN,
  I_ILLEGAL,
  I_J_IN,
  I_JAL_IN,
  I_JR,
  I_LI,
  I_MV,
  I_STRADDLE,
} from './operations';
import { slotIndex, slotPageHost } from './pages';
import { hotThreshold } from '../translator/regions';

/** Offset in the page of an instruction whose targets must not be taken for entries of the same slot. */
const ANYWHERE: i32 = -1;

// @ts-ignore: decorator
@inline
function source(register: u32, float: u32): u16 {
  return <u16>((float ? F : X) + (register << 3));
}
// @ts-ignore: decorator
@inline
function target(register: u32, float: u32): u16 {
  if (float) return <u16>(F + (register << 3));
  return <u16>(register ? X + (register << 3) : X_SINK);
}

/** Writes the entry at `at`. `raw` is the instruction as it stands in memory, compressed or not. */
export function decodeInto(at: usize, raw: u32, offset: i32): void {
  const short = (raw & 3) != 3;
  const insn = short ? expandCompressed(raw & 0xffff) : raw;
  let op = decodeOp(insn);
  store<u16>(at, <u16>(short ? 16 : 32), 12);
  if (!op) {
    store<u16>(at, <u16>I_ILLEGAL);
    return;
  }
  const format = formatOf(op);
  const flags = operandFlags(op);
  const length = short ? 2 : 4;
  let immediate = 0;
  let distance = 0;
  if (format == FMT_I) immediate = immI(insn);
  else if (format == FMT_S) immediate = immS(insn);
  else if (format == FMT_B) immediate = distance = immB(insn);
  else if (format == FMT_U) immediate = immU(insn);
  else if (format == FMT_J) immediate = distance = immJ(insn);
  else if (format == FMT_SHIFT || format == FMT_SHIFTW) immediate = shamt6(insn);
  else if (format == FMT_CSR || format == FMT_CSRI) immediate = csrNumber(insn);
  else if (format == FMT_AMO) immediate = 0;

  if (offset != ANYWHERE && distance != 0) {
    const to = offset + distance;
    // A jump that may close a loop or make a call keeps its general form while such targets are counted.
    const counted = hotThreshold() != 0 && (distance < 0 || (op == OP_JAL && rd(insn) != 0));
    if (to >= 0 && to < 4096 && !counted) {
      const inside = insideOp(op, insn);
      if (inside) {
        op = inside;
        immediate = distance << 3;
      }
    }
  } else if (op == OP_LUI || (op == OP_ADDI && rs1(insn) == 0)) op = I_LI;
  else if (op == OP_ADDI && immediate == 0) op = I_MV;
  else if (op == OP_JALR && rd(insn) == 0) op = I_JR;

  let first = rs1(insn);
  if (op == OP_ADD && first == 0) {
    op = I_MV;
    first = rs2(insn);
  } else if (op == OP_ADD && rs2(insn) == 0) op = I_MV;
  else if (op == I_BEQZ_IN || op == I_BNEZ_IN) {
    if (first == 0) first = rs2(insn);
  }
  store<u16>(at, target(rd(insn), flags & FLAG_RD_F), 2);
  store<u16>(at, source(first, flags & FLAG_RS1_F), 4);
  store<u16>(at, source(rs2(insn), flags & FLAG_RS2_F), 6);
  store<i32>(at, immediate, 8);
  store<u16>(at, <u16>(source(format == FMT_R4 ? rs3(insn) : 0, 1) | (rm(insn) << 12)), 14);
  store<u16>(at, <u16>(length << 3), 12);
  store<u16>(at, <u16>op);
}

/** The in-page form of a jump or branch, or 0. */
function insideOp(op: u32, insn: u32): u32 {
  const one = rs1(insn);
  const two = rs2(insn);
  switch (op) {
    case OP_JAL:
      return rd(insn) ? I_JAL_IN : I_J_IN;
    case OP_BEQ:
      return one == 0 || two == 0 ? I_BEQZ_IN : I_BEQ_IN;
    case OP_BNE:
      return one == 0 || two == 0 ? I_BNEZ_IN : I_BNE_IN;
    case OP_BLT:
      return I_BLT_IN;
    case OP_BGE:
      return I_BGE_IN;
    case OP_BLTU:
      return I_BLTU_IN;
    case OP_BGEU:
      return I_BGEU_IN;
  }
  return 0;
}

/** Decodes the entry `ip` of a slot. */
export function decodeEntry(ip: usize, base: usize): void {
  const offset = <i32>((ip - base) >> 3);
  const host = slotPageHost(slotIndex(<u32>base)) + offset;
  const low = <u32>load<u16>(host);
  if ((low & 3) == 3) {
    if (offset == 4094) {
      store<u16>(ip, <u16>I_STRADDLE);
      return;
    }
    decodeInto(ip, low | (<u32>load<u16>(host, 2) << 16), offset);
  } else decodeInto(ip, low, offset);
}

/** Decodes one instruction into the single slot: nothing in it is taken to be near. */
export function decodeSingle(at: usize, raw: u32): void {
  decodeInto(at, raw, ANYWHERE);
}
