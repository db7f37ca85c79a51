import {
  type ElfSymbol,
  FIRST_RESERVED_INDEX,
  RELA_BYTES,
  readRelocatable,
  type Section,
  SectionFlag,
  SectionType,
  StringTable,
  SYMBOL_BYTES,
  SymbolType,
  viewOf,
  writeRelocatable,
} from './elf-relocatable.ts';
import { GuestError } from './guest-error.ts';

/** What ends a signed module: `struct module_signature` and this text (Linux, scripts/sign-file.c). */
const SIGNATURE_MAGIC = '~Module signature appended~\n';
const SIGNATURE_BYTES = 12;

/** A module without the signature at its end, or as it is when it has none. */
export function withoutSignature(module: Uint8Array): Uint8Array {
  const at = module.length - SIGNATURE_MAGIC.length;
  if (at < SIGNATURE_BYTES) return module;
  for (let index = 0; index < SIGNATURE_MAGIC.length; index++) {
    if (module[at + index] !== SIGNATURE_MAGIC.charCodeAt(index)) return module;
  }
  const view = viewOf(module);
  const start = at - SIGNATURE_BYTES;
  const names = view.getUint8(start + 3) + view.getUint8(start + 4); // signer's name, key's identifier
  const end = start - names - view.getUint32(start + 8, false);
  return end < 0 ? module : module.subarray(0, end);
}

/**
 * Sections that only cost time when the module is loaded: BTF (types for BPF), the list of ftrace's call sites,
 * each of which is patched (and followed by a fence.i) on loading, its trace events and their names of constants
 * (Linux looks through all events of the kernel for each of those: 11 million instructions for ext4 and jbd2), and
 * debugging information.
 */
const isUnwanted = (name: string) =>
  /^(\.BTF(\..*)?|__patchable_function_entries|_ftrace_events|_ftrace_eval_map|\.debug_.*|\.zdebug_.*|\.gdb_index|\.stab(str)?|\.line)$/.test(
    name,
  );

/**
 * Makes a kernel module quick to load: no signature, no sections that only cost time, and no symbols that no
 * relocation and no other module needs, as `objcopy --strip-unneeded -R .BTF -R __patchable_function_entries` does.
 * Sixteen of Debian's modules then load in 64 million instructions instead of 2,020 million (QEMU 7.2 -icount).
 * @param what names the file in errors
 * @throws {GuestError} format
 */
export function stripModule(module: Uint8Array, what: string): Uint8Array<ArrayBuffer> {
  const { sections, symbols, symbolTable, flags } = readRelocatable(withoutSignature(module), what);
  const isRelocation = ({ type }: Section) => type === SectionType.rela || type === SectionType.rel;
  const stringTable = sections[symbolTable]!.link;
  const dropped = sections.map((section) => {
    if (section.type === SectionType.rel) {
      throw new GuestError('format', `${what} has relocations of a kind that RISC-V does not use`);
    }
    const target = isRelocation(section) ? sections[section.info] : undefined;
    if (target !== undefined && isUnwanted(target.name)) return true;
    // The table of section names is written anew as the last section.
    const isNames = section.type === SectionType.stringTable && section.name === '.shstrtab';
    return isNames || (isUnwanted(section.name) && !isRelocation(section));
  });

  const used = new Set<number>();
  for (const [index, section] of sections.entries()) {
    if (dropped[index] || !isRelocation(section)) continue;
    if (section.size % RELA_BYTES !== 0) throw new GuestError('format', `${what} has damaged relocations`);
    const view = viewOf(section.data);
    for (let at = 0; at < section.size; at += RELA_BYTES) {
      const symbol = view.getUint32(at + 12, true);
      if (symbol >= symbols.length)
        throw new GuestError('format', `${what} relocates with a symbol that is not there`);
      used.add(symbol);
    }
  }
  // A group's name is one of its symbols.
  for (const [index, section] of sections.entries()) {
    if (!dropped[index] && section.type === SectionType.group) used.add(section.info);
  }

  const isLocal = ({ info }: ElfSymbol) => info >> 4 === 0;
  const isInDropped = ({ section }: ElfSymbol) => section < FIRST_RESERVED_INDEX && dropped[section] === true;
  const kept = [0];
  for (const wantLocal of [true, false]) {
    for (const [index, symbol] of symbols.entries()) {
      if (index === 0 || isLocal(symbol) !== wantLocal) continue;
      if (isInDropped(symbol)) {
        if (used.has(index))
          throw new GuestError('format', `${what} needs ${symbol.name}, which is to be removed`);
        continue;
      }
      const isExported = !isLocal(symbol) && symbol.section !== 0 && (symbol.info & 15) !== SymbolType.file;
      if (used.has(index) || isExported) kept.push(index);
    }
  }
  const newSymbol = new Map(kept.map((index, position) => [index, position]));
  const newSection = new Map<number, number>();
  for (const [index] of sections.entries()) if (!dropped[index]) newSection.set(index, newSection.size);

  const strings = new StringTable();
  const symbolData = writeSymbols(
    kept.map((index) => symbols[index]!),
    strings,
    newSection,
  );
  const firstGlobal = kept.findIndex((index) => index !== 0 && !isLocal(symbols[index]!));
  const output: Section[] = [];
  for (const [index, section] of sections.entries()) {
    if (dropped[index]) continue;
    let { data, size, info } = section;
    const refersToSection = isRelocation(section) || (section.flags & SectionFlag.infoLink) !== 0n;
    if (index === symbolTable) {
      data = symbolData;
      info = firstGlobal < 0 ? kept.length : firstGlobal;
    } else if (index === stringTable) {
      data = strings.bytes();
    } else if (isRelocation(section)) {
      data = renumberRelocations(section.data, newSymbol);
    } else if (section.type === SectionType.group) {
      data = renumberGroup(section.data, newSection);
      info = newSymbol.get(info) ?? 0;
    }
    if (section.type !== SectionType.noBits) size = data.length;
    if (refersToSection) info = newSection.get(info) ?? 0;
    output.push({ ...section, data, size, info, link: newSection.get(section.link) ?? 0 });
  }
  output.push({
    name: '.shstrtab',
    type: SectionType.stringTable,
    flags: 0n,
    address: 0n,
    size: 0,
    link: 0,
    info: 0,
    alignment: 1,
    entrySize: 0,
    data: new Uint8Array(),
  });
  return writeRelocatable(output, flags);
}

function writeSymbols(
  symbols: readonly ElfSymbol[],
  strings: StringTable,
  newSection: ReadonlyMap<number, number>,
): Uint8Array {
  const data = new Uint8Array(symbols.length * SYMBOL_BYTES);
  const view = viewOf(data);
  for (const [position, symbol] of symbols.entries()) {
    const at = position * SYMBOL_BYTES;
    const reserved = symbol.section >= FIRST_RESERVED_INDEX;
    view.setUint32(at, strings.add(symbol.name), true);
    view.setUint8(at + 4, symbol.info);
    view.setUint8(at + 5, symbol.other);
    view.setUint16(at + 6, reserved ? symbol.section : (newSection.get(symbol.section) ?? 0), true);
    view.setBigUint64(at + 8, symbol.value, true);
    view.setBigUint64(at + 16, symbol.size, true);
  }
  return data;
}

function renumberRelocations(relocations: Uint8Array, newSymbol: ReadonlyMap<number, number>): Uint8Array {
  // Not slice(), which for a Buffer is no copy.
  const data = new Uint8Array(relocations);
  const view = viewOf(data);
  for (let at = 0; at < data.length; at += RELA_BYTES) {
    view.setUint32(at + 12, newSymbol.get(view.getUint32(at + 12, true)) ?? 0, true);
  }
  return data;
}

/** A group is a word of flags and then the indices of its sections. */
function renumberGroup(group: Uint8Array, newSection: ReadonlyMap<number, number>): Uint8Array {
  const view = viewOf(group);
  const words: number[] = [];
  for (let at = 0; at + 4 <= group.length; at += 4) {
    const word = view.getUint32(at, true);
    const renumbered = at === 0 ? word : newSection.get(word);
    if (renumbered !== undefined) words.push(renumbered);
  }
  const data = new Uint8Array(words.length * 4);
  const output = viewOf(data);
  for (const [index, word] of words.entries()) output.setUint32(index * 4, word, true);
  return data;
}
