/** A small ELF64 file with every field at hand, for loaders to judge. */
export interface ElfOptions {
  entry?: bigint;
  machine?: number;
  type?: number;
  segments?: {
    physical: bigint;
    contents: Uint8Array;
    memoryBytes?: bigint;
    virtual?: bigint;
    flags?: number;
  }[];
  symbols?: Record<string, bigint>;
}

export const RAM = 0x8000_0000n;

export function buildElf(options: ElfOptions = {}): Uint8Array {
  const segments = options.segments ?? [{ physical: RAM, contents: Uint8Array.of(0x6f, 0, 0, 0) }];
  const symbols = Object.entries(options.symbols ?? {});
  const names = [...new TextEncoder().encode(`\0${symbols.map(([name]) => `${name}\0`).join('')}`)];
  const bodies = segments.reduce((sum, segment) => sum + segment.contents.length, 0);
  const bodiesAt = 64 + segments.length * 56;
  const symbolsAt = bodiesAt + bodies;
  const namesAt = symbolsAt + (symbols.length + 1) * 24;
  const sectionsAt = namesAt + names.length;
  const file = new Uint8Array(sectionsAt + 3 * 64);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, options.type ?? 2, true);
  view.setUint16(18, options.machine ?? 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, options.entry ?? segments[0]!.physical, true);
  view.setBigUint64(32, 64n, true);
  view.setBigUint64(40, BigInt(sectionsAt), true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 3, true);
  let at = bodiesAt;
  segments.forEach((segment, index) => {
    const header = 64 + index * 56;
    view.setUint32(header, 1, true);
    view.setUint32(header + 4, segment.flags ?? 7, true);
    view.setBigUint64(header + 8, BigInt(at), true);
    view.setBigUint64(header + 16, segment.virtual ?? segment.physical, true);
    view.setBigUint64(header + 24, segment.physical, true);
    view.setBigUint64(header + 32, BigInt(segment.contents.length), true);
    view.setBigUint64(header + 40, segment.memoryBytes ?? BigInt(segment.contents.length), true);
    file.set(segment.contents, at);
    at += segment.contents.length;
  });
  let nameAt = 1;
  symbols.forEach(([name, value], index) => {
    const entry = symbolsAt + (index + 1) * 24;
    view.setUint32(entry, nameAt, true);
    view.setBigUint64(entry + 8, value, true);
    nameAt += name.length + 1;
  });
  file.set(names, namesAt);
  const section = (index: number, type: number, offset: number, size: number, link: number) => {
    const header = sectionsAt + index * 64;
    view.setUint32(header + 4, type, true);
    view.setBigUint64(header + 24, BigInt(offset), true);
    view.setBigUint64(header + 32, BigInt(size), true);
    view.setUint32(header + 40, link, true);
  };
  section(1, 2, symbolsAt, (symbols.length + 1) * 24, 2);
  section(2, 3, namesAt, names.length, 0);
  return file;
}

/** The header of a Linux Image, and a body. */
export function buildImage(bytes = 4096, textOffset = 0x200000n, imageSize = 8192n): Uint8Array {
  const file = new Uint8Array(bytes);
  const view = new DataView(file.buffer);
  view.setBigUint64(8, textOffset, true);
  view.setBigUint64(16, imageSize, true);
  file.set([0x52, 0x49, 0x53, 0x43, 0x56], 48);
  file.set([0x52, 0x53, 0x43, 0x05], 56);
  return file;
}
