// From a mnemonic and operand texts to an instruction word.
import { ALIASES, type Alias, slotNames } from '../aliases.ts';
import { type CompressedInstruction, compress, findCompressed } from '../compressed-table.ts';
import { csrNumber } from '../csr-names.ts';
import { type Format, placeImmediate } from '../fields.ts';
import { findInstruction, type Instruction } from '../instruction-table.ts';
import { fNumber, ROUNDING_MODES, xNumber } from '../registers.ts';
import { AssemblyError } from './assembly-error.ts';

/** What operands of an instruction need to know. */
export interface OperandScope {
  readonly line: number;
  /** A plain number. */
  number(text: string): bigint;
  /** How far away a branch target is, in bytes. */
  distance(text: string): bigint;
}

/** A mnemonic of the table: what it stands for, and its operands in assembly order. */
export type Form =
  | { readonly kind: 'base'; readonly base: Instruction; readonly ordering: number }
  | { readonly kind: 'alias'; readonly alias: Alias }
  | { readonly kind: 'compressed'; readonly compressed: CompressedInstruction };

const aliasesByMnemonic = new Map<string, Alias[]>();
for (const alias of ALIASES.filter((one) => one.assembled)) {
  aliasesByMnemonic.set(alias.mnemonic, [...(aliasesByMnemonic.get(alias.mnemonic) ?? []), alias]);
}

/** What GNU as also takes: the name without i where the last operand is a number. */
const IMMEDIATE_FORMS: Readonly<Record<string, string>> = {
  ...{ add: 'addi', and: 'andi', or: 'ori', xor: 'xori', slt: 'slti', sltu: 'sltiu', addw: 'addiw' },
  ...{
    sll: 'slli',
    srl: 'srli',
    sra: 'srai',
    sllw: 'slliw',
    srlw: 'srliw',
    sraw: 'sraiw',
    ror: 'rori',
    rorw: 'roriw',
  },
  ...{ bclr: 'bclri', bset: 'bseti', binv: 'binvi', bext: 'bexti' },
  ...{ csrw: 'csrwi', csrs: 'csrsi', csrc: 'csrci', csrrw: 'csrrwi', csrrs: 'csrrsi', csrrc: 'csrrci' },
};

const ORDERINGS: Readonly<Record<string, number>> = { rl: 1, aq: 2, aqrl: 3 };

const isRegister = (text: string): boolean => xNumber(text) !== undefined || fNumber(text) !== undefined;
const hasBase = (text: string): boolean => isRegister(/\(\s*(\w+)\s*\)$/.exec(text)?.[1] ?? '');

/** True when an operand's text may be what the template asks for. */
function fits(template: string, text: string): boolean {
  if (template.endsWith(')')) return hasBase(text);
  if (/^f[ds]/.test(template)) return fNumber(text) !== undefined;
  if (/^r[dsw]/.test(template) || template === 'x2') return xNumber(text) !== undefined;
  return !hasBase(text) && (template === 'rm' || template === 'rmx' || !isRegister(text));
}

const isOptional = (template: string): boolean => template === 'rm' || template === 'rmx';

function fitsAll(templates: readonly string[], texts: readonly string[]): boolean {
  const needed = templates.filter((template) => !isOptional(template)).length;
  if (texts.length < needed || texts.length > templates.length) return false;
  return texts.every((text, index) => fits(templates[index] ?? '', text));
}

/** True when there is an instruction or alias of this name. */
export const isMnemonic = (mnemonic: string): boolean =>
  findInstruction(mnemonic) !== undefined ||
  findCompressed(mnemonic) !== undefined ||
  aliasesByMnemonic.has(mnemonic) ||
  splitOrdering(mnemonic) !== undefined;

function splitOrdering(mnemonic: string): { base: Instruction; ordering: number } | undefined {
  const [, name = '', suffix = ''] = /^(.+)\.(aqrl|aq|rl)$/.exec(mnemonic) ?? [];
  const base = findInstruction(name);
  return base?.format === 'AMO' ? { base, ordering: ORDERINGS[suffix] ?? 0 } : undefined;
}

/** Finds what a mnemonic means with these operands. @throws AssemblyError when nothing of that name takes them */
export function findForm(mnemonic: string, texts: readonly string[], line: number): Form {
  const base = findInstruction(mnemonic);
  if (base !== undefined && fitsAll(base.operands, texts)) return { kind: 'base', base, ordering: 0 };
  const alias = aliasesByMnemonic.get(mnemonic)?.find((one) => fitsAll(one.operands, texts));
  if (alias !== undefined) return { kind: 'alias', alias };
  const ordered = splitOrdering(mnemonic);
  if (ordered !== undefined && fitsAll(ordered.base.operands, texts)) return { kind: 'base', ...ordered };
  const compressed = findCompressed(mnemonic);
  if (compressed !== undefined && fitsAll(optionalNop(compressed, texts), texts))
    return { kind: 'compressed', compressed };
  const immediate = IMMEDIATE_FORMS[mnemonic];
  if (immediate !== undefined && !isRegister(texts.at(-1) ?? '')) return findForm(immediate, texts, line);
  const spellings = [base, ...(aliasesByMnemonic.get(mnemonic) ?? []), ordered?.base, compressed]
    .filter((one) => one !== undefined)
    .map((one) => `"${mnemonic} ${one.operands.join(',')}"`.replace(' "', '"'));
  if (spellings.length === 0) {
    throw new AssemblyError(
      line,
      `there is no instruction "${mnemonic}": see docs/coverage.md for those there are`,
    );
  }
  throw new AssemblyError(
    line,
    `${mnemonic} does not take "${texts.join(',')}": write ${spellings.join(' or ')}`,
  );
}

/** c.nop may be written without its immediate. */
const optionalNop = (one: CompressedInstruction, texts: readonly string[]): readonly string[] =>
  one.mnemonic === 'c.nop' && texts.length === 0 ? [] : one.operands;

/** Bytes that a form takes. */
export const formBytes = (form: Form): number => (form.kind === 'compressed' ? 2 : 4);

function inRange(value: bigint, low: bigint, high: bigint, what: string, scope: OperandScope): number {
  if (value < low || value > high) {
    throw new AssemblyError(scope.line, `${what} ${value} is out of range: it must be ${low} to ${high}`);
  }
  return Number(value);
}

function branchDistance(text: string, reach: bigint, scope: OperandScope): number {
  const value = scope.distance(text);
  if ((value & 1n) !== 0n)
    throw new AssemblyError(scope.line, `the target ${text} is at an odd distance (${value})`);
  if (value < -reach || value >= reach) {
    throw new AssemblyError(
      scope.line,
      `the target ${text} is too far away (${value} bytes): use call, tail or j`,
    );
  }
  return Number(value);
}

function fenceSet(text: string, scope: OperandScope): number {
  if (text === 'unknown' || text === '0') return 0;
  const letters = [...text];
  const value = letters.reduce((set, letter) => set | (8 >> Math.max(0, 'iorw'.indexOf(letter))), 0);
  if (
    text === '' ||
    letters.some((letter) => !'iorw'.includes(letter)) ||
    new Set(letters).size !== letters.length
  ) {
    throw new AssemblyError(scope.line, `"${text}" is no set of accesses: use letters of iorw`);
  }
  return value;
}

/** Value of one name of an operand template. */
function slotValue(name: string, text: string, format: Format, scope: OperandScope): number {
  if (/^f[ds]/.test(name)) return fNumber(text) ?? failRegister(text, scope);
  if (/^r[dsw]/.test(name) || name === 'x2') return xNumber(text) ?? failRegister(text, scope);
  switch (name) {
    case 'imm':
    case 'off':
      if (format === 'SHIFT') return inRange(scope.number(text), 0n, 63n, 'the shift amount', scope);
      return inRange(text === '' ? 0n : scope.number(text), -2048n, 2047n, 'the immediate', scope);
    case 'shamt':
      return inRange(scope.number(text), 0n, format === 'SHIFTW' ? 31n : 63n, 'the shift amount', scope);
    case 'upper':
      return inRange(scope.number(text), 0n, 0xfffffn, 'the upper immediate', scope) << 12;
    case 'zimm':
      return inRange(scope.number(text), 0n, 31n, 'the immediate', scope);
    case 'csr':
      return csrNumber(text) ?? inRange(scope.number(text), 0n, 4095n, 'the CSR number', scope);
    case 'target':
      return branchDistance(text, format === 'J' ? 0x100000n : 0x1000n, scope);
    case 'pred':
    case 'succ':
      return fenceSet(text, scope);
    default: {
      const mode = ROUNDING_MODES.indexOf(text);
      if (mode >= 0) return mode;
      throw new AssemblyError(
        scope.line,
        `"${text}" is no rounding mode: use ${ROUNDING_MODES.filter(Boolean).join(', ')}`,
      );
    }
  }
}

function failRegister(text: string, scope: OperandScope): never {
  throw new AssemblyError(scope.line, `"${text}" is no register`);
}

/** Values by name of a list of operands. */
function operandValues(
  templates: readonly string[],
  texts: readonly string[],
  format: Format,
  scope: OperandScope,
): Map<string, number> {
  const values = new Map<string, number>();
  for (const [index, text] of texts.entries()) {
    const template = templates[index] ?? '';
    if (!template.endsWith(')')) {
      values.set(template, slotValue(template, text, format, scope));
      continue;
    }
    const open = text.lastIndexOf('(');
    const parts = [text.slice(0, open).trim(), text.slice(open + 1, -1).trim()];
    const names = slotNames(template);
    if (
      names.length === 1 &&
      parts[0] !== '' &&
      inRange(scope.number(parts[0] ?? ''), 0n, 0n, 'the offset', scope)
    )
      continue;
    for (const name of names) {
      values.set(name, slotValue(name, (name === names.at(-1) ? parts[1] : parts[0]) ?? '', format, scope));
    }
  }
  return values;
}

const FIELD_LOW: Readonly<Record<string, number>> = {
  ...{
    rd: 7,
    fd: 7,
    rs1: 15,
    fs1: 15,
    zimm: 15,
    rs2: 20,
    fs2: 20,
    csr: 20,
    fs3: 27,
    pred: 24,
    succ: 20,
    rm: 12,
    rmx: 12,
  },
};

function buildWord(base: Instruction, values: ReadonlyMap<string, number>): number {
  let word = base.match;
  if (base.operands.includes('rm') && !values.has('rm')) word |= 7 << 12;
  for (const [name, value] of values) {
    const low = FIELD_LOW[name];
    word |= low === undefined ? placeImmediate(base.format, value) : value << low;
  }
  return word >>> 0;
}

/** The word (or halfword) of a form with these operands. @throws AssemblyError */
export function encodeForm(form: Form, texts: readonly string[], scope: OperandScope): number {
  if (form.kind === 'base') {
    const { base, ordering } = form;
    const values = operandValues(base.operands, texts, base.format, scope);
    if (base.mnemonic.startsWith('prefetch') && ((values.get('off') ?? 0) & 31) !== 0) {
      throw new AssemblyError(scope.line, `the offset of ${base.mnemonic} must be a multiple of 32`);
    }
    return (buildWord(base, values) | (ordering << 25)) >>> 0;
  }
  if (form.kind === 'alias') {
    const { base, operands, slots } = form.alias;
    const given = operandValues(operands, texts, base.format, scope);
    const values = new Map<string, number>();
    for (const [name, slot] of slots) {
      values.set(name, slot.kind === 'fixed' ? slot.value : (given.get(slot.name) ?? 0));
    }
    return buildWord(base, values);
  }
  return encodeCompressed(form.compressed, texts, scope);
}

function encodeCompressed(one: CompressedInstruction, texts: readonly string[], scope: OperandScope): number {
  const { base, registers } = one;
  const given = operandValues(one.operands, texts, base.format, scope);
  const values = new Map<string, number>();
  for (const field of ['rd', 'rs1', 'rs2'] as const) {
    const register = registers[field];
    if (register === undefined) continue;
    if (register.kind === 'fixed') values.set(field, register.number);
    else values.set(field, given.get(register.name) ?? given.get(register.name.replace('r', 'f')) ?? 0);
  }
  const immediate = given.get('imm') ?? given.get('upper') ?? given.get('target');
  if (immediate !== undefined) values.set('imm', immediate);
  const stack = given.get('x2');
  const halfword = stack === undefined || stack === 2 ? compress(one, buildWord(base, values)) : undefined;
  if (halfword !== undefined) return halfword;
  throw new AssemblyError(
    scope.line,
    `${one.mnemonic} cannot encode "${texts.join(',')}": use ${base.mnemonic}`,
  );
}
