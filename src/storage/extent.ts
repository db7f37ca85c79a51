// The checks every back end makes of a request, and how a range is cut into chunks.
import { StorageError } from './storage-error.ts';

/** Virtio's and Linux's unit of block devices (Virtio 1.2, 5.2). */
export const SECTOR_BYTES = 512;

/** Largest store that byte offsets as numbers and our formats can tell of: 64 TiB. */
export const LARGEST_BYTES = 64 * 1024 ** 4;

/**
 * Refuses a range that is not inside a store.
 * @throws {StorageError} io
 */
export function checkRange(what: string, bytes: number, offset: number, length: number): void {
  const fits =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= bytes;
  if (!fits) {
    throw new StorageError(
      'io',
      `${what}: bytes ${offset} to ${offset + length} are outside its ${bytes} bytes`,
    );
  }
}

/**
 * Refuses a size that no store can have.
 * @throws {StorageError} io
 */
export function checkSize(what: string, bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes <= 0 || bytes > LARGEST_BYTES || bytes % SECTOR_BYTES !== 0) {
    throw new StorageError(
      'io',
      `${what}: ${bytes} bytes is no size for it; give a multiple of ${SECTOR_BYTES}`,
    );
  }
}

/**
 * Refuses changes to a store that takes none.
 * @throws {StorageError} denied
 */
export function refuseChange(what: string): never {
  throw new StorageError('denied', `${what} is read-only`);
}

/** The part of one chunk that a range covers. */
export interface ChunkPart {
  chunk: number;
  /** Where the part begins in its chunk. */
  inChunk: number;
  /** Where it begins in the range. */
  inRange: number;
  length: number;
}

/** Cuts a range at the borders of its chunks. */
export function chunkParts(chunkBytes: number, offset: number, length: number): ChunkPart[] {
  const parts: ChunkPart[] = [];
  for (let inRange = 0; inRange < length; ) {
    const position = offset + inRange;
    const chunk = Math.floor(position / chunkBytes);
    const inChunk = position - chunk * chunkBytes;
    const take = Math.min(chunkBytes - inChunk, length - inRange);
    parts.push({ chunk, inChunk, inRange, length: take });
    inRange += take;
  }
  return parts;
}
