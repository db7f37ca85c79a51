// From an instruction word to its line of the table.
import { HINT_INSTRUCTIONS, INSTRUCTIONS, type Instruction } from './instruction-table.ts';

// By the major opcode, bits 2 to 6. Hints come first: they are special cases of what follows.
const byMajor: Instruction[][] = Array.from({ length: 32 }, () => []);
for (const one of [...HINT_INSTRUCTIONS, ...INSTRUCTIONS]) byMajor[(one.match >>> 2) & 31]?.push(one);

/** The instruction that a 32-bit word is, undefined when it is illegal. Named hints are found as themselves. */
export function decode(word: number): Instruction | undefined {
  return byMajor[(word >>> 2) & 31]?.find((one) => (word & one.mask) >>> 0 === one.match);
}

/** Bytes of an instruction from its first halfword: 2 or 4, or more for encodings no extension here uses. */
export function instructionLength(halfword: number): number {
  if ((halfword & 3) !== 3) return 2;
  if ((halfword & 0x1f) !== 0x1f) return 4;
  if ((halfword & 0x3f) === 0x1f) return 6;
  if ((halfword & 0x7f) === 0x3f) return 8;
  const extra = (halfword >>> 12) & 7;
  return extra === 7 ? 2 : 10 + 2 * extra;
}
