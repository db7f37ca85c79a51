import type { BlockBackend } from '../block-backend.ts';
import {
  type Ext4Note,
  encodeDeviceRoot,
  encodeDirectory,
  encodeExtentNode,
  encodeInode,
  INLINE_TARGET,
  LEAF_EXTENTS,
  ROOT_EXTENTS,
  XATTR_ROOM,
} from './ext4-inode.ts';
import {
  addToExtents,
  BLOCK_BYTES,
  Ext4Layout,
  type Extent,
  FIRST_INODE,
  hasSuperblock,
  INODE_BYTES,
} from './ext4-layout.ts';
import {
  type Ext4Identity,
  encodeDescriptors,
  encodeJournal,
  encodeSuperblock,
  journalBlocks,
} from './ext4-superblock.ts';
import { blockAttributes, inodeAttributes, parseAttributes } from './ext4-xattr.ts';
import { contentsOf, type ImageEntries, ImageError } from './image-entry.ts';
import { type ImageNode, ImageTree } from './image-tree.ts';
import { labelBytes, uuidOf } from './image-uuid.ts';

export interface Ext4Options {
  /** Inodes at least. Default: one for 16 KiB. */
  inodes?: number;
  /** Up to 16 bytes of UTF-8. */
  label?: string;
  /** 16 bytes. Default: made from label, size and the tree, so that equal input gives equal bytes. */
  uuid?: Uint8Array;
  /** Seconds since 1970 at which the file system says it was made. Default 0. */
  time?: number;
  /** Default: yes, from 8 MiB on. An image that is only read needs none. */
  journal?: boolean;
}

export interface Ext4Summary {
  files: number;
  /** Bytes that are free for new files. */
  freeBytes: number;
}

type Node = ImageNode<Ext4Note>;
const ROOT_INODE = 2;
const JOURNAL_INODE = 8;
const BYTES_PER_INODE = 16384;
/** Contents are written in pieces of up to this many bytes. */
const PIECE_BYTES = 1024 ** 2;

/**
 * Writes an ext4 file system over a whole drive, reading the entries once, in order, with the contents of one piece in
 * memory at a time. Equal entries and options give equal bytes.
 * @throws {ImageError} for entries that are malformed or do not fit; {StorageError} of the drive
 */
export async function writeExt4(
  target: BlockBackend,
  entries: ImageEntries,
  options: Ext4Options = {},
): Promise<Ext4Summary> {
  const writer = new Ext4Writer(target, options);
  await target.writeZeroes(0, target.bytes);
  for await (const entry of entries) {
    const node = writer.tree.add(entry);
    if (entry.kind === 'file') await writer.writeContents(node, contentsOf(entry));
  }
  return writer.finish();
}

class Ext4Writer {
  readonly tree = new ImageTree<Ext4Note>(() => ({
    inode: 0,
    extents: [],
    treeBlocks: [],
    root: new Uint8Array(60),
    xattrBlock: 0,
    xattrs: undefined,
  }));
  readonly #target: BlockBackend;
  readonly #layout: Ext4Layout;
  readonly #options: Ext4Options;

  constructor(target: BlockBackend, options: Ext4Options) {
    this.#target = target;
    this.#options = options;
    this.#layout = new Ext4Layout(target.bytes, options.inodes ?? Math.floor(target.bytes / BYTES_PER_INODE));
  }

  async writeContents(node: Node, contents: AsyncIterable<Uint8Array>): Promise<void> {
    const { extents } = node.note;
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, Math.ceil(node.bytes / BLOCK_BYTES) * BLOCK_BYTES));
    let filled = 0;
    let logical = 0;
    const writeOut = async () => {
      buffer.fill(0, filled);
      const first = logical;
      for (const end = logical + Math.ceil(filled / BLOCK_BYTES); logical < end; logical++) {
        addToExtents(extents, logical, this.#layout.take());
      }
      await this.#writeBlocks(extents, first, buffer.subarray(0, (logical - first) * BLOCK_BYTES));
      filled = 0;
    };
    for await (const piece of contents) {
      for (let used = 0; used < piece.length; ) {
        const take = Math.min(piece.length - used, buffer.length - filled);
        buffer.set(piece.subarray(used, used + take), filled);
        filled += take;
        used += take;
        if (filled === buffer.length) await writeOut();
      }
    }
    if (filled > 0) await writeOut();
  }

  async finish(): Promise<Ext4Summary> {
    if (!this.tree.root.children.has('lost+found')) {
      this.tree.add({ kind: 'directory', path: 'lost+found', mode: 0o700 });
    }
    this.#numberInodes();
    const { nodes } = this.tree;
    if (FIRST_INODE + nodes.length > this.#layout.inodes) {
      throw new ImageError(
        `${nodes.length} files are more than the image has inodes for; give a greater number`,
      );
    }
    for (const node of nodes) await this.#finishNode(node);
    const identity = this.#identity();
    const journal = await this.#writeJournal(identity);
    await this.#writeGroups(identity, journal);
    await this.#target.flush();
    return { files: nodes.length, freeBytes: this.#layout.freeBlocks * BLOCK_BYTES };
  }

  /** The root and lost+found have numbers of their own; the others follow in the order in which they came. */
  #numberInodes(): void {
    const lostAndFound = this.tree.root.children.get('lost+found');
    let next = FIRST_INODE + 1;
    for (const node of this.tree.nodes) {
      node.note.inode = node === this.tree.root ? ROOT_INODE : node === lostAndFound ? FIRST_INODE : next++;
    }
  }

  async #finishNode(node: Node): Promise<void> {
    const { note } = node;
    let size = node.bytes;
    if (node.kind === 'directory') {
      const blocks = encodeDirectory(node);
      size = await this.#writeOwn(node, blocks);
    } else if (node.kind === 'symlink') {
      size = node.target.length;
      if (size <= INLINE_TARGET) {
        note.root.set(node.target);
      } else {
        const block = new Uint8Array(BLOCK_BYTES);
        block.set(node.target);
        await this.#writeOwn(node, [block]);
      }
    } else if (node.kind === 'character' || node.kind === 'block') {
      note.root = encodeDeviceRoot(node.major, node.minor);
    }
    if (node.kind === 'file' || note.extents.length > 0) await this.#writeExtentTree(node.note);
    await this.#writeAttributes(node);
    await this.#target.write(this.#layout.inodeOffset(note.inode), encodeInode(node, size));
  }

  async #writeOwn(node: Node, blocks: readonly Uint8Array[]): Promise<number> {
    node.note.extents = this.#layout.takeExtents(blocks.length);
    for (const [index, block] of blocks.entries()) await this.#writeBlocks(node.note.extents, index, block);
    return blocks.length * BLOCK_BYTES;
  }

  async #writeAttributes(node: Node): Promise<void> {
    if (node.xattrs.length === 0) return;
    const what = `inode ${node.note.inode}`;
    const attributes = parseAttributes(what, node.xattrs);
    node.note.xattrs = inodeAttributes(attributes, XATTR_ROOM);
    if (node.note.xattrs !== undefined) return;
    const block = blockAttributes(what, attributes, BLOCK_BYTES);
    node.note.xattrBlock = this.#layout.take();
    await this.#target.write(node.note.xattrBlock * BLOCK_BYTES, block);
  }

  /** Up to four extents fit into the inode, else it tells of blocks of them. */
  async #writeExtentTree(note: Ext4Note): Promise<void> {
    const { extents } = note;
    if (extents.length <= ROOT_EXTENTS) {
      note.root = encodeExtentNode(60, 0, extents);
      return;
    }
    const leaves: { logical: number; block: number }[] = [];
    for (let start = 0; start < extents.length; start += LEAF_EXTENTS) {
      const part = extents.slice(start, start + LEAF_EXTENTS);
      const block = this.#layout.take();
      await this.#target.write(block * BLOCK_BYTES, encodeExtentNode(BLOCK_BYTES, 0, part));
      leaves.push({ logical: part[0]!.logical, block });
      note.treeBlocks.push(block);
    }
    if (leaves.length > ROOT_EXTENTS) throw new ImageError('a file is too large for the image');
    note.root = encodeExtentNode(60, 1, leaves);
  }

  /** Writes a file's blocks from `first` on. */
  async #writeBlocks(extents: readonly Extent[], first: number, bytes: Uint8Array): Promise<void> {
    const end = first + bytes.length / BLOCK_BYTES;
    // What is written now is at the end of what was taken.
    for (let index = extents.length - 1; index >= 0; index--) {
      const { logical, block, count } = extents[index]!;
      if (logical + count <= first) break;
      const from = Math.max(logical, first);
      const to = Math.min(logical + count, end);
      if (to <= from) continue;
      const part = bytes.subarray((from - first) * BLOCK_BYTES, (to - first) * BLOCK_BYTES);
      await this.#target.write((block + from - logical) * BLOCK_BYTES, part);
    }
  }

  #identity(): Ext4Identity {
    const label = labelBytes(this.#options.label ?? '');
    const uuid = this.#options.uuid ?? uuidOf(this.#options.label ?? '', this.#target.bytes, this.tree.nodes);
    if (uuid.length !== 16) throw new ImageError('a UUID has 16 bytes');
    return { uuid, label, time: this.#options.time ?? 0 };
  }

  async #writeJournal(identity: Ext4Identity): Promise<{ root: Uint8Array; bytes: number } | undefined> {
    const count = this.#options.journal === false ? 0 : journalBlocks(this.#layout.blocks);
    if (count === 0) return undefined;
    const journal = new ImageTree<Ext4Note>(() => ({
      inode: JOURNAL_INODE,
      extents: this.#layout.takeExtents(count),
      treeBlocks: [],
      root: new Uint8Array(60),
      xattrBlock: 0,
      xattrs: undefined,
    })).root;
    journal.mode = 0o100600;
    journal.links = 1;
    await this.#writeExtentTree(journal.note);
    await this.#writeBlocks([journal.note.extents[0]!], 0, encodeJournal(count, identity));
    const bytes = count * BLOCK_BYTES;
    const inode = encodeInode({ ...journal, kind: 'file' }, bytes);
    await this.#target.write(this.#layout.inodeOffset(JOURNAL_INODE), inode);
    return { root: journal.note.root, bytes };
  }

  async #writeGroups(
    identity: Ext4Identity,
    journal: { root: Uint8Array; bytes: number } | undefined,
  ): Promise<void> {
    const layout = this.#layout;
    const { inodesPerGroup, groups } = layout;
    const bitmaps = Array.from({ length: groups }, () => new Uint8Array(BLOCK_BYTES));
    const free = new Array<number>(groups).fill(inodesPerGroup);
    const directories = new Array<number>(groups).fill(0);
    const use = (inode: number) => {
      const group = Math.floor((inode - 1) / inodesPerGroup);
      const bit = (inode - 1) % inodesPerGroup;
      bitmaps[group]![bit >>> 3]! |= 1 << (bit & 7);
      free[group]!--;
      return group;
    };
    for (let inode = 1; inode < FIRST_INODE; inode++) if (inode !== ROOT_INODE) use(inode);
    for (const node of this.tree.nodes) {
      const group = use(node.note.inode);
      if (node.kind === 'directory') directories[group]!++;
    }
    for (let group = 0; group < groups; group++) {
      // Bits behind the end of a group count as taken.
      const inodeBitmap = bitmaps[group]!;
      fillBits(inodeBitmap, inodesPerGroup);
      await this.#target.write(layout.inodeBitmaps[group]! * BLOCK_BYTES, inodeBitmap);
      const blockBitmap = layout.bitmap.slice(group * BLOCK_BYTES, (group + 1) * BLOCK_BYTES);
      fillBits(blockBitmap, layout.blocksOfGroup(group));
      await this.#target.write(layout.blockBitmaps[group]! * BLOCK_BYTES, blockBitmap);
    }
    const descriptors = encodeDescriptors(layout, free, directories);
    const freeOfAll = { blocks: layout.freeBlocks, inodes: free.reduce((sum, count) => sum + count, 0) };
    for (let group = 0; group < groups; group++) {
      if (!hasSuperblock(group)) continue;
      const start = group * layout.groupBlocks * BLOCK_BYTES;
      const superblock = encodeSuperblock(
        layout,
        identity,
        freeOfAll,
        journal?.root,
        journal?.bytes ?? 0,
        group,
      );
      // In the first group, room for a boot sector comes before it.
      await this.#target.write(start + (group === 0 ? 1024 : 0), superblock);
      await this.#target.write(start + BLOCK_BYTES, descriptors);
    }
  }
}

function fillBits(bitmap: Uint8Array, from: number): void {
  for (let bit = from; bit < bitmap.length * 8; bit++) bitmap[bit >>> 3]! |= 1 << (bit & 7);
}

/**
 * Bytes that an image needs for some entries, with some room to spare: a multiple of 4 MiB.
 * @param freeBytes room for new files
 */
export function ext4ImageBytes(files: number, contentBytes: number, freeBytes = 0): number {
  // Each file ends within a block; inodes, bitmaps and directories take some 1/16 more; the journal up to 64 MiB.
  const blocks = Math.ceil((contentBytes + freeBytes) / BLOCK_BYTES) + 2 * files;
  const raw = blocks * BLOCK_BYTES + files * INODE_BYTES;
  const withTables = raw + Math.ceil(raw / 32) + 8 * 1024 ** 2;
  const journal = journalBlocks(Math.ceil(withTables / BLOCK_BYTES)) * BLOCK_BYTES;
  return Math.ceil((withTables + journal) / (4 * 1024 ** 2)) * 4 * 1024 ** 2;
}
