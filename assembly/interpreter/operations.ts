// Operations of decoded entries that are no instructions of their own. Instructions have their OP_* number from the
// table; an all-zero entry is one that is not decoded yet.
import { OP_COUNT } from '../isa/generated/opcodes';

export const I_UNDECODED = 0;
/** Behind the last halfword of a page: go on in the next page. */
export const I_PAGE_END = OP_COUNT;
/** A 4-byte instruction whose second half lies in the next page. */
export const I_STRADDLE = OP_COUNT + 1;
export const I_ILLEGAL = OP_COUNT + 2;
// Jumps and branches whose target lies in the same page: the immediate is the distance between entries.
export const I_JAL_IN = OP_COUNT + 3;
export const I_J_IN = OP_COUNT + 4;
export const I_BEQ_IN = OP_COUNT + 5;
export const I_BNE_IN = OP_COUNT + 6;
export const I_BLT_IN = OP_COUNT + 7;
export const I_BGE_IN = OP_COUNT + 8;
export const I_BLTU_IN = OP_COUNT + 9;
export const I_BGEU_IN = OP_COUNT + 10;
// Against zero: one operand less to fetch. The most frequent branches of compiled code.
export const I_BEQZ_IN = OP_COUNT + 11;
export const I_BNEZ_IN = OP_COUNT + 12;
/** rd = immediate (lui, and addi from x0). */
export const I_LI = OP_COUNT + 13;
/** rd = rs1 (addi 0, and add with x0). */
export const I_MV = OP_COUNT + 14;
/** jalr x0: no link. */
export const I_JR = OP_COUNT + 15;
