// Headers of tar archives: ustar (POSIX.1-1988), pax extended headers (POSIX.1-2001) and GNU's long names and numbers.
// Names are byte strings, as they stand in the archive.
import { type ByteString, byteString } from './byte-name.ts';

export const TAR_BLOCK = 512;

/** What one header block says, before extended headers are applied. */
export interface TarHeader {
  name: ByteString;
  link: ByteString;
  /** The type flag; '0' for the old '\0'. */
  type: string;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  size: number;
  major: number;
  minor: number;
}

/** A header cannot be right; the message says why. */
export class TarHeaderError extends Error {
  override readonly name = 'TarHeaderError';
}

/** Reads a header of TAR_BLOCK bytes; undefined for a block of zeroes, which ends an archive. */
export function readTarHeader(block: Uint8Array): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!checksumIsRight(block)) throw new TarHeaderError('a wrong checksum');
  const ustar = text(block, 257, 5) === 'ustar';
  // POSIX's magic ends with a NUL; GNU's old one uses the prefix's place otherwise.
  const prefix = ustar && block[262] === 0 ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const flag = String.fromCharCode(block[156]!);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    link: text(block, 157, 100),
    type: flag === '\0' || flag === '7' ? '0' : flag,
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    mtime: number(block, 136, 12),
    major: ustar ? number(block, 329, 8) : 0,
    minor: ustar ? number(block, 337, 8) : 0,
  };
}

/** Records of a pax header: "LENGTH KEY=VALUE\n", where LENGTH counts the whole record. */
export function readPaxRecords(data: Uint8Array): Map<ByteString, ByteString> {
  const records = new Map<ByteString, ByteString>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const digits = space < 0 ? '' : byteString(data.subarray(at, Math.min(space, at + 9)));
    const end = at + Number(digits);
    if (!/^\d{1,8}$/.test(digits) || end > data.length || end <= space || data[end - 1] !== 0x0a) {
      throw new TarHeaderError('a malformed pax record');
    }
    const record = byteString(data.subarray(space + 1, end - 1));
    const equals = record.indexOf('=');
    if (equals < 1) throw new TarHeaderError('a pax record without a key');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

/** Bytes that follow data of that size up to the next header. */
export const tarPadding = (size: number) => (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;

/** Up to the first NUL. */
export function tarText(bytes: Uint8Array): ByteString {
  const end = bytes.indexOf(0);
  return byteString(end < 0 ? bytes : bytes.subarray(0, end));
}

const text = (block: Uint8Array, at: number, length: number) => tarText(block.subarray(at, at + length));

function number(block: Uint8Array, at: number, length: number): number {
  // GNU's base-256 form, marked by the top bit; the next one is the sign.
  if (block[at]! & 0x80) {
    let value = block[at]! & 0x3f;
    if (block[at]! & 0x40) throw new TarHeaderError('a negative number');
    for (const byte of block.subarray(at + 1, at + length)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new TarHeaderError('a number that is too large');
    return value;
  }
  const digits = text(block, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new TarHeaderError('a number that is not octal');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** The header's bytes are summed with the checksum field taken as spaces; old archives summed signed bytes. */
export function checksumIsRight(block: Uint8Array): boolean {
  const digits = text(block, 148, 8).trim();
  if (!/^[0-7]+$/.test(digits)) return false;
  let unsigned = 0;
  let signed = 0;
  for (const [index, byte] of block.entries()) {
    const value = index >= 148 && index < 156 ? 0x20 : byte;
    unsigned += value;
    signed += (value << 24) >> 24;
  }
  const expected = Number.parseInt(digits, 8);
  return expected === unsigned || expected === signed;
}
