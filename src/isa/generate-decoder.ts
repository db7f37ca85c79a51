// Writes the core's decoder (AssemblyScript): numbers of instructions and formats, and a nested switch over the patterns.
import { FORMATS } from './fields.ts';
import {
  INSTRUCTIONS,
  type Instruction,
  InstructionTableError,
  isFloatOperand,
  opName,
} from './instruction-table.ts';

const HEADER =
  '// Generated from the instruction table (src/isa/instructions-*.ts) by src/isa/generate.ts. Do not edit.\n';

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** Operand flags: which of rd, rs1, rs2, rs3 is a floating-point register. */
const FLOAT_FLAGS = [
  ['rd', 1],
  ['rs1', 2],
  ['rs2', 4],
  ['rs3', 8],
] as const;

export const operandFlags = (instruction: Instruction): number =>
  FLOAT_FLAGS.reduce((flags, [field, bit]) => flags | (isFloatOperand(instruction, field) ? bit : 0), 0);

/** opcodes.ts: OP_*, OP_COUNT, FMT_* and FLAG_* constants. */
export function generateOpcodes(): string {
  const lines = [HEADER];
  for (const [index, { mnemonic }] of INSTRUCTIONS.entries()) {
    lines.push(`export const ${opName(mnemonic)} = ${index + 1};`);
  }
  lines.push('/** One more than the last. */', `export const OP_COUNT = ${INSTRUCTIONS.length + 1};`, '');
  for (const [index, format] of FORMATS.entries()) lines.push(`export const FMT_${format} = ${index + 1};`);
  lines.push('', '// Which operands are floating-point registers: bits of operandFlags().');
  for (const [field, bit] of FLOAT_FLAGS) lines.push(`export const FLAG_${field.toUpperCase()}_F = ${bit};`);
  return `${lines.join('\n')}\n`;
}

// Fields a switch may look at, most telling first: a few bits each, so that the cases lie close together.
const SELECTORS = [
  { low: 2, width: 5 },
  { low: 12, width: 3 },
  { low: 27, width: 5 },
  { low: 26, width: 6 },
  { low: 25, width: 7 },
  { low: 25, width: 2 },
  { low: 20, width: 5 },
  { low: 20, width: 12 },
];

const selectorMask = ({ low, width }: { low: number; width: number }): number =>
  ((2 ** width - 1) << low) >>> 0;

/** Statements that return the number of the candidate that `insn` is; bits in `known` have been looked at. */
function generateChoice(candidates: readonly Instruction[], known: number, indent: string): string[] {
  const [first] = candidates;
  if (candidates.length === 1 && first !== undefined) {
    const rest = (first.mask & ~known) >>> 0;
    const name = opName(first.mnemonic);
    if (rest === 0) return [`${indent}return ${name};`];
    return [`${indent}return (insn & ${hex(rest)}) == ${hex(first.match & rest)} ? ${name} : 0;`];
  }
  const common = candidates.reduce((mask, one) => mask & one.mask, ~known) >>> 0;
  const selector = SELECTORS.find((one) => {
    const mask = selectorMask(one);
    return (mask & ~common) === 0 && (mask & ~known) !== 0;
  });
  if (selector === undefined) {
    // No field is fixed in all of them: first those that fix the most.
    const most = candidates.reduce((best, one) => (countBits(one.mask) > countBits(best.mask) ? one : best));
    const rest = (most.mask & ~known) >>> 0;
    const others = candidates.filter((one) => one !== most);
    if (others.some((one) => countBits(one.mask) === countBits(most.mask))) {
      throw new InstructionTableError(
        `patterns overlap: ${candidates.map((one) => one.mnemonic).join(', ')}`,
      );
    }
    return [
      `${indent}if ((insn & ${hex(rest)}) == ${hex(most.match & rest)}) return ${opName(most.mnemonic)};`,
      ...generateChoice(others, known, indent),
    ];
  }
  const mask = selectorMask(selector);
  const groups = new Map<number, Instruction[]>();
  for (const one of candidates) {
    const value = (one.match & mask) >>> selector.low;
    groups.set(value, [...(groups.get(value) ?? []), one]);
  }
  const lines = [`${indent}switch ((insn >> ${selector.low}) & ${hex(2 ** selector.width - 1)}) {`];
  for (const [value, group] of [...groups].sort(([a], [b]) => a - b)) {
    lines.push(`${indent}  case ${hex(value)}: {`);
    lines.push(...generateChoice(group, (known | mask) >>> 0, `${indent}    `));
    lines.push(`${indent}  }`);
  }
  return [...lines, `${indent}}`, `${indent}return 0;`];
}

function countBits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

/** decoder.ts: decodeOp(), formatOf(), operandFlags(). */
export function generateDecoder(): string {
  const table = (name: string, values: readonly number[]): string[] => {
    const rows: string[] = [];
    for (let at = 0; at < values.length; at += 24) rows.push(`  ${values.slice(at, at + 24).join(', ')},`);
    return [`const ${name}: usize = memory.data<u8>([`, ...rows, ']);'];
  };
  return `${[
    HEADER,
    `import {\n${INSTRUCTIONS.map(({ mnemonic }) => `  ${opName(mnemonic)},`).join('\n')}\n} from './opcodes';`,
    '',
    '/** The number (OP_*) of a 32-bit instruction word; 0 when it is illegal. */',
    'export function decodeOp(insn: u32): u32 {',
    '  if ((insn & 3) != 3) return 0;',
    ...generateChoice(INSTRUCTIONS, 3, '  '),
    '}',
    '',
    ...table('formats', [0, ...INSTRUCTIONS.map(({ format }) => FORMATS.indexOf(format) + 1)]),
    '',
    '/** The format (FMT_*) of an instruction number. */',
    'export function formatOf(op: u32): u32 {',
    '  return load<u8>(formats + op);',
    '}',
    '',
    ...table('flags', [0, ...INSTRUCTIONS.map(operandFlags)]),
    '',
    '/** Which operands of an instruction number are floating-point registers (FLAG_*). */',
    'export function operandFlags(op: u32): u32 {',
    '  return load<u8>(flags + op);',
    '}',
  ].join('\n')}\n`;
}

export { HEADER, hex };
