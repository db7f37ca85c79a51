// Inodes and directories of ext4: Documentation/filesystems/ext4/{inodes,ifork,directory}.rst.
import { encodeDevice } from '../tree/file-mode.ts';
import { BLOCK_BYTES, type Extent, INODE_BYTES } from './ext4-layout.ts';
import type { ImageNode } from './image-tree.ts';
import { ENTRY_TYPES } from './node-kind.ts';

/** What the writer notes about a node. */
export interface Ext4Note {
  inode: number;
  extents: Extent[];
  /** Blocks of the extent tree outside the inode. */
  treeBlocks: number[];
  /** The root of the extent tree, the link's target or the device's number: 60 bytes. */
  root: Uint8Array;
  xattrBlock: number;
  xattrs: Uint8Array | undefined;
}

const EXTENTS_FLAG = 0x8_0000;
const EXTENT_MAGIC = 0xf30a;
export const ROOT_EXTENTS = 4;
export const LEAF_EXTENTS = Math.floor((BLOCK_BYTES - 12) / 12);
/** Fields of an inode beyond the first 128 bytes; extended attributes follow them. */
const EXTRA_BYTES = 32;
export const XATTR_ROOM = INODE_BYTES - 128 - EXTRA_BYTES;
/** Longest target that lies in the inode, without the NUL. */
export const INLINE_TARGET = 59;

/** A node of an extent tree: a header and leaves, or a header and places of nodes below. */
export function encodeExtentNode(
  size: number,
  depth: 0 | 1,
  entries: readonly { logical: number; block: number; count?: number }[],
): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, EXTENT_MAGIC, true);
  view.setUint16(2, entries.length, true);
  view.setUint16(4, Math.floor((size - 12) / 12), true);
  view.setUint16(6, depth, true);
  for (const [index, { logical, block, count }] of entries.entries()) {
    const offset = 12 + index * 12;
    view.setUint32(offset, logical, true);
    if (depth === 0) {
      view.setUint16(offset + 4, count!, true);
      view.setUint32(offset + 8, block, true);
    } else {
      view.setUint32(offset + 4, block, true);
    }
  }
  return bytes;
}

/** An inode. */
export function encodeInode(node: ImageNode<Ext4Note>, size: number): Uint8Array {
  const bytes = new Uint8Array(INODE_BYTES);
  const view = new DataView(bytes.buffer);
  const { note } = node;
  const blocks =
    note.extents.reduce((sum, { count }) => sum + count, 0) +
    note.treeBlocks.length +
    (note.xattrBlock ? 1 : 0);
  const usesExtents =
    node.kind === 'file' || node.kind === 'directory' || (node.kind === 'symlink' && note.extents.length > 0);
  const seconds = node.seconds >>> 0;
  // Two bits that carry the seconds past 2038, and the nanoseconds.
  const epoch = Math.floor((node.seconds - (node.seconds | 0)) / 2 ** 32) & 3;
  const extra = ((node.nanoseconds << 2) | epoch) >>> 0;

  view.setUint16(0x00, node.mode, true);
  view.setUint16(0x02, node.uid & 0xffff, true);
  view.setUint32(0x04, size >>> 0, true);
  for (const offset of [0x08, 0x0c, 0x10, 0x90]) view.setUint32(offset, seconds, true); // atime ctime mtime crtime
  view.setUint16(0x18, node.gid & 0xffff, true);
  // Directories with more subdirectories than fit count as 1 (feature dir_nlink).
  view.setUint16(0x1a, node.links >= 65000 ? 1 : node.links, true);
  view.setUint32(0x1c, blocks * (BLOCK_BYTES / 512), true);
  view.setUint32(0x20, usesExtents ? EXTENTS_FLAG : 0, true);
  bytes.set(note.root, 0x28);
  view.setUint32(0x68, note.xattrBlock, true);
  view.setUint32(0x6c, Math.floor(size / 2 ** 32), true);
  view.setUint16(0x78, node.uid >>> 16, true);
  view.setUint16(0x7a, node.gid >>> 16, true);
  view.setUint16(0x80, EXTRA_BYTES, true);
  for (const offset of [0x84, 0x88, 0x8c, 0x94]) view.setUint32(offset, extra, true);
  if (note.xattrs !== undefined) bytes.set(note.xattrs, 128 + EXTRA_BYTES);
  return bytes;
}

/** What a device's inode holds in place of blocks. */
export function encodeDeviceRoot(major: number, minor: number): Uint8Array {
  const root = new Uint8Array(60);
  const view = new DataView(root.buffer);
  if (major < 256 && minor < 256) view.setUint32(0, (major << 8) | minor, true);
  else view.setUint32(4, encodeDevice(major, minor), true);
  return root;
}

const align4 = (length: number) => (length + 3) & ~3;

/** The blocks of a directory. */
export function encodeDirectory(node: ImageNode<Ext4Note>): Uint8Array[] {
  const encoder = new TextEncoder();
  const blocks: Uint8Array[] = [];
  let view = new DataView(new ArrayBuffer(0));
  let offset = BLOCK_BYTES;
  let last = 0;
  const add = (name: Uint8Array, child: ImageNode<Ext4Note>) => {
    const length = align4(8 + name.length);
    if (offset + length > BLOCK_BYTES) {
      const block = new Uint8Array(BLOCK_BYTES);
      blocks.push(block);
      view = new DataView(block.buffer);
      offset = 0;
    } else {
      // The entry before gives up the room behind it.
      view.setUint16(last + 4, offset - last, true);
    }
    view.setUint32(offset, child.note.inode, true);
    view.setUint16(offset + 4, BLOCK_BYTES - offset, true);
    view.setUint8(offset + 6, name.length);
    view.setUint8(offset + 7, ENTRY_TYPES[child.kind]);
    blocks.at(-1)!.set(name, offset + 8);
    last = offset;
    offset += length;
  };
  add(encoder.encode('.'), node);
  add(encoder.encode('..'), node.parent!);
  for (const [name, child] of node.children) add(encoder.encode(name), child);
  return blocks;
}
