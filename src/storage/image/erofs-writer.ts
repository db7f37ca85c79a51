import type { BlockBackend } from '../block-backend.ts';
import {
  BLOCK_BYTES,
  directoryBlocks,
  directoryBytes,
  type ErofsNote,
  encodeDirectory,
  encodeFirstBlock,
  encodeInode,
  encodeXattrs,
  INODE_BYTES,
  SLOT_BYTES,
} from './erofs-format.ts';
import { contentsOf, type ImageEntries, ImageError } from './image-entry.ts';
import { type ImageNode, ImageTree } from './image-tree.ts';
import { labelBytes, uuidOf } from './image-uuid.ts';

export interface ErofsOptions {
  /** Up to 16 bytes of UTF-8. */
  label?: string;
  /** 16 bytes. Default: made from label and tree, so that equal input gives equal bytes. */
  uuid?: Uint8Array;
  /** Seconds since 1970 at which the file system says it was made. Default 0. */
  time?: number;
}

export interface ErofsSummary {
  files: number;
  /** Length of the image; the drive's bytes behind it are not touched. */
  bytes: number;
}

type Node = ImageNode<ErofsNote>;
/** Ends of files up to this long lie beside their inodes. */
const TAIL_BYTES = 2048;
/** Ends of files are kept in memory up to this many bytes; later ones get blocks. */
const TAILS_BYTES = 64 * 1024 ** 2;
const PIECE_BYTES = 1024 ** 2;
/** The root is in slot 2: there is no inode 0 in Linux. */
const FIRST_NID = 2;

/**
 * Writes an uncompressed erofs file system at the start of a drive, reading the entries once, in order. Equal entries
 * and options give equal bytes.
 * @throws {ImageError} for entries that are malformed or do not fit; {StorageError} of the drive
 */
export async function writeErofs(
  target: BlockBackend,
  entries: ImageEntries,
  options: ErofsOptions = {},
): Promise<ErofsSummary> {
  const writer = new ErofsWriter(target);
  for await (const entry of entries) {
    const node = writer.tree.add(entry);
    if (entry.kind === 'file') await writer.writeContents(node, contentsOf(entry));
  }
  return writer.finish(options);
}

class ErofsWriter {
  readonly tree = new ImageTree<ErofsNote>(() => ({
    block: 0,
    tail: undefined,
    size: 0,
    xattrs: new Uint8Array(),
    nid: 0,
  }));
  readonly #target: BlockBackend;
  /** Block 0 is the superblock's. */
  #nextBlock = 1;
  #tails = 0;

  constructor(target: BlockBackend) {
    this.#target = target;
  }

  async writeContents(node: Node, contents: AsyncIterable<Uint8Array>): Promise<void> {
    const { note } = node;
    note.xattrs = encodeXattrs(node.xattrs);
    note.size = node.bytes;
    note.block = node.bytes === 0 ? 0 : this.#nextBlock;
    const tailBytes = node.bytes % BLOCK_BYTES;
    const hasTail = this.#fitsBeside(note, tailBytes) && this.#tails + tailBytes <= TAILS_BYTES;
    const inBlocks = hasTail ? node.bytes - tailBytes : node.bytes;
    if (hasTail) {
      note.tail = new Uint8Array(tailBytes);
      this.#tails += tailBytes;
    }
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, Math.ceil(inBlocks / BLOCK_BYTES) * BLOCK_BYTES));
    let done = 0;
    let filled = 0;
    for await (const piece of contents) {
      for (let used = 0; used < piece.length; ) {
        if (done >= inBlocks) {
          note.tail!.set(piece.subarray(used), done - inBlocks);
          done += piece.length - used;
          break;
        }
        const take = Math.min(piece.length - used, buffer.length - filled, inBlocks - done);
        buffer.set(piece.subarray(used, used + take), filled);
        filled += take;
        used += take;
        done += take;
        if (filled === buffer.length || done === inBlocks) {
          const length = Math.ceil(filled / BLOCK_BYTES) * BLOCK_BYTES;
          buffer.fill(0, filled, length);
          await this.#writeBlocks(buffer.subarray(0, length));
          filled = 0;
        }
      }
    }
  }

  async finish(options: ErofsOptions): Promise<ErofsSummary> {
    const { nodes, root } = this.tree;
    const directories = new Map<Node, ReturnType<typeof directoryBlocks>>();
    for (const node of nodes) {
      const { note } = node;
      if (node.kind !== 'file') note.xattrs = encodeXattrs(node.xattrs);
      if (node.kind === 'directory') {
        const blocks = directoryBlocks(node);
        directories.set(node, blocks);
        note.size = directoryBytes(blocks);
      } else if (node.kind === 'symlink') {
        note.size = node.target.length;
      } else {
        continue;
      }
      const tailBytes = note.size % BLOCK_BYTES;
      if (this.#fitsBeside(note, tailBytes)) note.tail = new Uint8Array(tailBytes);
      const blocks = Math.ceil((note.size - (note.tail?.length ?? 0)) / BLOCK_BYTES);
      note.block = blocks === 0 ? 0 : this.#nextBlock;
      this.#nextBlock += blocks;
    }
    const metaBlock = this.#nextBlock;
    const end = this.#placeInodes(nodes, metaBlock);
    const blocks = Math.ceil(end / BLOCK_BYTES);
    if (blocks * BLOCK_BYTES > this.#target.bytes) {
      throw new ImageError(`the image takes ${blocks * BLOCK_BYTES} bytes, which the drive has not`);
    }
    for (const node of nodes) {
      const blocksOfNode = directories.get(node);
      if (blocksOfNode !== undefined) await this.#writeOwn(node.note, encodeDirectory(blocksOfNode));
      else if (node.kind === 'symlink') await this.#writeOwn(node.note, node.target);
    }
    await this.#writeInodes(nodes, metaBlock, blocks);
    const label = options.label ?? '';
    const uuid = options.uuid ?? uuidOf(label, blocks * BLOCK_BYTES, nodes);
    if (uuid.length !== 16) throw new ImageError('a UUID has 16 bytes');
    await this.#target.write(
      0,
      encodeFirstBlock({
        rootNid: root.note.nid,
        inodes: nodes.length,
        time: options.time ?? 0,
        blocks,
        metaBlock,
        uuid,
        label: labelBytes(label),
      }),
    );
    await this.#target.flush();
    return { files: nodes.length, bytes: blocks * BLOCK_BYTES };
  }

  #fitsBeside(note: ErofsNote, tailBytes: number): boolean {
    return (
      tailBytes > 0 && tailBytes <= TAIL_BYTES && INODE_BYTES + note.xattrs.length + tailBytes <= BLOCK_BYTES
    );
  }

  /** Gives each inode its slot, the root the first; none with a tail crosses a block. */
  #placeInodes(nodes: readonly Node[], metaBlock: number): number {
    let offset = FIRST_NID * SLOT_BYTES;
    for (const { note } of nodes) {
      const length = INODE_BYTES + note.xattrs.length + (note.tail?.length ?? 0);
      const room = BLOCK_BYTES - (offset % BLOCK_BYTES);
      if (length > room && room < BLOCK_BYTES) offset += room;
      note.nid = offset / SLOT_BYTES;
      offset = Math.ceil((offset + length) / SLOT_BYTES) * SLOT_BYTES;
    }
    return metaBlock * BLOCK_BYTES + offset;
  }

  /** Contents made here: whole blocks where the contents begin, the rest beside the inode. */
  async #writeOwn(note: ErofsNote, contents: Uint8Array): Promise<void> {
    const inBlocks = contents.length - (note.tail?.length ?? 0);
    note.tail?.set(contents.subarray(inBlocks));
    if (inBlocks === 0) return;
    const padded = new Uint8Array(Math.ceil(inBlocks / BLOCK_BYTES) * BLOCK_BYTES);
    padded.set(contents.subarray(0, inBlocks));
    await this.#target.write(note.block * BLOCK_BYTES, padded);
  }

  /** Writes all inodes, in pieces; what lies between them is zero. */
  async #writeInodes(nodes: readonly Node[], metaBlock: number, endBlock: number): Promise<void> {
    const start = metaBlock * BLOCK_BYTES;
    let piece = new Uint8Array(PIECE_BYTES);
    let pieceStart = 0;
    const total = endBlock * BLOCK_BYTES - start;
    const writeOut = async (upTo: number) => {
      while (pieceStart + piece.length <= upTo || (upTo === total && pieceStart < total)) {
        await this.#target.write(
          start + pieceStart,
          piece.subarray(0, Math.min(piece.length, total - pieceStart)),
        );
        pieceStart += piece.length;
        piece = new Uint8Array(PIECE_BYTES);
      }
    };
    for (const node of nodes) {
      const bytes = encodeInode(node);
      let at = node.note.nid * SLOT_BYTES;
      for (let done = 0; done < bytes.length; ) {
        await writeOut(at);
        const take = Math.min(bytes.length - done, pieceStart + piece.length - at);
        piece.set(bytes.subarray(done, done + take), at - pieceStart);
        done += take;
        at += take;
      }
    }
    await writeOut(total);
  }

  async #writeBlocks(bytes: Uint8Array): Promise<void> {
    const offset = this.#nextBlock * BLOCK_BYTES;
    if (offset + bytes.length > this.#target.bytes) {
      throw new ImageError('the files do not fit into the image; make it larger');
    }
    await this.#target.write(offset, bytes);
    this.#nextBlock += bytes.length / BLOCK_BYTES;
  }
}
