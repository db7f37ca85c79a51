// A program that runs one instruction over a table of cases, for the core and qemu-riscv64 alike.
import { type Instruction, isFloatOperand } from '../../src/isa/instruction-table.ts';
import { Code } from '../diff/code.ts';
import { staticElf } from '../diff/elf.ts';
import type { Fields } from '../diff/encode.ts';
import { CASE_WORDS } from './engine-cases.ts';

export const START = 0x8000_0000;
const TABLE = START + 0x1000;
/** 64-bit words of a result: the register written, fcsr. */
export const RESULT_WORDS = 2;

const SYS_WRITE = 64;
const SYS_EXIT = 93;
const S0 = 8;
const S1 = 9;
const A0 = 10;
const A1 = 11;
const A2 = 12;
const A7 = 17;
const S2 = 18;
const T0 = 5;
const FA0 = 10;

export interface FloatProgram {
  /** Memory from START on, results included. */
  readonly image: Uint8Array;
  readonly elf: Uint8Array;
}

/** @param rm the rounding mode in the instruction, where it has one */
export function floatProgram(instruction: Instruction, rm: number, table: BigUint64Array): FloatProgram {
  const count = table.length / CASE_WORDS;
  const results = TABLE + table.byteLength;
  const code = new Code(START);
  code.address(S0, TABLE);
  code.address(S1, results);
  code.add('lui', { rd: S2, imm: ((count + 0x800) >> 12) << 12 });
  code.add('addi', { rd: S2, rs1: S2, imm: (count << 20) >> 20 });
  const loop = code.pc;
  code.add('ld', { rd: A0, rs1: S0 });
  code.add('ld', { rd: A1, rs1: S0, imm: 8 });
  for (const index of [1, 2, 3]) code.add('fld', { rd: FA0 + index, rs1: S0, imm: 8 * index });
  code.add('csrrw', { rs1: A0, csr: 3 });
  code.head(T0);
  const fields: Fields = { rd: FA0, rm };
  for (const [index, field] of (['rs1', 'rs2', 'rs3'] as const).entries())
    if (instruction.fields.some(({ name }) => name === field)) fields[field] = FA0 + 1 + index;
  // a0 and fa0, a1 and fa1 have the same numbers.
  code.add(instruction.mnemonic, fields);
  if (isFloatOperand(instruction, 'rd')) code.add('fsd', { rs2: FA0, rs1: S1 });
  else code.add('sd', { rs2: A0, rs1: S1 });
  code.add('csrrs', { rd: A0, csr: 3 });
  code.add('sd', { rs2: A0, rs1: S1, imm: 8 });
  code.add('addi', { rd: S0, rs1: S0, imm: 8 * CASE_WORDS });
  code.add('addi', { rd: S1, rs1: S1, imm: 8 * RESULT_WORDS });
  code.add('addi', { rd: S2, rs1: S2, imm: -1 });
  code.add('bne', { rs1: S2, rs2: 0, imm: loop - code.pc });
  code.add('addi', { rd: A0, imm: 1 });
  code.address(A1, results);
  code.add('sub', { rd: A2, rs1: S1, rs2: A1 });
  code.add('addi', { rd: A7, imm: SYS_WRITE });
  code.add('ecall');
  code.add('addi', { rd: A0 });
  code.add('addi', { rd: A7, imm: SYS_EXIT });
  code.add('ecall');
  const bytes = results + 8 * RESULT_WORDS * count - START;
  const image = new Uint8Array((bytes + 0xfff) & ~0xfff);
  image.set(code.bytes, 0);
  image.set(new Uint8Array(table.buffer), TABLE - START);
  return { image, elf: staticElf(START, image) };
}
