// Where an ext4 file system keeps what: Documentation/filesystems/ext4/{blockgroup,super,group_descr}.rst.
import { ImageError } from './image-entry.ts';

export const BLOCK_BYTES = 4096;
/** As many as one block of bitmap tells of. */
const GROUP_BLOCKS = BLOCK_BYTES * 8;
export const INODE_BYTES = 256;
const INODES_PER_BLOCK = BLOCK_BYTES / INODE_BYTES;
const DESCRIPTOR_BYTES = 32;
/** Inodes 1 to 10 are the file system's own; the first for use is lost+found. */
export const FIRST_INODE = 11;
/** Without the feature `64bit`, block numbers have 32 bits; 8 TiB is half of what they reach. */
const LARGEST_BYTES = 8 * 1024 ** 4;
/** A last group smaller than this is left away. */
const SMALLEST_GROUP = 64;

export interface Extent {
  /** First block of the file that it holds. */
  logical: number;
  block: number;
  count: number;
}

/** The geometry of a file system, and which of its blocks are taken. */
export class Ext4Layout {
  readonly blocks: number;
  readonly groups: number;
  readonly groupBlocks = GROUP_BLOCKS;
  readonly inodesPerGroup: number;
  /** Blocks of the table of group descriptors. */
  readonly descriptorBlocks: number;
  readonly blockBitmaps: number[] = [];
  readonly inodeBitmaps: number[] = [];
  readonly inodeTables: number[] = [];
  /** One bit a block, the least significant first. */
  readonly bitmap: Uint8Array;
  /** Blocks below this are taken. */
  #next = 0;

  /** @throws {ImageError} when it cannot be so small or so large */
  constructor(bytes: number, inodes: number) {
    let blocks = Math.floor(bytes / BLOCK_BYTES);
    if (blocks < 32 || bytes > LARGEST_BYTES)
      throw new ImageError(`an ext4 image of ${bytes} bytes cannot be made`);
    let groups = Math.ceil(blocks / GROUP_BLOCKS);
    const descriptorBlocks = Math.ceil((groups * DESCRIPTOR_BYTES) / BLOCK_BYTES);
    const last = blocks - (groups - 1) * GROUP_BLOCKS;
    if (groups > 1 && last < descriptorBlocks + SMALLEST_GROUP) {
      groups--;
      blocks = groups * GROUP_BLOCKS;
    }
    this.blocks = blocks;
    this.groups = groups;
    this.descriptorBlocks = descriptorBlocks;
    const perGroup =
      Math.ceil(Math.max(inodes, FIRST_INODE + 1) / groups / INODES_PER_BLOCK) * INODES_PER_BLOCK;
    if (perGroup > GROUP_BLOCKS) throw new ImageError(`${inodes} inodes are too many for ${bytes} bytes`);
    this.inodesPerGroup = perGroup;
    this.bitmap = new Uint8Array((groups * GROUP_BLOCKS) / 8);
    for (let group = 0; group < groups; group++) {
      if (!hasSuperblock(group)) continue;
      for (let index = 0; index <= descriptorBlocks; index++) this.#mark(group * GROUP_BLOCKS + index);
    }
    // The feature flex_bg lets every group's bitmaps and inodes lie together at the start.
    for (let group = 0; group < groups; group++) this.blockBitmaps.push(this.take());
    for (let group = 0; group < groups; group++) this.inodeBitmaps.push(this.take());
    for (let group = 0; group < groups; group++)
      this.inodeTables.push(this.takeRun(perGroup / INODES_PER_BLOCK));
  }

  get inodes(): number {
    return this.groups * this.inodesPerGroup;
  }

  get freeBlocks(): number {
    let free = 0;
    for (let group = 0; group < this.groups; group++) free += this.freeInGroup(group);
    return free;
  }

  /** Blocks of a group; the last may be smaller. */
  blocksOfGroup(group: number): number {
    return Math.min(GROUP_BLOCKS, this.blocks - group * GROUP_BLOCKS);
  }

  freeInGroup(group: number): number {
    let free = 0;
    const start = group * GROUP_BLOCKS;
    for (let block = start; block < start + this.blocksOfGroup(group); block++)
      if (!this.#isTaken(block)) free++;
    return free;
  }

  /** Place of an inode in the image, in bytes. */
  inodeOffset(inode: number): number {
    const group = Math.floor((inode - 1) / this.inodesPerGroup);
    const index = (inode - 1) % this.inodesPerGroup;
    return this.inodeTables[group]! * BLOCK_BYTES + index * INODE_BYTES;
  }

  /**
   * Takes the next free block.
   * @throws {ImageError} when there is none
   */
  take(): number {
    while (this.#next < this.blocks && this.#isTaken(this.#next)) this.#next++;
    if (this.#next >= this.blocks)
      throw new ImageError('the files do not fit into the image; make it larger');
    this.#mark(this.#next);
    return this.#next++;
  }

  /** Takes blocks that lie side by side. */
  takeRun(count: number): number {
    let start = this.#next;
    for (let block = start; block < start + count; block++) {
      if (block >= this.blocks) throw new ImageError('the files do not fit into the image; make it larger');
      if (this.#isTaken(block)) start = block + 1;
    }
    for (let block = start; block < start + count; block++) this.#mark(block);
    return start;
  }

  /** Takes blocks for a file, in as few extents as the reserved blocks allow. */
  takeExtents(count: number): Extent[] {
    const extents: Extent[] = [];
    for (let logical = 0; logical < count; logical++) addToExtents(extents, logical, this.take());
    return extents;
  }

  #isTaken(block: number): boolean {
    return (this.bitmap[block >>> 3]! & (1 << (block & 7))) !== 0;
  }

  #mark(block: number): void {
    this.bitmap[block >>> 3]! |= 1 << (block & 7);
  }
}

/** Longest extent that is written: 0x8000 blocks, above which the length means something else. */
const EXTENT_BLOCKS = 0x8000;

/** Notes that a file's next block lies there. */
export function addToExtents(extents: Extent[], logical: number, block: number): void {
  const last = extents.at(-1);
  if (last !== undefined && last.block + last.count === block && last.count < EXTENT_BLOCKS) last.count++;
  else extents.push({ logical, block, count: 1 });
}

/** Which groups hold copies of the superblock (feature sparse_super): 0, 1 and the powers of 3, 5 and 7. */
export function hasSuperblock(group: number): boolean {
  if (group <= 1) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}
