// ELF64 little-endian RISC-V executables: headers, loadable segments, symbols. System V ABI, chapters 4 and 5;
// RISC-V ELF psABI 1.0, chapter 8. Every field is hostile until checked.
import { LoadError } from './errors.ts';

export interface ElfSegment {
  /** Offset and length of its bytes in the file. */
  offset: number;
  fileBytes: number;
  /** Physical address it goes to, and bytes there (the rest is zero). */
  physical: number;
  memoryBytes: number;
  virtual: bigint;
  /** Neither written nor executed. */
  readOnly: boolean;
}

export interface ElfFile {
  /** Physical address of the first instruction. */
  entry: number;
  /** Non-empty segments of type PT_LOAD, in file order. */
  segments: ElfSegment[];
  /** Value of a symbol of the static symbol table; undefined where there is none. */
  symbol(name: string): bigint | undefined;
}

// System V ABI, figures 4-3 to 4-5
const EI_CLASS = 4;
const EI_DATA = 5;
const EI_VERSION = 6;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const EV_CURRENT = 1;
const EHDR_BYTES = 64;
const ET_EXEC = 2;
const ET_DYN = 3;
const EM_RISCV = 243;
// Figure 5-1
const PHDR_BYTES = 56;
const PT_LOAD = 1;
const PT_INTERP = 3;
// Figure 5-3
const PF_X = 1;
const PF_W = 2;
// Figures 4-8 and 4-15
const SHDR_BYTES = 64;
const SHT_SYMTAB = 2;
const SYM_BYTES = 24;

const MACHINES: Record<number, string> = {
  3: 'x86 (32 bit)',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC (64 bit)',
  22: 'S/390',
  40: 'ARM (32 bit)',
  62: 'x86-64',
  183: 'ARM64',
  258: 'LoongArch',
};

export function isElf(file: Uint8Array): boolean {
  return file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;
}

/**
 * Reads an ELF file's headers. Segments are checked against the file; whether they fit RAM is the loader's matter.
 * @param what names the file in errors ('kernel', 'bios')
 * @throws LoadError saying which field is wrong and what to do
 */
export function parseElf(file: Uint8Array, what: string): ElfFile {
  if (!isElf(file)) throw new LoadError(`${what}: not an ELF file`);
  if (file.length < EHDR_BYTES) {
    throw new LoadError(`${what}: ELF header is cut off after ${file.length} bytes; get the file again`);
  }
  if (file[EI_CLASS] !== ELFCLASS64) {
    throw new LoadError(
      `${what}: not a 64-bit ELF; build it for rv64 (for example -march=rv64gc -mabi=lp64d)`,
    );
  }
  if (file[EI_DATA] !== ELFDATA2LSB) throw new LoadError(`${what}: a big-endian ELF; build it little-endian`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const machine = view.getUint16(18, true);
  if (machine !== EM_RISCV) {
    const name = MACHINES[machine] ?? `ELF machine ${machine}`;
    throw new LoadError(`${what}: built for ${name}, not for RISC-V; give a riscv64 file`);
  }
  if (file[EI_VERSION] !== EV_CURRENT || view.getUint32(20, true) !== EV_CURRENT) {
    throw new LoadError(`${what}: unknown ELF version; the file is damaged`);
  }
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN) {
    throw new LoadError(`${what}: not an executable (ELF type ${type}); link it first`);
  }
  const segments = readSegments(view, file.length, what);
  const entry = findEntry(view.getBigUint64(24, true), segments, what);
  return { entry, segments, symbol: (name) => findSymbol(file, view, name) };
}

function readSegments(view: DataView, fileBytes: number, what: string): ElfSegment[] {
  const tableOffset = view.getBigUint64(32, true);
  const entryBytes = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (count === 0) throw new LoadError(`${what}: no program headers; link it as an executable`);
  if (entryBytes !== PHDR_BYTES) {
    throw new LoadError(
      `${what}: program headers of ${entryBytes} bytes instead of ${PHDR_BYTES}; the file is damaged`,
    );
  }
  if (tableOffset + BigInt(count * PHDR_BYTES) > BigInt(fileBytes)) {
    throw new LoadError(`${what}: program headers lie beyond the end of the file; it is cut off or damaged`);
  }
  const segments: ElfSegment[] = [];
  for (let index = 0; index < count; index++) {
    const at = Number(tableOffset) + index * PHDR_BYTES;
    const type = view.getUint32(at, true);
    if (type === PT_INTERP) {
      throw new LoadError(
        `${what}: a program for an operating system, not a kernel or firmware; run it in a guest`,
      );
    }
    if (type !== PT_LOAD) continue;
    const offset = view.getBigUint64(at + 8, true);
    const virtual = view.getBigUint64(at + 16, true);
    const physical = view.getBigUint64(at + 24, true);
    const inFile = view.getBigUint64(at + 32, true);
    const inMemory = view.getBigUint64(at + 40, true);
    if (inMemory === 0n && inFile === 0n) continue;
    if (inFile > inMemory) {
      throw new LoadError(
        `${what}: segment ${index} has more bytes in the file than in memory; the file is damaged`,
      );
    }
    if (offset + inFile > BigInt(fileBytes)) {
      throw new LoadError(
        `${what}: segment ${index} reaches beyond the end of the file; it is cut off or damaged`,
      );
    }
    if (physical + inMemory > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new LoadError(
        `${what}: segment ${index} goes to 0x${physical.toString(16)}, outside RAM; link it at 0x80000000 or above`,
      );
    }
    segments.push({
      offset: Number(offset),
      fileBytes: Number(inFile),
      physical: Number(physical),
      memoryBytes: Number(inMemory),
      virtual,
      readOnly: (view.getUint32(at + 4, true) & (PF_X | PF_W)) === 0,
    });
  }
  if (segments.length === 0) throw new LoadError(`${what}: nothing to load in it (no PT_LOAD segment)`);
  return segments;
}

/** The entry point is a virtual address; execution starts untranslated, at its physical place. */
function findEntry(entry: bigint, segments: readonly ElfSegment[], what: string): number {
  for (const { virtual, physical, memoryBytes } of segments) {
    if (entry >= virtual && entry < virtual + BigInt(memoryBytes)) {
      const address = physical + Number(entry - virtual);
      if (address % 2 !== 0) {
        throw new LoadError(`${what}: entry point 0x${entry.toString(16)} is odd; the file is damaged`);
      }
      return address;
    }
  }
  throw new LoadError(
    `${what}: entry point 0x${entry.toString(16)} lies in no segment; set it when linking (-e or ENTRY)`,
  );
}

/** A damaged symbol table is one without the symbol: nothing needs it to run. */
function findSymbol(file: Uint8Array, view: DataView, name: string): bigint | undefined {
  const wanted = new TextEncoder().encode(`${name}\0`);
  const tableOffset = view.getBigUint64(40, true);
  const entryBytes = view.getUint16(58, true);
  const count = view.getUint16(60, true);
  if (entryBytes !== SHDR_BYTES) return undefined;
  if (tableOffset + BigInt(count * SHDR_BYTES) > BigInt(file.length)) return undefined;
  const section = (index: number): { type: number; link: number; start: number; end: number } | undefined => {
    if (index >= count) return undefined;
    const at = Number(tableOffset) + index * SHDR_BYTES;
    const start = view.getBigUint64(at + 24, true);
    const end = start + view.getBigUint64(at + 32, true);
    if (end > BigInt(file.length)) return undefined;
    return {
      type: view.getUint32(at + 4, true),
      link: view.getUint32(at + 40, true),
      start: Number(start),
      end: Number(end),
    };
  };
  for (let index = 0; index < count; index++) {
    const symbols = section(index);
    if (symbols?.type !== SHT_SYMTAB) continue;
    const names = section(symbols.link);
    if (!names) continue;
    for (let at = symbols.start; at + SYM_BYTES <= symbols.end; at += SYM_BYTES) {
      const nameAt = names.start + view.getUint32(at, true);
      if (nameAt + wanted.length > names.end) continue;
      if (wanted.every((byte, i) => file[nameAt + i] === byte)) return view.getBigUint64(at + 8, true);
    }
  }
  return undefined;
}
