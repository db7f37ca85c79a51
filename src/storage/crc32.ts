// CRC-32 as gzip, ZIP and PNG use it (RFC 1952, section 8), eight bytes at a time.

const POLYNOMIAL = 0xedb88320;
/** Bytes taken at a time: as many lookups that do not wait for one another. */
const STEP = 8;
const tables = makeTables();

/** Table k has the effect of a byte that is followed by k zero bytes. */
function makeTables(): Int32Array {
  const all = new Int32Array(STEP * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    all[byte] = value;
  }
  for (let index = 256; index < all.length; index++) {
    const before = all[index - 256]!;
    all[index] = (before >>> 8) ^ all[before & 0xff]!;
  }
  return all;
}

/** The checksum of bytes, going on from that of the bytes before them (0 at the start). Unsigned. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = bytes;
  let crc = ~before;
  let at = 0;
  for (const last = length - STEP; at <= last; at += STEP) {
    const low = view.getInt32(at, true) ^ crc;
    const high = view.getInt32(at + 4, true);
    crc =
      tables[0x700 | (low & 0xff)]! ^
      tables[0x600 | ((low >>> 8) & 0xff)]! ^
      tables[0x500 | ((low >>> 16) & 0xff)]! ^
      tables[0x400 | (low >>> 24)]! ^
      tables[0x300 | (high & 0xff)]! ^
      tables[0x200 | ((high >>> 8) & 0xff)]! ^
      tables[0x100 | ((high >>> 16) & 0xff)]! ^
      tables[high >>> 24]!;
  }
  for (; at < length; at++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}
