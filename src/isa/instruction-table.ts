// The instruction table: the lines of instructions-*.ts, parsed. Everything else about instructions is derived from it.
import { FIELD_WIDTHS, type Format, isFormat } from './fields.ts';
import { ATOMIC, BASE, HINTS, SYSTEM } from './instructions-base.ts';
import { BITS } from './instructions-bits.ts';
import { DOUBLE, FLOAT, HALF } from './instructions-float.ts';

/** A field of a pattern: `width` bits from bit `low`. */
export interface PatternField {
  readonly name: string;
  readonly low: number;
  readonly width: number;
}

export interface Instruction {
  readonly mnemonic: string;
  /** The pattern as written, one token a field. */
  readonly pattern: readonly string[];
  /** A word is this instruction when (word & mask) === match; both unsigned. */
  readonly mask: number;
  readonly match: number;
  readonly fields: readonly PatternField[];
  readonly format: Format;
  /** Operands in assembly order, brackets kept: ['rd', 'off(rs1)']. */
  readonly operands: readonly string[];
  readonly extension: string;
  /** For a hint: the mnemonic of the instruction that the core executes. */
  readonly hintOf?: string;
}

/** A line of the table that does not make sense: a mistake in the source, not in its use. */
export class InstructionTableError extends Error {
  override readonly name = 'InstructionTableError';
}

/** Bits, mask and fields of a pattern that must be `size` bits wide; `widthOf` gives the width of a field's token. */
export function parsePattern(
  tokens: readonly string[],
  size: number,
  widthOf: (token: string) => number | undefined,
) {
  let low = size;
  let mask = 0;
  let match = 0;
  const fields: PatternField[] = [];
  for (const token of tokens) {
    const fixed = /^[01]+$/.test(token);
    const width = fixed ? token.length : widthOf(token);
    if (width === undefined)
      throw new InstructionTableError(`unknown field "${token}" in ${tokens.join(' ')}`);
    low -= width;
    if (fixed) {
      mask |= (2 ** width - 1) << low;
      match |= Number.parseInt(token, 2) << low;
    } else fields.push({ name: token, low, width });
  }
  if (low !== 0)
    throw new InstructionTableError(`${tokens.join(' ')} is ${size - low} bits wide, not ${size}`);
  return { mask: mask >>> 0, match: match >>> 0, fields };
}

const splitOperands = (text: string): string[] => (text === '-' ? [] : text.split(','));

function parseLine(line: string): Instruction {
  const tokens = line.split(/\s+/);
  const formatAt = tokens.findIndex((token, index) => index > 0 && isFormat(token));
  const [mnemonic = ''] = tokens;
  const [format = '', operands = '', extension, hintOf] = tokens.slice(formatAt);
  if (!isFormat(format) || extension === undefined)
    throw new InstructionTableError(`cannot read the line: ${line}`);
  const pattern = tokens.slice(1, formatAt);
  return {
    mnemonic,
    pattern,
    ...parsePattern(pattern, 32, (token) => FIELD_WIDTHS[token]),
    format,
    operands: splitOperands(operands),
    extension,
    ...(hintOf === undefined ? {} : { hintOf }),
  };
}

/** The lines of a table's text that say something. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Every 32-bit instruction the core executes, in the order of the OP_* numbers (from 1). */
export const INSTRUCTIONS: readonly Instruction[] = [BASE, BITS, ATOMIC, FLOAT, DOUBLE, HALF, SYSTEM].flatMap(
  (text) => linesOf(text).map(parseLine),
);

/** Named hints: decoded by the core as `hintOf`, but assembled and disassembled by name. */
export const HINT_INSTRUCTIONS: readonly Instruction[] = linesOf(HINTS).map(parseLine);

const byMnemonic = new Map([...INSTRUCTIONS, ...HINT_INSTRUCTIONS].map((one) => [one.mnemonic, one]));

export const findInstruction = (mnemonic: string): Instruction | undefined => byMnemonic.get(mnemonic);

/** The name of an instruction's number in the core: OP_ and the mnemonic. */
export const opName = (mnemonic: string): string => `OP_${mnemonic.toUpperCase().replaceAll('.', '_')}`;

/** True when the operand in this field (rd, rs1, rs2, rs3) is a floating-point register. */
export function isFloatOperand(instruction: Instruction, field: 'rd' | 'rs1' | 'rs2' | 'rs3'): boolean {
  const name = field === 'rd' ? 'fd' : `f${field.slice(1)}`;
  return instruction.operands.includes(name);
}
