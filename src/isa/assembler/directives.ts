// Directives of the assembler.
import { AssemblyError } from './assembly-error.ts';
import { unescapeString } from './expression.ts';
import type { Section } from './sections.ts';

/** What directives do to the assembler. */
export interface DirectiveContext {
  readonly section: Section;
  switchTo(name: string, flags?: string): void;
  /** Adds bytes to the section; `write` fills them in when addresses are known. */
  emit(bytes: number, line: number, write?: (view: DataView, at: number, address: bigint) => void): void;
  define(name: string, text: string, line: number): void;
  declareGlobal(name: string): void;
  /** A number that must be known already. */
  constant(text: string, line: number): bigint;
  /** A number that is known once addresses are. */
  deferred(text: string, line: number): () => bigint;
}

const DATA_BYTES: Readonly<Record<string, number>> = {
  ...{ '.byte': 1, '.2byte': 2, '.half': 2, '.short': 2, '.hword': 2, '.4byte': 4, '.word': 4, '.long': 4 },
  ...{ '.8byte': 8, '.dword': 8, '.quad': 8 },
};

/** Directives that say nothing to this assembler. */
const IGNORED = new Set([
  '.option',
  '.type',
  '.size',
  '.file',
  '.ident',
  '.attribute',
  '.local',
  '.loc',
  '.cfi_startproc',
]);
IGNORED.add('.cfi_endproc');

const NOP = 0x13;
const C_NOP = 0x0001;

/** @throws AssemblyError when the directive is unknown, or its operands make no sense */
export function assembleDirective(
  name: string,
  operands: readonly string[],
  line: number,
  context: DirectiveContext,
): void {
  const [first = '', second] = operands;
  const need = (least: number, usage: string): void => {
    if (operands.length < least)
      throw new AssemblyError(line, `${name} takes ${least} operand(s): write "${usage}"`);
  };
  const width = DATA_BYTES[name];
  if (width !== undefined) {
    need(1, `${name} number, …`);
    for (const operand of operands) emitNumber(operand, width, line, context);
    return;
  }
  switch (name) {
    case '.text':
    case '.data':
    case '.bss':
    case '.rodata':
      context.switchTo(name);
      return;
    case '.section':
      need(1, '.section name');
      context.switchTo(first, second === undefined ? undefined : quoted(second, line));
      return;
    case '.globl':
    case '.global':
    case '.weak':
      need(1, `${name} symbol`);
      for (const operand of operands) context.declareGlobal(operand);
      return;
    case '.equ':
    case '.set':
      need(2, `${name} symbol, value`);
      context.define(first, operands.slice(1).join(','), line);
      return;
    case '.align':
    case '.p2align':
    case '.balign': {
      need(1, `${name} number`);
      const value = context.constant(first, line);
      align(name === '.balign' ? value : 1n << limited(value, 16n, '.align', line), line, context);
      return;
    }
    case '.ascii':
    case '.asciz':
    case '.string':
      need(1, `${name} "text"`);
      for (const operand of operands) emitString(operand, name !== '.ascii', line, context);
      return;
    case '.space':
    case '.zero':
    case '.skip':
      need(1, `${name} bytes`);
      fill(limited(context.constant(first, line), 0x1000_0000n, name, line), second, line, context);
      return;
    default:
      if (!IGNORED.has(name)) throw new AssemblyError(line, `unknown directive ${name}`);
  }
}

function limited(value: bigint, most: bigint, what: string, line: number): bigint {
  if (value < 0n || value > most) throw new AssemblyError(line, `${what} takes 0 to ${most}, not ${value}`);
  return value;
}

function quoted(text: string, line: number): string {
  if (!/^".*"$/s.test(text)) throw new AssemblyError(line, `put ${text} in double quotes`);
  return new TextDecoder().decode(unescapeString(text.slice(1, -1), line));
}

function requireBytes(context: DirectiveContext, line: number): void {
  if (context.section.empty)
    throw new AssemblyError(line, `${context.section.name} holds no bytes: use .space`);
}

function emitNumber(text: string, width: number, line: number, context: DirectiveContext): void {
  requireBytes(context, line);
  const value = context.deferred(text, line);
  context.emit(width, line, (view, at) => {
    const number = value();
    const bits = BigInt(8 * width);
    if (number < -(1n << (bits - 1n)) || number >= 1n << bits) {
      throw new AssemblyError(line, `${number} does not fit in ${width} byte(s)`);
    }
    for (let byte = 0; byte < width; byte++)
      view.setUint8(at + byte, Number((number >> BigInt(8 * byte)) & 0xffn));
  });
}

function emitString(text: string, terminated: boolean, line: number, context: DirectiveContext): void {
  requireBytes(context, line);
  if (!/^".*"$/s.test(text)) throw new AssemblyError(line, `put ${text} in double quotes`);
  const bytes = unescapeString(text.slice(1, -1), line);
  context.emit(bytes.length + (terminated ? 1 : 0), line, (view, at) => {
    for (const [index, byte] of bytes.entries()) view.setUint8(at + index, byte);
  });
}

function fill(bytes: bigint, value: string | undefined, line: number, context: DirectiveContext): void {
  const byte = value === undefined ? 0 : Number(context.constant(value, line) & 0xffn);
  if (byte !== 0) requireBytes(context, line);
  context.emit(Number(bytes), line, (view, at) => {
    for (let index = 0; index < Number(bytes) && byte !== 0; index++) view.setUint8(at + index, byte);
  });
}

function align(alignment: bigint, line: number, context: DirectiveContext): void {
  const bytes = Number(limited(alignment, 65536n, 'an alignment', line));
  if (bytes === 0 || (bytes & (bytes - 1)) !== 0)
    throw new AssemblyError(line, `${bytes} is no power of two`);
  const { section } = context;
  section.alignment = Math.max(section.alignment, bytes);
  const padding = (bytes - (section.size % bytes)) % bytes;
  if (padding === 0) return;
  if (!section.executable || padding % 2 !== 0) {
    context.emit(padding, line);
    return;
  }
  context.emit(padding, line, (view, at) => {
    const short = padding % 4;
    if (short !== 0) view.setUint16(at, C_NOP, true);
    for (let offset = short; offset < padding; offset += 4) view.setUint32(at + offset, NOP, true);
  });
}
