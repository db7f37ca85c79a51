// CRC-32C (Castagnoli), as RFC 3720, appendix B.4 and ext4 have it: reflected polynomial 0x82f63b78.

/** Tables for eight bytes at a time: entry n * 256 + b is the effect of byte b with n bytes behind it. */
const TABLES = makeTables();

function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    tables[byte] = value;
  }
  for (let index = 256; index < tables.length; index++) {
    const before = tables[index - 256]!;
    tables[index] = (before >>> 8) ^ tables[before & 0xff]!;
  }
  return tables;
}

/**
 * Goes on with a CRC whose complements are left to the caller, as ext4 chains them.
 * @param state 0xffff_ffff at the start, then what the last call gave
 */
export function crc32cState(state: number, bytes: Uint8Array): number {
  let crc = state;
  let index = 0;
  for (const end = bytes.length - 7; index < end; index += 8) {
    const low =
      crc ^
      (bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24));
    crc =
      TABLES[0x700 + (low & 0xff)]! ^
      TABLES[0x600 + ((low >>> 8) & 0xff)]! ^
      TABLES[0x500 + ((low >>> 16) & 0xff)]! ^
      TABLES[0x400 + (low >>> 24)]! ^
      TABLES[0x300 + bytes[index + 4]!]! ^
      TABLES[0x200 + bytes[index + 5]!]! ^
      TABLES[0x100 + bytes[index + 6]!]! ^
      TABLES[bytes[index + 7]!]!;
  }
  for (; index < bytes.length; index++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[index]!) & 0xff]!;
  return crc >>> 0;
}

/** The checksum of some bytes. */
export function crc32c(bytes: Uint8Array): number {
  return ~crc32cState(0xffff_ffff, bytes) >>> 0;
}
