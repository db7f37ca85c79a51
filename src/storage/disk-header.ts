// The page in front of a disk's bytes in the browser's private file system.
import { crc32c } from './crc32c.ts';
import { LARGEST_BYTES, SECTOR_BYTES } from './extent.ts';
import { StorageError } from './storage-error.ts';

/** A page, so that the disk's own pages lie on pages of the file. */
export const DISK_HEADER_BYTES = 4096;
const MAGIC = 'hypertab disk\0\0\0';
const VERSION = 1;

/** A header: magic, version, size of the disk, and a CRC-32C of these 28 bytes. */
export function encodeDiskHeader(bytes: number): Uint8Array {
  const header = new Uint8Array(DISK_HEADER_BYTES);
  const view = new DataView(header.buffer);
  new TextEncoder().encodeInto(MAGIC, header);
  view.setUint32(16, VERSION, true);
  view.setBigUint64(20, BigInt(bytes), true);
  view.setUint32(28, crc32c(header.subarray(0, 28)), true);
  return header;
}

/**
 * Reads a header.
 * @returns the disk's size; undefined when nothing was written yet
 * @throws {StorageError} corrupt
 */
export function decodeDiskHeader(header: Uint8Array, what: string): number | undefined {
  if (header.every((byte) => byte === 0)) return undefined;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const isWhole = header.length >= 32 && view.getUint32(28, true) === crc32c(header.subarray(0, 28));
  if (!isWhole || new TextDecoder().decode(header.subarray(0, 16)) !== MAGIC) {
    throw new StorageError('corrupt', `${what} is damaged: its header is not whole; delete the disk`);
  }
  const version = view.getUint32(16, true);
  const bytes = Number(view.getBigUint64(20, true));
  if (version !== VERSION) {
    throw new StorageError('corrupt', `${what} has format ${version}, which this version cannot read`);
  }
  if (bytes <= 0 || bytes > LARGEST_BYTES || bytes % SECTOR_BYTES !== 0) {
    throw new StorageError(
      'corrupt',
      `${what} is damaged: ${bytes} bytes is no size for it; delete the disk`,
    );
  }
  return bytes;
}
