// The assembler: GNU as's language as far as our guests and tests need it, over the instruction table. No relaxation, no
// linking: one source becomes one image with known addresses.
import { AssemblyError } from './assembly-error.ts';
import { assembleDirective, type DirectiveContext } from './directives.ts';
import { encodeForm, findForm, formBytes, isMnemonic } from './encode.ts';
import { type Expression, evaluate, parseExpression, type Scope, type Value } from './expression.ts';
import { expandPseudo, type Step } from './pseudo.ts';
import { createSection, type Section } from './sections.ts';
import { parseStatements, type Statement } from './statement.ts';

export interface AssembleOptions {
  /** Address of the first section (.text). Default 0x8000_0000. */
  origin?: bigint | number;
  /** The symbol to start at. Default _start; without it, the start of .text. */
  entry?: string;
}

export interface AssembledSection {
  readonly name: string;
  readonly address: bigint;
  /** Its contents; empty for .bss. */
  readonly bytes: Uint8Array;
  /** Bytes in memory. */
  readonly size: number;
  readonly writable: boolean;
  readonly executable: boolean;
}

export interface AssembledSymbol {
  readonly value: bigint;
  /** Undefined for a constant (.equ). */
  readonly section?: string;
  readonly global: boolean;
}

export interface Assembly {
  /** Non-empty sections, in ascending order of their addresses. */
  readonly sections: readonly AssembledSection[];
  readonly symbols: ReadonlyMap<string, AssembledSymbol>;
  readonly entry: bigint;
  /** Contents of .text. */
  readonly text: Uint8Array;
}

/** Where a symbol's value comes from. */
type Definition =
  | { readonly kind: 'place'; readonly section: string; readonly offset: number }
  | {
      readonly kind: 'expression';
      readonly expression: Expression;
      readonly here: Value;
      readonly line: number;
    };

/** The order of sections in memory; others follow in the order of the source. */
const ORDER = ['.text', '.rodata', '.data', '.bss'];

/**
 * Assembles a source text.
 * @throws AssemblyError at the first mistake, with its line
 */
export function assemble(source: string, options: AssembleOptions = {}): Assembly {
  return new Assembler().run(source, options);
}

class Assembler implements DirectiveContext {
  readonly #sections = new Map<string, Section>();
  readonly #definitions = new Map<string, Definition>();
  readonly #numeric = new Map<string, { section: string; offset: number; sequence: number }[]>();
  readonly #globals = new Set<string>();
  /** Addresses of sections, once they are laid out. */
  readonly #bases = new Map<string, bigint>();
  /** What the auipc at a place is the upper half of: for %pcrel_lo. */
  readonly #upperHalves = new Map<string, { expression: Expression; line: number; sequence: number }>();
  /** Symbols whose value is being looked up, to notice a definition by itself. */
  readonly #pending = new Set<string>();
  #section: Section;
  #sequence = 0;

  constructor() {
    for (const name of ORDER) this.#sections.set(name, createSection(name));
    this.#section = this.#sections.get('.text') ?? createSection('.text');
  }

  run(source: string, options: AssembleOptions): Assembly {
    for (const statement of parseStatements(source)) this.#statement(statement);
    this.#layOut(BigInt(options.origin ?? 0x8000_0000));
    return this.#finish(options.entry);
  }

  // ---- first pass: sizes and places ---------------------------------------------------------------------------------

  #statement(statement: Statement): void {
    const { line, labels, name, operands } = statement;
    this.#sequence++;
    for (const label of labels) this.#label(label, line);
    if (name === '') return;
    if (name.startsWith('.') && !isMnemonic(name)) assembleDirective(name, operands, line, this);
    else if (operands[0]?.startsWith('=') === true) this.define(name, operands.join(',').slice(1), line);
    else this.#instruction(name, operands, line);
  }

  #label(label: string, line: number): void {
    const place = { section: this.#section.name, offset: this.#section.size };
    if (/^[0-9]/.test(label)) {
      const list = this.#numeric.get(label) ?? [];
      list.push({ ...place, sequence: this.#sequence });
      this.#numeric.set(label, list);
      return;
    }
    if (this.#definitions.has(label))
      throw new AssemblyError(line, `the label "${label}" is there already: rename one`);
    this.#definitions.set(label, { kind: 'place', ...place });
  }

  #instruction(name: string, operands: readonly string[], line: number): void {
    if (this.#section.empty)
      throw new AssemblyError(line, `${this.#section.name} holds no bytes: put ${name} in .text`);
    const steps: Step[] = expandPseudo(name, operands, line, (text) => this.constant(text, line)) ?? [
      { name, operands },
    ];
    for (const step of steps) this.#oneInstruction(step, line);
  }

  #oneInstruction({ name, operands }: Step, line: number): void {
    if (name === 'c.unimp') {
      this.emit(2, line, (view, at) => view.setUint16(at, 0, true));
      return;
    }
    const form = findForm(name, operands, line);
    const bytes = formBytes(form);
    const section = this.#section;
    const offset = section.size;
    const sequence = this.#sequence;
    const upper = name === 'auipc' ? /^%pcrel_hi\((.*)\)$/s.exec(operands[1] ?? '')?.[1] : undefined;
    if (upper !== undefined) {
      this.#upperHalves.set(`${section.name}+${offset}`, {
        expression: parseExpression(upper, line),
        line,
        sequence,
      });
    }
    this.emit(bytes, line, (view, at, address) => {
      const scope = this.#scope(line, sequence, { section: section.name, value: BigInt(offset) });
      const value = (text: string): bigint => this.#absolute(evaluate(parseExpression(text, line), scope));
      const word = encodeForm(form, operands, {
        line,
        number: (text) => BigInt.asIntN(64, value(text)),
        distance: (text) => BigInt.asIntN(64, value(text) - address),
      });
      if (bytes === 2) view.setUint16(at, word, true);
      else view.setUint32(at, word, true);
    });
  }

  // ---- what directives need -----------------------------------------------------------------------------------------

  get section(): Section {
    return this.#section;
  }

  switchTo(name: string, flags?: string): void {
    const section = this.#sections.get(name) ?? createSection(name, flags);
    this.#sections.set(name, section);
    this.#section = section;
  }

  emit(bytes: number, line: number, write?: (view: DataView, at: number, address: bigint) => void): void {
    const section = this.#section;
    if (section.size + bytes > 0x1000_0000)
      throw new AssemblyError(line, `${section.name} grows past 256 MiB`);
    section.pieces.push({ offset: section.size, bytes, line, ...(write === undefined ? {} : { write }) });
    section.size += bytes;
  }

  define(name: string, text: string, line: number): void {
    if (this.#definitions.get(name)?.kind === 'place') {
      throw new AssemblyError(line, `"${name}" is a label already: choose another name`);
    }
    const here = { section: this.#section.name, value: BigInt(this.#section.size) };
    this.#definitions.set(name, { kind: 'expression', expression: parseExpression(text, line), here, line });
  }

  declareGlobal(name: string): void {
    this.#globals.add(name);
  }

  constant(text: string, line: number): bigint {
    const here = { section: this.#section.name, value: BigInt(this.#section.size) };
    const { section, value } = evaluate(parseExpression(text, line), this.#scope(line, this.#sequence, here));
    if (section === undefined) return value;
    throw new AssemblyError(
      line,
      `${text} is an address, which is not known yet here: use la, or a difference of labels`,
    );
  }

  /** A value of data, evaluated when the addresses are known. */
  deferred(text: string, line: number): () => bigint {
    const expression = parseExpression(text, line);
    const here = { section: this.#section.name, value: BigInt(this.#section.size) };
    const sequence = this.#sequence;
    return () => this.#absolute(evaluate(expression, this.#scope(line, sequence, here)));
  }

  // ---- values -------------------------------------------------------------------------------------------------------

  #absolute({ section, value }: Value): bigint {
    return section === undefined ? value : value + (this.#bases.get(section) ?? 0n);
  }

  #scope(line: number, sequence: number, here: Value): Scope {
    const scope: Scope = {
      line,
      symbol: (name) => this.#symbol(name, line, sequence, here),
      relocation: (name, operand) => this.#relocation(name, operand, scope, here),
    };
    return scope;
  }

  #symbol(name: string, line: number, sequence: number, here: Value): Value {
    if (name === '.') return here;
    if (/^[0-9]/.test(name)) return this.#numericLabel(name, line, sequence);
    const definition = this.#definitions.get(name);
    if (definition === undefined) {
      throw new AssemblyError(
        line,
        `there is no symbol "${name}"${this.#bases.size === 0 ? ' before this line' : ''}`,
      );
    }
    if (definition.kind === 'place') return { section: definition.section, value: BigInt(definition.offset) };
    if (this.#pending.has(name)) throw new AssemblyError(definition.line, `"${name}" is defined by itself`);
    this.#pending.add(name);
    try {
      return evaluate(definition.expression, this.#scope(definition.line, sequence, definition.here));
    } finally {
      this.#pending.delete(name);
    }
  }

  #numericLabel(name: string, line: number, sequence: number): Value {
    const list = this.#numeric.get(name.slice(0, -1)) ?? [];
    const found = name.endsWith('b')
      ? list.findLast((one) => one.sequence <= sequence)
      : list.find((one) => one.sequence > sequence);
    if (found !== undefined) return { section: found.section, value: BigInt(found.offset) };
    throw new AssemblyError(
      line,
      `there is no label ${name.slice(0, -1)}: ${name.endsWith('b') ? 'above' : 'below'}`,
    );
  }

  #relocation(name: string, operand: Expression, scope: Scope, here: Value): bigint {
    const distance = (expression: Expression, from: Value, inner: Scope): bigint =>
      BigInt.asIntN(64, this.#absolute(evaluate(expression, inner)) - this.#absolute(from));
    const upper = (value: bigint): bigint => {
      const half = (value + 0x800n) >> 12n;
      if (half < -0x80000n || half >= 0x80000n) {
        throw new AssemblyError(
          scope.line,
          `${value} is out of reach of 32 bits: load the address from memory`,
        );
      }
      return BigInt.asUintN(20, half);
    };
    switch (name) {
      case '%hi':
        // An address in the upper half of 32 bits is what lui and addi give sign-extended: not that address.
        return upper(BigInt.asIntN(64, this.#absolute(evaluate(operand, scope))));
      case '%lo':
        return BigInt.asIntN(12, this.#absolute(evaluate(operand, scope)));
      case '%pcrel_hi':
        return upper(distance(operand, here, scope));
      case '%far_lo':
        return BigInt.asIntN(12, distance(operand, { ...here, value: here.value - 4n }, scope));
      default: {
        const label = evaluate(operand, scope);
        const half = this.#upperHalves.get(`${label.section}+${label.value}`);
        if (half === undefined)
          throw new AssemblyError(scope.line, '%pcrel_lo takes the label of an auipc with %pcrel_hi');
        return BigInt.asIntN(
          12,
          distance(half.expression, label, this.#scope(half.line, half.sequence, label)),
        );
      }
    }
  }

  // ---- second pass: addresses and bytes -----------------------------------------------------------------------------

  #layOut(origin: bigint): void {
    let address = origin;
    for (const section of this.#sections.values()) {
      const alignment = BigInt(Math.max(section.alignment, 16));
      if (section.size > 0 && section.name !== '.text')
        address = ((address + alignment - 1n) / alignment) * alignment;
      this.#bases.set(section.name, address);
      address += BigInt(section.size);
    }
  }

  #finish(entryName: string | undefined): Assembly {
    const sections: AssembledSection[] = [];
    for (const section of this.#sections.values()) {
      const address = this.#bases.get(section.name) ?? 0n;
      const bytes = new Uint8Array(section.empty ? 0 : section.size);
      const view = new DataView(bytes.buffer);
      for (const piece of section.pieces) piece.write?.(view, piece.offset, address + BigInt(piece.offset));
      const { name, size, writable, executable } = section;
      if (size > 0) sections.push({ name, address, bytes, size, writable, executable });
    }
    const symbols = new Map<string, AssembledSymbol>();
    for (const [name, definition] of this.#definitions) {
      const line = definition.kind === 'expression' ? definition.line : 0;
      const value = this.#symbol(name, line, this.#sequence, { value: 0n });
      const place = value.section === undefined ? {} : { section: value.section };
      symbols.set(name, { value: this.#absolute(value), ...place, global: this.#globals.has(name) });
    }
    const entry = symbols.get(entryName ?? '_start')?.value;
    if (entry === undefined && entryName !== undefined)
      throw new AssemblyError(0, `there is no entry "${entryName}"`);
    return {
      sections,
      symbols,
      entry: entry ?? this.#bases.get('.text') ?? 0n,
      text: sections.find((one) => one.name === '.text')?.bytes ?? new Uint8Array(0),
    };
  }
}
