// ELF64 little-endian relocatable objects for RISC-V, read into sections and symbols and written again.
// System V gABI, chapters 4 and 5; RISC-V ELF psABI.
import { GuestError } from './guest-error.ts';

export const SectionType = {
  null: 0,
  symbolTable: 2,
  stringTable: 3,
  rela: 4,
  noBits: 8,
  rel: 9,
  group: 17,
  symbolIndices: 18,
} as const;
export const SectionFlag = { alloc: 2n, infoLink: 0x40n, linkOrder: 0x80n } as const;
export const SymbolType = { section: 3, file: 4 } as const;
/** Section indices from here on have a special meaning (SHN_ABS, SHN_COMMON, …). */
export const FIRST_RESERVED_INDEX = 0xff00;

export interface Section {
  name: string;
  type: number;
  flags: bigint;
  address: bigint;
  /** Bytes; those of a section without bits are nowhere in the file. */
  size: number;
  link: number;
  info: number;
  alignment: number;
  entrySize: number;
  /** Empty for a section without bits. */
  data: Uint8Array;
}

export interface ElfSymbol {
  name: string;
  /** Binding in the upper four bits, type in the lower. */
  info: number;
  other: number;
  /** Index of its section, or 0 (undefined), or at least FIRST_RESERVED_INDEX. */
  section: number;
  value: bigint;
  size: bigint;
}

export interface Relocatable {
  /** The processor's flags (e_flags). */
  flags: number;
  /** Section 0 is the null section. */
  sections: Section[];
  /** Symbol 0 is the null symbol. */
  symbols: ElfSymbol[];
  /** Which section the symbols are of. */
  symbolTable: number;
}

const HEADER_BYTES = 64;
/** A page is the most that a kernel module's section is aligned to. */
const LARGEST_ALIGNMENT = 4096;
const SECTION_HEADER_BYTES = 64;
export const SYMBOL_BYTES = 24;
export const RELA_BYTES = 24;
const MAGIC = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1];
const ET_REL = 1;
const EM_RISCV = 243;

/** A view of the bytes' own part of their buffer. */
export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Reads a relocatable object.
 * @param what names the file in errors
 * @throws {GuestError} format
 */
export function readRelocatable(bytes: Uint8Array, what: string): Relocatable {
  const bad = (why: string) => new GuestError('format', `${what} is no kernel module: ${why}`);
  if (bytes.length < HEADER_BYTES || !MAGIC.every((byte, index) => bytes[index] === byte)) {
    throw bad('it is not a little-endian ELF64 file');
  }
  const view = viewOf(bytes);
  if (view.getUint16(16, true) !== ET_REL || view.getUint16(18, true) !== EM_RISCV) {
    throw bad('it is not a relocatable RISC-V object');
  }
  const range = (offset: number, size: number) => {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(size) || offset + size > bytes.length) {
      throw bad('it is cut off or damaged');
    }
    return bytes.subarray(offset, offset + size);
  };
  const tableOffset = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const namesIndex = view.getUint16(62, true);
  if (view.getUint16(58, true) !== SECTION_HEADER_BYTES || count === 0 || namesIndex >= count) {
    throw bad('it has no proper section table');
  }
  const table = viewOf(range(tableOffset, count * SECTION_HEADER_BYTES));
  const nameOffsets: number[] = [];
  const sections: Section[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * SECTION_HEADER_BYTES;
    const type = table.getUint32(at + 4, true);
    const size = Number(table.getBigUint64(at + 32, true));
    const hasBits = type !== SectionType.noBits && type !== SectionType.null;
    const alignment = Number(table.getBigUint64(at + 48, true));
    if (alignment > LARGEST_ALIGNMENT || (alignment & (alignment - 1)) !== 0) {
      throw bad('a section has an impossible alignment');
    }
    nameOffsets.push(table.getUint32(at, true));
    sections.push({
      name: '',
      type,
      flags: table.getBigUint64(at + 8, true),
      address: table.getBigUint64(at + 16, true),
      size,
      link: table.getUint32(at + 40, true),
      info: table.getUint32(at + 44, true),
      alignment,
      entrySize: Number(table.getBigUint64(at + 56, true)),
      data: hasBits ? range(Number(table.getBigUint64(at + 24, true)), size) : new Uint8Array(),
    });
  }
  const string = (data: Uint8Array, offset: number) => {
    const end = data.indexOf(0, offset);
    if (offset >= data.length || end < 0) throw bad('a name is outside its string table');
    return new TextDecoder('latin1').decode(data.subarray(offset, end));
  };
  for (const [index, section] of sections.entries()) {
    section.name = string(sections[namesIndex]!.data, nameOffsets[index]!);
    if (section.type === SectionType.symbolIndices) throw bad('it has more than 65,279 sections');
  }
  const symbolTable = sections.findIndex(({ type }) => type === SectionType.symbolTable);
  const tableSection = sections[symbolTable];
  const names = sections[tableSection?.link ?? 0];
  if (tableSection === undefined || names === undefined) throw bad('it has no symbol table');
  if (tableSection.size % SYMBOL_BYTES !== 0 || tableSection.size === 0)
    throw bad('its symbol table is damaged');
  const symbols: ElfSymbol[] = [];
  const symbolView = viewOf(tableSection.data);
  for (let at = 0; at < tableSection.size; at += SYMBOL_BYTES) {
    const section = symbolView.getUint16(at + 6, true);
    if (section >= count && section < FIRST_RESERVED_INDEX) throw bad('a symbol is of no section');
    symbols.push({
      name: string(names.data, symbolView.getUint32(at, true)),
      info: symbolView.getUint8(at + 4),
      other: symbolView.getUint8(at + 5),
      section,
      value: symbolView.getBigUint64(at + 8, true),
      size: symbolView.getBigUint64(at + 16, true),
    });
  }
  return { flags: view.getUint32(48, true), sections, symbols, symbolTable };
}

/** Strings with NULs after them, each once; offset 0 is the empty string. */
export class StringTable {
  private readonly offsets = new Map<string, number>([['', 0]]);
  private text = '\0';

  add(name: string): number {
    let offset = this.offsets.get(name);
    if (offset === undefined) {
      offset = this.text.length;
      this.offsets.set(name, offset);
      this.text += `${name}\0`;
    }
    return offset;
  }

  /** One byte for each character: names were read as Latin-1. */
  bytes(): Uint8Array {
    return Uint8Array.from(this.text, (character) => character.charCodeAt(0));
  }
}

/** Writes a relocatable object from sections as they stand; the last one must be the table of section names. */
export function writeRelocatable(sections: readonly Section[], flags: number): Uint8Array<ArrayBuffer> {
  const names = new StringTable();
  const nameOffsets = sections.map(({ name }) => names.add(name));
  const all = sections.map((section, index) => {
    if (index < sections.length - 1) return section;
    const data = names.bytes();
    return { ...section, data, size: data.length };
  });
  let offset = HEADER_BYTES;
  const offsets = all.map(({ type, alignment, data }) => {
    if (type === SectionType.null) return 0;
    const step = Math.max(1, alignment);
    offset = Math.ceil(offset / step) * step;
    const own = offset;
    offset += data.length;
    return own;
  });
  const tableOffset = Math.ceil(offset / 8) * 8;
  const bytes = new Uint8Array(tableOffset + all.length * SECTION_HEADER_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC);
  view.setUint16(16, ET_REL, true);
  view.setUint16(18, EM_RISCV, true);
  view.setUint32(20, 1, true); // version
  view.setBigUint64(40, BigInt(tableOffset), true);
  view.setUint32(48, flags, true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(58, SECTION_HEADER_BYTES, true);
  view.setUint16(60, all.length, true);
  view.setUint16(62, all.length - 1, true);
  for (const [index, section] of all.entries()) {
    bytes.set(section.data, offsets[index]);
    const at = tableOffset + index * SECTION_HEADER_BYTES;
    view.setUint32(at, nameOffsets[index]!, true);
    view.setUint32(at + 4, section.type, true);
    view.setBigUint64(at + 8, section.flags, true);
    view.setBigUint64(at + 16, section.address, true);
    view.setBigUint64(at + 24, BigInt(offsets[index]!), true);
    view.setBigUint64(at + 32, BigInt(section.size), true);
    view.setUint32(at + 40, section.link, true);
    view.setUint32(at + 44, section.info, true);
    view.setBigUint64(at + 48, BigInt(section.alignment), true);
    view.setBigUint64(at + 56, BigInt(section.entrySize), true);
  }
  return bytes;
}
