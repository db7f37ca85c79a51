/** A static executable of one segment that may be read, written and executed; it starts at its first byte. */
export function staticElf(start: number, image: Uint8Array): Uint8Array {
  // The segment's place in the file and its address agree modulo the page size.
  const offset = 4096;
  const file = new Uint8Array(offset + image.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const halves = [
    [16, 2],
    [18, 243],
    [52, 64],
    [54, 56],
    [56, 1],
    [58, 64],
  ] as const;
  for (const [at, value] of halves) view.setUint16(at, value, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(start), true);
  view.setBigUint64(32, 64n, true);
  // e_flags: compressed instructions, double-precision ABI.
  view.setUint32(48, 5, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 7, true);
  const words = [offset, start, start, image.length, image.length, 4096];
  for (const [index, value] of words.entries()) view.setBigUint64(72 + 8 * index, BigInt(value), true);
  file.set(image, offset);
  return file;
}
