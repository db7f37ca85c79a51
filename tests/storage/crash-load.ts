// A load like a database's: rounds of writes to random places, each ended by a flush, and how to check what is left.
import type { BlockBackend } from '../../src/storage/block-backend.ts';

export const LOAD_BYTES = 2 * 1024 ** 2;
const BLOCK = 4096;
const SECTOR = 512;
const BLOCKS = LOAD_BYTES / BLOCK;
const WRITES = 12;

function next(state: number): number {
  let x = state | 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Blocks that a round writes. */
function blocksOf(round: number): number[] {
  const blocks = new Set<number>();
  for (let index = 0; blocks.size < WRITES; index++) blocks.add(next(round * 1000 + index) % BLOCKS);
  return [...blocks];
}

/** Contents of a block after a round: its round in each sector, and a pattern. */
function blockContents(round: number, block: number): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  const words = new Uint32Array(bytes.buffer);
  for (let index = 0; index < words.length; index++) {
    words[index] = index % (SECTOR / 4) === 0 ? round : next(round ^ (block << 12) ^ (index << 20));
  }
  return bytes;
}

/** Writes rounds from `first` on; tells of each that was flushed. Ends when `isOver` says so. */
export async function runLoad(
  backend: BlockBackend,
  first: number,
  acknowledge: (round: number) => unknown,
  isOver: () => boolean = () => false,
): Promise<void> {
  for (let round = first; !isOver(); round++) {
    for (const block of blocksOf(round)) {
      const result = backend.write(block * BLOCK, blockContents(round, block));
      if (result !== undefined) await result;
    }
    const flushed = backend.flush();
    if (flushed !== undefined) await flushed;
    await acknowledge(round);
  }
}

/**
 * Checks what is left after a crash.
 * @param acknowledged the last round whose flush was answered, counted from 1; 0 for none
 * @param unfinished rounds before that which a crash cut short
 * @returns a problem, or the last round of which anything is there
 */
export async function checkLoad(
  backend: BlockBackend,
  acknowledged: number,
  unfinished: ReadonlySet<number>,
): Promise<string | number> {
  const contents = new Uint8Array(LOAD_BYTES);
  await backend.read(0, contents);
  const must = new Uint32Array(BLOCKS);
  for (let round = 1; round <= acknowledged; round++) {
    if (!unfinished.has(round)) for (const block of blocksOf(round)) must[block] = round;
  }
  let last = acknowledged;
  for (let block = 0; block < BLOCKS; block++) {
    for (let sector = 0; sector < BLOCK / SECTOR; sector++) {
      const start = block * BLOCK + sector * SECTOR;
      const bytes = contents.subarray(start, start + SECTOR);
      const round = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
      const where = `block ${block}, sector ${sector}`;
      if (round < must[block]!) return `${where}: round ${round} is there, ${must[block]} was acknowledged`;
      if (round === 0) {
        if (bytes.some((byte) => byte !== 0)) return `${where}: neither empty nor of any round`;
        continue;
      }
      if (round > acknowledged + 1000 || !blocksOf(round).includes(block)) {
        return `${where}: round ${round} never wrote it`;
      }
      const right = blockContents(round, block).subarray(sector * SECTOR, (sector + 1) * SECTOR);
      if (bytes.some((byte, index) => byte !== right[index])) return `${where}: torn within round ${round}`;
      last = Math.max(last, round);
    }
  }
  return last;
}
