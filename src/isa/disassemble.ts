// The disassembler: GNU objdump's spelling, from the instruction table.
import { findAlias } from './aliases.ts';
import {
  type CompressedInstruction,
  compressedImmediate,
  compressedRegister,
  decodeCompressed,
  expandCompressed,
} from './compressed-table.ts';
import { csrName } from './csr-names.ts';
import { decode } from './decode.ts';
import { bits, csrOf, immediateOf, rdOf, rmOf, rs1Of, rs2Of, rs3Of } from './fields.ts';
import type { Instruction } from './instruction-table.ts';
import { F_NAMES, ROUNDING_MODES, X_NAMES } from './registers.ts';

export interface DisassembleOptions {
  /** False: no pseudo-instructions, and compressed instructions by their own names. Default true. */
  aliases?: boolean;
}

/** Value of an operand of an instruction word; undefined for a name that is none. */
function operandValue(instruction: Instruction, name: string, word: number): number | undefined {
  switch (name) {
    case 'rd':
    case 'fd':
      return rdOf(word);
    case 'rs1':
    case 'fs1':
    case 'zimm':
      return rs1Of(word);
    case 'rs2':
    case 'fs2':
      return rs2Of(word);
    case 'fs3':
      return rs3Of(word);
    case 'csr':
      return csrOf(word);
    case 'rm':
    case 'rmx':
      return rmOf(word);
    case 'pred':
      return bits(word, 24, 4);
    case 'succ':
      return bits(word, 20, 4);
    case 'imm':
    case 'off':
    case 'shamt':
    case 'upper':
    case 'target':
      return immediateOf(instruction.format, word);
    default:
      return undefined;
  }
}

const NAMES = /[a-z]+[0-9]?/g;

function operandValues(instruction: Instruction, word: number): Map<string, number> {
  const values = new Map<string, number>();
  for (const operand of instruction.operands) {
    for (const [name] of operand.matchAll(NAMES)) {
      const value = operandValue(instruction, name, word);
      if (value !== undefined) values.set(name, value);
    }
  }
  return values;
}

function fenceSet(value: number): string {
  const names = ['i', 'o', 'r', 'w'].filter((_, index) => (value >> (3 - index)) & 1);
  return names.length === 0 ? 'unknown' : names.join('');
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

function target(offset: number, pc: number | bigint | undefined): string {
  if (pc !== undefined) return hex(BigInt.asUintN(64, BigInt(pc) + BigInt(offset)));
  return offset < 0 ? `.${offset}` : `.+${offset}`;
}

function formatValue(name: string, value: number, pc: number | bigint | undefined): string {
  switch (name) {
    case 'imm':
    case 'off':
    case 'zimm':
      return `${value}`;
    case 'shamt':
      return hex(value);
    case 'upper':
      return hex(value >>> 12);
    case 'csr':
      return csrName(value) ?? hex(value);
    case 'pred':
    case 'succ':
      return fenceSet(value);
    case 'rm':
    case 'rmx':
      return ROUNDING_MODES[value] ?? 'unknown';
    case 'target':
      return target(value, pc);
    default:
      return (name.startsWith('f') ? F_NAMES : X_NAMES)[value] ?? name;
  }
}

/** Trailing rounding modes that are not written: dyn where there is one, 0 where the result is always exact. */
const isImpliedRounding = (name: string, value: number | undefined): boolean =>
  (name === 'rm' && value === 7) || (name === 'rmx' && value === 0);

function join(mnemonic: string, operands: readonly string[]): string {
  return operands.length === 0 ? mnemonic : `${mnemonic} ${operands.join(',')}`;
}

function spell(
  mnemonic: string,
  operands: readonly string[],
  values: ReadonlyMap<string, number>,
  pc: number | bigint | undefined,
): string {
  const texts = operands
    .filter((operand) => !isImpliedRounding(operand, values.get(operand)))
    .map((operand) =>
      operand.replaceAll(NAMES, (name) => {
        const value = values.get(name);
        return value === undefined ? name : formatValue(name, value, pc);
      }),
    );
  return join(mnemonic, texts);
}

const ORDERINGS = ['', '.rl', '.aq', '.aqrl'];

/** Reserved fields that execution ignores, but that no spelling of the instruction gives: shown as data. */
const hasReservedFields = (instruction: Instruction, word: number): boolean =>
  instruction.fields.some(
    ({ name, low, width }) => (name === 'fm' || name.startsWith('any')) && bits(word, low, width) !== 0,
  );

function disassembleWord(
  word: number,
  pc: number | bigint | undefined,
  aliases: boolean,
  compressed: boolean,
): string | undefined {
  const instruction = decode(word);
  if (instruction === undefined || hasReservedFields(instruction, word)) return undefined;
  const values = operandValues(instruction, word);
  const alias = aliases ? findAlias(instruction, values, compressed) : undefined;
  if (alias !== undefined) return spell(alias.mnemonic, alias.operands, values, pc);
  const ordering = instruction.format === 'AMO' ? ORDERINGS[bits(word, 25, 2)] : '';
  return spell(`${instruction.mnemonic}${ordering}`, instruction.operands, values, pc);
}

/** True for a compressed instruction that writes x0 or shifts by 0, and is none of the usual ways to do nothing. */
function isHint(one: CompressedInstruction, halfword: number): boolean {
  const immediate = compressedImmediate(one, halfword);
  if (one.mnemonic === 'c.nop') return immediate !== 0;
  if (one.base.format === 'SHIFT' && immediate === 0) return true;
  const { rd } = one.registers;
  return rd?.kind === 'field' && compressedRegister(rd, halfword) === 0 && one.base.operands[0] !== 'fd';
}

/** With c. in front, and its own operands. */
function spellCompressed(
  one: CompressedInstruction,
  halfword: number,
  pc: number | bigint | undefined,
): string {
  const immediate = compressedImmediate(one, halfword);
  const shown = one.mnemonic === 'c.nop' && immediate === 0 ? [] : one.operands;
  const operands = shown.map((operand) =>
    operand.replaceAll(/[a-z]+[0-9]?'?/g, (name) => {
      if (name === 'imm') return one.base.format === 'SHIFT' ? hex(immediate) : `${immediate}`;
      if (name === 'upper' || name === 'target') return formatValue(name, immediate, pc);
      if (name === 'x2') return 'sp';
      const float = name.startsWith('f');
      const field = name.replace('f', 'r');
      for (const register of Object.values(one.registers)) {
        if (register.kind === 'field' && register.name === field) {
          return (float ? F_NAMES : X_NAMES)[compressedRegister(register, halfword)] ?? name;
        }
      }
      return name;
    }),
  );
  return join(one.mnemonic, operands);
}

/**
 * One instruction as text, as GNU objdump spells it: `addi sp,sp,-16`. An illegal one is `.2byte` or `.4byte`.
 * @param word the instruction, unsigned; only the low 16 bits count when it is a compressed one
 * @param pc its address, for branch targets as absolute addresses; without it they are relative: `.+8`
 */
export function disassemble(word: number, pc?: number | bigint, options: DisassembleOptions = {}): string {
  const aliases = options.aliases ?? true;
  if ((word & 3) === 3) return disassembleWord(word, pc, aliases, false) ?? `.4byte ${hex(word >>> 0)}`;
  const halfword = word & 0xffff;
  const one = decodeCompressed(halfword);
  if (halfword === 0) return aliases ? 'unimp' : 'c.unimp';
  if (one === undefined) return `.2byte ${hex(halfword)}`;
  if (!aliases || isHint(one, halfword)) return spellCompressed(one, halfword, pc);
  return disassembleWord(expandCompressed(halfword), pc, true, true) ?? `.2byte ${hex(halfword)}`;
}
