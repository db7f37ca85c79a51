// Instruction words from the instruction table, by mnemonic.
import { compress, findCompressed } from '../../src/isa/compressed-table.ts';
import { placeImmediate } from '../../src/isa/fields.ts';
import { findInstruction } from '../../src/isa/instruction-table.ts';

/** Values of an instruction's fields; `imm` is the immediate, or the shift amount. What is not given is 0. */
export interface Fields {
  rd?: number;
  rs1?: number;
  rs2?: number;
  imm?: number;
  /** Fields by their name in the table's pattern: rs3, rm, aq, rl, csr, zimm, fm, pred, succ. */
  [field: string]: number | undefined;
}

/**
 * A 32-bit instruction, unsigned.
 * @throws Error when the table has no such instruction
 */
export function encode(mnemonic: string, fields: Fields = {}): number {
  const instruction = findInstruction(mnemonic);
  if (instruction === undefined) throw new Error(`the instruction table has no ${mnemonic}`);
  let word = instruction.match | placeImmediate(instruction.format, fields.imm ?? 0);
  for (const { name, low, width } of instruction.fields) {
    const value = fields[name];
    if (value !== undefined) word |= (value & ((1 << width) - 1)) << low;
  }
  return word >>> 0;
}

/** The compressed form of a word, under this name; undefined when it has none. */
export function encodeCompressed(mnemonic: string, word: number): number | undefined {
  const instruction = findCompressed(mnemonic);
  if (instruction === undefined) throw new Error(`the instruction table has no ${mnemonic}`);
  return compress(instruction, word);
}

/** Bytes of an instruction as it stands in memory. */
export const lengthOf = (raw: number): number => ((raw & 3) === 3 ? 4 : 2);
