// Instances of the table's instructions with random fields, fit to be executed one at a time.
import {
  COMPRESSED,
  type CompressedInstruction,
  decodeCompressed,
  expandCompressed,
} from '../../src/isa/compressed-table.ts';
import { bits } from '../../src/isa/fields.ts';
import { INSTRUCTIONS, type Instruction, isFloatOperand } from '../../src/isa/instruction-table.ts';
import { Random } from '../diff/random.ts';
import { floatValue, integerValue } from '../diff/values.ts';
import { FCSR, MSCRATCH, MSTATUS } from './csr-numbers.ts';
import { CODE, DATA, type Hart, newHart } from './harness.ts';

export { Random };

/** What begins with loads, stores, atomics and cache blocks: base registers point to DATA then. */
export const accessesMemory = ({ format, operands }: Instruction): boolean =>
  format === 'AMO' || format === 'S' || format === 'CBO' || operands.includes('off(rs1)');

export const isFloat = ({ extension }: Instruction): boolean => ['F', 'D', 'Zfhmin'].includes(extension);

/** Instructions that end in a trap, a return from one, or a wait, in M-mode. */
export const LEAVING = ['ecall', 'ebreak', 'mret', 'sret', 'wfi'];

/** Instructions after which pc is not simply the next one. */
export const jumps = ({ format, mnemonic }: Instruction): boolean =>
  format === 'B' || format === 'J' || mnemonic === 'jalr';

/** A word of this instruction with random fields: rounding modes that exist, and mscratch for a CSR. */
export function sample(one: Instruction, random: Random): number {
  let word = ((random.word() & ~one.mask) | one.match) >>> 0;
  for (const { name, low, width } of one.fields) {
    if (name === 'rm' && [5, 6].includes(bits(word, low, width))) word = (word ^ (4 << low)) >>> 0;
    if (name === 'csr') word = ((word & 0xfffff) | (MSCRATCH << 20)) >>> 0;
  }
  return word;
}

/** A halfword of this instruction with random fields. */
export function sampleCompressed(one: CompressedInstruction, random: Random): number {
  for (;;) {
    const halfword = (random.below(0x10000) & ~one.mask) | one.match;
    if (decodeCompressed(halfword) === one) return halfword;
  }
}

/** A hart in M-mode at CODE with random registers; `base` (if it is not x0) points to DATA. */
export function prepared(random: Random, base: number): Hart {
  const machine = newHart();
  const { hart } = machine.core;
  machine.setCsr(MSTATUS, machine.csr(MSTATUS) | (3n << 13n));
  machine.setCsr(FCSR, BigInt(random.below(5) << 5));
  for (let i = 1; i < 32; i++) hart.setX(i, integerValue(random));
  for (let i = 0; i < 32; i++) hart.setF(i, floatValue(random));
  hart.setX(base, BigInt(DATA));
  for (let at = 0; at < 64; at += 8) machine.write64(DATA + at, integerValue(random));
  hart.pc = BigInt(CODE);
  return machine;
}

export const integerRegisters = ({ core }: Hart): bigint[] =>
  Array.from({ length: 32 }, (_, index) => core.hart.getX(index));
export const floatRegisters = ({ core }: Hart): bigint[] =>
  Array.from({ length: 32 }, (_, index) => core.hart.getF(index));

/** Bytes of an instruction as it stands in memory. */
export const bytesOf = (raw: number): Uint8Array =>
  Uint8Array.from((raw & 3) === 3 ? [0, 8, 16, 24] : [0, 8], (shift) => (raw >>> shift) & 255);

export { COMPRESSED, expandCompressed, INSTRUCTIONS, type Instruction, isFloatOperand };
