// The overlay's own data as bytes: superblocks, checkpoints and journal records, each with a CRC-32C.
import { crc32c } from './crc32c.ts';
import { FROM_BASE, JOURNAL_UNIT, SLOT_LIMIT, SUPERBLOCK_BYTES, ZERO } from './overlay-layout.ts';

const MAGIC = 'hypertab overlay';
const VERSION = 1;
const IDENTITY_OFFSET = 64;
const IDENTITY_BYTES = 400;
const CRC_OFFSET = SUPERBLOCK_BYTES - 4;
const RECORD_MAGIC = 0x52_4a_54_48; // "HTJR"
const RECORD_HEADER_BYTES = 24;

export interface Superblock {
  chunkBytes: number;
  baseBytes: number;
  /** Counts checkpoints, from 1; the greater of two valid superblocks holds. */
  epoch: number;
  checkpointLength: number;
  checkpointCrc: number;
  /** What the base said of itself; empty when it says nothing. */
  identity: string;
  /** The base is being changed by commit(): it may be neither what it was nor what it will be. */
  isCommitting: boolean;
}

export interface SnapshotMap {
  name: string;
  runs: Uint32Array;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Whether a block may be the first of an overlay that was never finished: nothing, or our name torn off. */
export function isUnwritten(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Does a block begin like a superblock of ours, of whatever version? */
export function hasMagic(block: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(block.subarray(0, MAGIC.length)) === MAGIC;
}

export function encodeSuperblock(superblock: Superblock): Uint8Array {
  const block = new Uint8Array(SUPERBLOCK_BYTES);
  const view = viewOf(block);
  new TextEncoder().encodeInto(MAGIC, block);
  view.setUint32(16, VERSION, true);
  view.setUint32(20, superblock.chunkBytes, true);
  view.setBigUint64(24, BigInt(superblock.baseBytes), true);
  view.setBigUint64(32, BigInt(superblock.epoch), true);
  view.setUint32(40, superblock.checkpointLength, true);
  view.setUint32(44, superblock.checkpointCrc, true);
  view.setUint32(48, superblock.isCommitting ? 1 : 0, true);
  const { written } = new TextEncoder().encodeInto(
    superblock.identity,
    block.subarray(IDENTITY_OFFSET, IDENTITY_OFFSET + IDENTITY_BYTES),
  );
  view.setUint32(52, written, true);
  view.setUint32(CRC_OFFSET, crc32c(block.subarray(0, CRC_OFFSET)), true);
  return block;
}

/** Reads a superblock; undefined when it is not whole, its version when that is not ours. */
export function decodeSuperblock(block: Uint8Array): Superblock | { version: number } | undefined {
  const view = viewOf(block);
  if (!hasMagic(block) || view.getUint32(CRC_OFFSET, true) !== crc32c(block.subarray(0, CRC_OFFSET))) {
    return undefined;
  }
  const version = view.getUint32(16, true);
  if (version !== VERSION) return { version };
  const identityLength = Math.min(view.getUint32(52, true), IDENTITY_BYTES);
  return {
    chunkBytes: view.getUint32(20, true),
    baseBytes: Number(view.getBigUint64(24, true)),
    epoch: Number(view.getBigUint64(32, true)),
    checkpointLength: view.getUint32(40, true),
    checkpointCrc: view.getUint32(44, true),
    isCommitting: view.getUint32(48, true) === 1,
    identity: new TextDecoder().decode(block.subarray(IDENTITY_OFFSET, IDENTITY_OFFSET + identityLength)),
  };
}

/** As much of an identity as a superblock has room for. */
export function shortIdentity(identity: string | undefined): string {
  const bytes = new TextEncoder().encode(identity ?? '');
  // A cut in the middle of a character would not read back as it was written.
  return bytes.length <= IDENTITY_BYTES
    ? (identity ?? '')
    : `crc32c ${crc32c(bytes)} of ${bytes.length} bytes`;
}

/** A map as runs of three numbers: first chunk, first slot (or ZERO, which does not count up), chunks. */
export function encodeRuns(map: Uint32Array): Uint32Array {
  const runs: number[] = [];
  for (let chunk = 0; chunk < map.length; ) {
    const slot = map[chunk]!;
    let end = chunk + 1;
    if (slot === ZERO || slot === FROM_BASE) while (end < map.length && map[end] === slot) end++;
    else while (end < map.length && map[end] === slot + (end - chunk)) end++;
    if (slot !== FROM_BASE) runs.push(chunk, slot, end - chunk);
    chunk = end;
  }
  return Uint32Array.from(runs);
}

/** Calls back for each chunk of some runs. */
export function forEachInRuns(runs: Uint32Array, each: (chunk: number, slot: number) => void): void {
  for (let index = 0; index < runs.length; index += 3) {
    const [chunk, slot, count] = [runs[index]!, runs[index + 1]!, runs[index + 2]!];
    for (let step = 0; step < count; step++) each(chunk + step, slot === ZERO ? ZERO : slot + step);
  }
}

/** Checks that runs name only chunks and slots that can be. */
function areRunsValid(runs: Uint32Array, chunks: number, slots: number): boolean {
  let next = 0;
  for (let index = 0; index < runs.length; index += 3) {
    const [chunk, slot, count] = [runs[index]!, runs[index + 1]!, runs[index + 2]!];
    if (chunk < next || count === 0 || chunk + count > chunks) return false;
    if (slot !== ZERO && slot + count > Math.min(slots, SLOT_LIMIT)) return false;
    next = chunk + count;
  }
  return true;
}

/** All maps as bytes: their number, then of each its name and its runs. The first is the live one, without a name. */
export function encodeCheckpoint(maps: readonly SnapshotMap[]): Uint8Array {
  const names = maps.map(({ name }) => new TextEncoder().encode(name));
  const length = maps.reduce((sum, { runs }, index) => sum + 8 + names[index]!.length + runs.length * 4, 4);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint32(0, maps.length, true);
  let offset = 4;
  for (const [index, { runs }] of maps.entries()) {
    const name = names[index]!;
    view.setUint32(offset, name.length, true);
    view.setUint32(offset + 4, runs.length, true);
    bytes.set(name, offset + 8);
    offset += 8 + name.length;
    for (const value of runs) {
      view.setUint32(offset, value, true);
      offset += 4;
    }
  }
  return bytes;
}

/** Reads what encodeCheckpoint() wrote; undefined when it cannot be that. */
export function decodeCheckpoint(
  bytes: Uint8Array,
  chunks: number,
  slots: number,
): SnapshotMap[] | undefined {
  const view = viewOf(bytes);
  if (bytes.length < 4) return undefined;
  const count = view.getUint32(0, true);
  const maps: SnapshotMap[] = [];
  let offset = 4;
  for (let index = 0; index < count; index++) {
    if (offset + 8 > bytes.length) return undefined;
    const nameLength = view.getUint32(offset, true);
    const runsLength = view.getUint32(offset + 4, true);
    offset += 8;
    if (runsLength % 3 !== 0 || offset + nameLength + runsLength * 4 > bytes.length) return undefined;
    const name = new TextDecoder().decode(bytes.subarray(offset, offset + nameLength));
    offset += nameLength;
    const runs = new Uint32Array(runsLength);
    for (let entry = 0; entry < runsLength; entry++, offset += 4) runs[entry] = view.getUint32(offset, true);
    if (!areRunsValid(runs, chunks, slots)) return undefined;
    maps.push({ name, runs });
  }
  return offset === bytes.length && maps.length > 0 ? maps : undefined;
}

export interface JournalRecord {
  epoch: number;
  sequence: number;
  /** Pairs: chunk, and what it is now. */
  changes: Uint32Array;
  /** Bytes it takes in the journal. */
  length: number;
}

/** Bytes a record of so many changed chunks takes. */
export function recordBytes(changes: number): number {
  return Math.ceil((RECORD_HEADER_BYTES + changes * 8) / JOURNAL_UNIT) * JOURNAL_UNIT;
}

export function encodeRecord(epoch: number, sequence: number, changes: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(recordBytes(changes.length / 2));
  const view = viewOf(bytes);
  view.setUint32(0, RECORD_MAGIC, true);
  view.setBigUint64(8, BigInt(epoch), true);
  view.setUint32(16, sequence, true);
  view.setUint32(20, changes.length / 2, true);
  for (const [index, value] of changes.entries())
    view.setUint32(RECORD_HEADER_BYTES + index * 4, value, true);
  view.setUint32(4, crc32c(bytes.subarray(8)), true);
  return bytes;
}

/** Reads the record at the start of some bytes of a journal; undefined when there is no whole one. */
export function decodeRecord(journal: Uint8Array): JournalRecord | undefined {
  if (journal.length < JOURNAL_UNIT) return undefined;
  const view = viewOf(journal);
  if (view.getUint32(0, true) !== RECORD_MAGIC) return undefined;
  const count = view.getUint32(20, true);
  const length = recordBytes(count);
  if (length > journal.length || view.getUint32(4, true) !== crc32c(journal.subarray(8, length)))
    return undefined;
  const changes = new Uint32Array(count * 2);
  for (let index = 0; index < changes.length; index++) {
    changes[index] = view.getUint32(RECORD_HEADER_BYTES + index * 4, true);
  }
  return { epoch: Number(view.getBigUint64(8, true)), sequence: view.getUint32(16, true), changes, length };
}
