// Where an overlay keeps what, on the store under it; docs/storage.md shows it as a picture.
import { LARGEST_BYTES } from './extent.ts';

/** A superblock is one sector, which a disk writes whole or not at all. Two take turns. */
export const SUPERBLOCK_BYTES = 512;
/** From one to the next: they share no block of a medium. */
export const SUPERBLOCK_STEP = 4096;
export const JOURNAL_START = 2 * SUPERBLOCK_STEP;
export const JOURNAL_BYTES = 1024 ** 2;
/** Records of the journal begin at multiples of this: what a disk writes whole. */
export const JOURNAL_UNIT = 512;
/** Maps that a checkpoint has room for in the worst case: the live one and seven snapshots. */
const MAPS = 8;
/** Room for names in a checkpoint. */
const NAMES_BYTES = 64 * 1024;
/** How many times over the base's size the store may hold changed chunks: live ones and those of snapshots. */
const DATA_TIMES = 4;

/** Changes are kept in chunks of this size. Measured: see docs/measurements.md, Overlay. */
export const DEFAULT_CHUNK_BYTES = 64 * 1024;
export const SMALLEST_CHUNK_BYTES = 4096;
export const LARGEST_CHUNK_BYTES = 4 * 1024 ** 2;

/** A chunk that is as the base has it. */
export const FROM_BASE = 0xffff_ffff;
/** A chunk that is all zeroes. */
export const ZERO = 0xffff_fffe;
/** Slots have numbers below this. */
export const SLOT_LIMIT = 0xffff_ff00;

export interface OverlayLayout {
  chunkBytes: number;
  /** Chunks of the base; the last may be shorter. */
  chunks: number;
  checkpointBytes: number;
  /** Where checkpoint area 0 and 1 begin. */
  checkpointStart: readonly [number, number];
  /** Where slot 0 begins. */
  dataStart: number;
}

const alignUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** Computes the places for a base and a chunk size. */
export function overlayLayout(baseBytes: number, chunkBytes: number): OverlayLayout {
  const chunks = Math.ceil(baseBytes / chunkBytes);
  const checkpointBytes = alignUp(NAMES_BYTES + MAPS * 12 * chunks, 4096);
  const start = JOURNAL_START + JOURNAL_BYTES;
  return {
    chunkBytes,
    chunks,
    checkpointBytes,
    checkpointStart: [start, start + checkpointBytes],
    dataStart: alignUp(start + 2 * checkpointBytes, chunkBytes),
  };
}

/** Size that the store of an overlay should have; the store should take room only for what is written. */
export function overlayStoreBytes(baseBytes: number, chunkBytes = DEFAULT_CHUNK_BYTES): number {
  const { dataStart, chunks } = overlayLayout(baseBytes, chunkBytes);
  return Math.min(LARGEST_BYTES, dataStart + DATA_TIMES * chunks * chunkBytes);
}
