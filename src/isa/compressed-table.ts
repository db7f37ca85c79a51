// The compressed instructions: the lines of instructions-compressed.ts, parsed, and their expansion to 32 bits.
import { bits, immediateOf, placeImmediate } from './fields.ts';
import {
  findInstruction,
  type Instruction,
  InstructionTableError,
  linesOf,
  parsePattern,
} from './instruction-table.ts';
import { COMPRESSED_LINES } from './instructions-compressed.ts';

/** `width` bits from bit `from` of the halfword are bits from `to` of the immediate. */
export interface ImmediatePiece {
  readonly from: number;
  readonly to: number;
  readonly width: number;
}

/** A register operand: a number, or a field of the halfword (three bits wide for registers 8 to 15). */
export type CompressedRegister =
  | { readonly kind: 'fixed'; readonly number: number }
  | { readonly kind: 'field'; readonly name: string; readonly low: number; readonly short: boolean };

export interface CompressedInstruction {
  readonly mnemonic: string;
  readonly pattern: readonly string[];
  readonly mask: number;
  readonly match: number;
  /** The 32-bit instruction it stands for, and what goes into its register fields (those not named are 0). */
  readonly base: Instruction;
  readonly registers: Readonly<Partial<Record<'rd' | 'rs1' | 'rs2', CompressedRegister>>>;
  readonly immediate: readonly ImmediatePiece[];
  readonly signed: boolean;
  /** Bits of the immediate, counted from bit 0. */
  readonly immediateWidth: number;
  /** Operands of the spelling with c. in front. */
  readonly operands: readonly string[];
  /** Fields that must not have a value: ['rd', 2] for "rd != 2". */
  readonly exclusions: readonly (readonly [field: string, value: number])[];
  /** The expansion as written in the table. */
  readonly expansion: string;
}

const WIDTHS: Readonly<Record<string, number>> = {
  "rd'": 3,
  "rs1'": 3,
  "rs2'": 3,
  "rw'": 3,
  rd: 5,
  rs1: 5,
  rs2: 5,
  rw: 5,
};

interface BitRange {
  low: number;
  width: number;
}

/** 5:4|9:6|2|3 as ranges of bits, highest of the field first. */
function immediateRanges(token: string): BitRange[] | undefined {
  const list = /^[us]\[(.+)\]$/.exec(token)?.[1];
  return list?.split('|').map((range) => {
    const [high = 0, low = high] = range.split(':').map(Number);
    return { low, width: high - low + 1 };
  });
}

const widthOf = (token: string): number | undefined =>
  WIDTHS[token] ?? immediateRanges(token)?.reduce((sum, range) => sum + range.width, 0);

function parseLine(line: string): CompressedInstruction {
  const tokens = line.split(/\s+/);
  const [mnemonic = ''] = tokens;
  const baseAt = tokens.findIndex((token, index) => index > 0 && findInstruction(token) !== undefined);
  const pattern = tokens.slice(1, baseAt);
  const [baseName = '', expansion = '', operands = '', ...conditions] = tokens.slice(baseAt);
  const base = findInstruction(baseName);
  if (base === undefined) throw new InstructionTableError(`no base instruction in the line: ${line}`);
  const { mask, match, fields } = parsePattern(pattern, 16, widthOf);

  const immediate: ImmediatePiece[] = [];
  for (const field of fields) {
    let from = field.low + field.width;
    for (const range of immediateRanges(field.name) ?? []) {
      from -= range.width;
      immediate.push({ from, to: range.low, width: range.width });
    }
  }

  const register = (name: string): CompressedRegister => {
    const fixed = /^x(\d+)$/.exec(name)?.[1];
    if (fixed !== undefined) return { kind: 'fixed', number: Number(fixed) };
    const field = fields.find((one) => one.name === name);
    if (field === undefined) throw new InstructionTableError(`${mnemonic}: no field "${name}"`);
    return { kind: 'field', name, low: field.low, short: field.width === 3 };
  };
  const names = (list: string): string[] => list.split(/[,()]/).filter((name) => name !== '' && name !== '-');
  const registers: Partial<Record<'rd' | 'rs1' | 'rs2', CompressedRegister>> = {};
  const targets = names(base.operands.join(','));
  for (const [index, name] of names(expansion).entries()) {
    const target = targets[index]?.replace('fd', 'rd').replace('fs', 'rs');
    if (target === 'rd' || target === 'rs1' || target === 'rs2') registers[target] = register(name);
    else if (name !== 'imm') throw new InstructionTableError(`${mnemonic}: "${name}" is not for ${target}`);
  }
  return {
    mnemonic,
    pattern,
    mask,
    match,
    base,
    registers,
    immediate,
    signed: pattern.some((token) => token.startsWith('s[')),
    immediateWidth: immediate.reduce((most, piece) => Math.max(most, piece.to + piece.width), 0),
    operands: operands === '-' ? [] : operands.split(','),
    exclusions: conditions.map((condition) => {
      const [field = '', value = ''] = condition.split('!=');
      return [field, Number(value)];
    }),
    expansion: expansion === '-' ? baseName : `${baseName} ${expansion}`,
  };
}

/** Every 16-bit instruction. */
export const COMPRESSED: readonly CompressedInstruction[] = linesOf(COMPRESSED_LINES).map(parseLine);

const byMnemonic = new Map(COMPRESSED.map((one) => [one.mnemonic, one]));

export const findCompressed = (mnemonic: string): CompressedInstruction | undefined =>
  byMnemonic.get(mnemonic);

/** The register that an operand of a compressed instruction names. */
export function compressedRegister(register: CompressedRegister, halfword: number): number {
  if (register.kind === 'fixed') return register.number;
  return register.short ? bits(halfword, register.low, 3) + 8 : bits(halfword, register.low, 5);
}

/** The immediate of a compressed instruction, in the units of the base instruction's immediate. */
export function compressedImmediate(instruction: CompressedInstruction, halfword: number): number {
  let value = 0;
  for (const piece of instruction.immediate) value |= bits(halfword, piece.from, piece.width) << piece.to;
  const unused = 32 - instruction.immediateWidth;
  return instruction.signed ? (value << unused) >> unused : value;
}

function fieldValue(instruction: CompressedInstruction, name: string, halfword: number): number {
  if (name === 'imm') return compressedImmediate(instruction, halfword);
  for (const register of Object.values(instruction.registers)) {
    if (register.kind === 'field' && register.name === name) return compressedRegister(register, halfword);
  }
  throw new InstructionTableError(`${instruction.mnemonic}: no field "${name}"`);
}

/** The compressed instruction that a halfword is, or undefined when it is none or reserved. */
export function decodeCompressed(halfword: number): CompressedInstruction | undefined {
  return COMPRESSED.find(
    (one) =>
      (halfword & one.mask) === one.match &&
      one.exclusions.every(([name, value]) => fieldValue(one, name, halfword) !== value),
  );
}

/** The 32-bit word that a halfword stands for (unsigned), or 0 when it is illegal or reserved. */
export function expandCompressed(halfword: number): number {
  const one = decodeCompressed(halfword);
  if (one === undefined) return 0;
  const { base, registers } = one;
  let word = base.match | placeImmediate(base.format, compressedImmediate(one, halfword));
  if (registers.rd) word |= compressedRegister(registers.rd, halfword) << 7;
  if (registers.rs1) word |= compressedRegister(registers.rs1, halfword) << 15;
  if (registers.rs2) word |= compressedRegister(registers.rs2, halfword) << 20;
  return word >>> 0;
}

/** The halfword that expands to a word, or undefined when there is none. The mnemonic picks among several. */
export function compress(instruction: CompressedInstruction, word: number): number | undefined {
  const value = immediateOf(instruction.base.format, word);
  let halfword = instruction.match;
  for (const piece of instruction.immediate) halfword |= bits(value, piece.to, piece.width) << piece.from;
  for (const [field, low] of [
    ['rd', 7],
    ['rs1', 15],
    ['rs2', 20],
  ] as const) {
    const register = instruction.registers[field];
    if (register?.kind !== 'field') continue;
    halfword |= bits(word, low, register.short ? 3 : 5) << register.low;
  }
  return decodeCompressed(halfword) === instruction && expandCompressed(halfword) === word
    ? halfword
    : undefined;
}
