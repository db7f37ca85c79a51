// Writes an assembled image as an ELF64 executable for RISC-V. System V ABI, chapters 4 and 5; RISC-V psABI 1.0, chapter 8.
import type { AssembledSection, Assembly } from './assembler/assemble.ts';

const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const SHDR_BYTES = 64;
const SYM_BYTES = 24;
const PAGE = 4096;

const ET_EXEC = 2;
const EM_RISCV = 243;
/** e_flags: compressed instructions, double-precision ABI. */
const EF_RISCV_RVC = 1;
const EF_RISCV_FLOAT_ABI_DOUBLE = 4;
const PT_LOAD = 1;
const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_NOBITS = 8;
const SHN_ABS = 0xfff1;

/** A string table: each name once. */
class Strings {
  readonly #offsets = new Map<string, number>([['', 0]]);
  #text = '\0';

  add(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = new TextEncoder().encode(this.#text).length;
    this.#offsets.set(name, offset);
    this.#text += `${name}\0`;
    return offset;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}

const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

interface Placed {
  section: AssembledSection;
  offset: number;
}

/** Sections at offsets that are congruent to their addresses modulo the page size. */
function placeSections(
  sections: readonly AssembledSection[],
  start: number,
): { placed: Placed[]; end: number } {
  let end = start;
  const placed = sections.map((section) => {
    const offset = alignUp(end, PAGE) + Number(section.address % BigInt(PAGE));
    const closer = offset - PAGE >= end ? offset - PAGE : offset;
    end = closer + section.bytes.length;
    return { section, offset: closer };
  });
  return { placed, end };
}

/** The file's bytes: one segment for each section, and a symbol table. */
export function writeElf(assembly: Assembly): Uint8Array {
  const { sections, symbols } = assembly;
  const { placed, end } = placeSections(sections, EHDR_BYTES + PHDR_BYTES * sections.length);

  const names = new Strings();
  // Local symbols come first: sh_info of .symtab is the index of the first global one.
  const ordered = [...symbols].sort(([, a], [, b]) => Number(a.global) - Number(b.global));
  const symbolTable = new DataView(new ArrayBuffer(SYM_BYTES * (ordered.length + 1)));
  for (const [index, [name, symbol]] of ordered.entries()) {
    const at = SYM_BYTES * (index + 1);
    const sectionIndex = sections.findIndex((one) => one.name === symbol.section) + 1;
    symbolTable.setUint32(at, names.add(name), true);
    symbolTable.setUint8(at + 4, symbol.global ? 0x10 : 0);
    symbolTable.setUint16(at + 6, sectionIndex === 0 ? SHN_ABS : sectionIndex, true);
    symbolTable.setBigUint64(at + 8, BigInt.asUintN(64, symbol.value), true);
  }
  const symtabOffset = alignUp(end, 8);
  const strtab = names.bytes();
  const strtabOffset = symtabOffset + symbolTable.byteLength;
  const sectionNames = new Strings();
  const headerNames = [...sections.map((one) => one.name), '.symtab', '.strtab', '.shstrtab'].map((name) =>
    sectionNames.add(name),
  );
  const shstrtab = sectionNames.bytes();
  const shstrtabOffset = strtabOffset + strtab.length;
  const headersOffset = alignUp(shstrtabOffset + shstrtab.length, 8);
  const headerCount = sections.length + 4;

  const file = new Uint8Array(headersOffset + SHDR_BYTES * headerCount);
  const view = new DataView(file.buffer);
  writeHeader(view, assembly, headersOffset, headerCount);
  for (const [index, { section, offset }] of placed.entries()) {
    const flags = 4 | (section.writable ? 2 : 0) | (section.executable ? 1 : 0);
    const at = EHDR_BYTES + PHDR_BYTES * index;
    view.setUint32(at, PT_LOAD, true);
    view.setUint32(at + 4, flags, true);
    const { address, size, bytes } = section;
    for (const [field, value] of [offset, address, address, bytes.length, size, PAGE].entries()) {
      view.setBigUint64(at + 8 + 8 * field, BigInt.asUintN(64, BigInt(value)), true);
    }
    file.set(bytes, offset);
  }
  file.set(new Uint8Array(symbolTable.buffer), symtabOffset);
  file.set(strtab, strtabOffset);
  file.set(shstrtab, shstrtabOffset);

  const header = (
    index: number,
    type: number,
    words: readonly (number | bigint)[],
    link = 0,
    info = 0,
  ): void => {
    const at = headersOffset + SHDR_BYTES * index;
    const [flags = 0, address = 0, offset = 0, size = 0, alignment = 1, entry = 0] = words;
    view.setUint32(at, headerNames[index - 1] ?? 0, true);
    view.setUint32(at + 4, type, true);
    for (const [field, value] of [flags, address, offset, size].entries()) {
      view.setBigUint64(at + 8 + 8 * field, BigInt.asUintN(64, BigInt(value)), true);
    }
    view.setUint32(at + 40, link, true);
    view.setUint32(at + 44, info, true);
    view.setBigUint64(at + 48, BigInt(alignment), true);
    view.setBigUint64(at + 56, BigInt(entry), true);
  };
  for (const [index, { section, offset }] of placed.entries()) {
    const flags = 2 | (section.writable ? 1 : 0) | (section.executable ? 4 : 0);
    const type = section.bytes.length === 0 ? SHT_NOBITS : SHT_PROGBITS;
    header(index + 1, type, [flags, section.address, offset, section.size, 4]);
  }
  const firstGlobal = ordered.findIndex(([, symbol]) => symbol.global);
  const info = (firstGlobal < 0 ? ordered.length : firstGlobal) + 1;
  const count = sections.length;
  header(count + 1, SHT_SYMTAB, [0, 0, symtabOffset, symbolTable.byteLength, 8, SYM_BYTES], count + 2, info);
  header(count + 2, SHT_STRTAB, [0, 0, strtabOffset, strtab.length]);
  header(count + 3, SHT_STRTAB, [0, 0, shstrtabOffset, shstrtab.length]);
  return file;
}

function writeHeader(view: DataView, assembly: Assembly, headersOffset: number, headerCount: number): void {
  const ident = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1];
  for (const [index, byte] of ident.entries()) view.setUint8(index, byte);
  view.setUint16(16, ET_EXEC, true);
  view.setUint16(18, EM_RISCV, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt.asUintN(64, assembly.entry), true);
  view.setBigUint64(32, BigInt(EHDR_BYTES), true);
  view.setBigUint64(40, BigInt(headersOffset), true);
  view.setUint32(48, EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE, true);
  const halves = [EHDR_BYTES, PHDR_BYTES, assembly.sections.length, SHDR_BYTES, headerCount, headerCount - 1];
  for (const [index, value] of halves.entries()) view.setUint16(52 + 2 * index, value, true);
}
