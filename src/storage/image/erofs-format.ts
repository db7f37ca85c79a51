// Structures of erofs without compression: Documentation/filesystems/erofs.rst and its on-disk format page.
import { crc32cState } from '../crc32c.ts';
import { encodeDevice } from '../tree/file-mode.ts';
import { ImageError } from './image-entry.ts';
import type { ImageNode } from './image-tree.ts';
import { ENTRY_TYPES } from './node-kind.ts';

export const BLOCK_BYTES = 4096;
/** Inodes lie at multiples of this and are known by their number. */
export const SLOT_BYTES = 32;
/** The form with 64 bits of size and a time of its own. */
export const INODE_BYTES = 64;
const SUPERBLOCK_OFFSET = 1024;
const XATTR_HEADER_BYTES = 12;
const PREFIXES: readonly [string, number][] = [
  ['user.', 1],
  ['trusted.', 4],
  ['security.', 6],
];

/** What the writer notes about a node. */
export interface ErofsNote {
  /** First block of its contents. */
  block: number;
  /** The last bytes of its contents, kept beside the inode; undefined when all are in blocks. */
  tail: Uint8Array | undefined;
  size: number;
  xattrs: Uint8Array;
  /** Where it is, in slots from the start of the inodes. */
  nid: number;
}

const align4 = (length: number) => (length + 3) & ~3;

/**
 * The extended attributes as they follow an inode; empty when there are none.
 * @throws {ImageError} for a name or value that erofs cannot store
 */
export function encodeXattrs(xattrs: readonly [string, Uint8Array][]): Uint8Array {
  if (xattrs.length === 0) return new Uint8Array();
  const entries = xattrs.map(([full, value]) => {
    const prefix = PREFIXES.find(([start]) => full.startsWith(start));
    const name = new TextEncoder().encode(full.slice(prefix?.[0].length ?? 0));
    if (prefix === undefined || name.length === 0 || name.length > 255 || value.length > 0xffff) {
      throw new ImageError(`the attribute ${full} cannot be stored in erofs; leave it away`);
    }
    return { index: prefix[1], name, value };
  });
  const length = entries.reduce(
    (sum, { name, value }) => sum + align4(4 + name.length + value.length),
    XATTR_HEADER_BYTES,
  );
  // The count of an inode has 16 bits.
  if ((length - XATTR_HEADER_BYTES) / 4 + 1 > 0xffff)
    throw new ImageError('too many extended attributes for erofs');
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let offset = XATTR_HEADER_BYTES;
  for (const { index, name, value } of entries) {
    view.setUint8(offset, name.length);
    view.setUint8(offset + 1, index);
    view.setUint16(offset + 2, value.length, true);
    bytes.set(name, offset + 4);
    bytes.set(value, offset + 4 + name.length);
    offset += align4(4 + name.length + value.length);
  }
  return bytes;
}

/** An inode with its extended attributes and the tail of its contents. */
export function encodeInode(node: ImageNode<ErofsNote>): Uint8Array {
  const { block, tail, size, xattrs } = node.note;
  const bytes = new Uint8Array(INODE_BYTES + xattrs.length + (tail?.length ?? 0));
  const view = new DataView(bytes.buffer);
  const isDevice = node.kind === 'character' || node.kind === 'block';
  // The long form; contents plain (0) or with an inline tail (2).
  view.setUint16(0, 1 | ((tail === undefined ? 0 : 2) << 1), true);
  view.setUint16(2, xattrs.length === 0 ? 0 : (xattrs.length - XATTR_HEADER_BYTES) / 4 + 1, true);
  view.setUint16(4, node.mode, true);
  view.setBigUint64(8, BigInt(size), true);
  view.setUint32(16, isDevice ? encodeDevice(node.major, node.minor) : block, true);
  view.setUint32(20, node.index + 1, true);
  view.setUint32(24, node.uid, true);
  view.setUint32(28, node.gid, true);
  view.setBigInt64(32, BigInt(node.seconds), true);
  view.setUint32(40, node.nanoseconds, true);
  view.setUint32(44, node.links, true);
  bytes.set(xattrs, INODE_BYTES);
  if (tail !== undefined) bytes.set(tail, INODE_BYTES + xattrs.length);
  return bytes;
}

interface DirectoryName {
  name: Uint8Array;
  node: ImageNode<ErofsNote>;
}

/** Names of a directory, sorted by their bytes and cut into blocks: entries of 12 bytes, then the names. */
export function directoryBlocks(node: ImageNode<ErofsNote>): DirectoryName[][] {
  const encoder = new TextEncoder();
  const names: DirectoryName[] = [
    { name: encoder.encode('.'), node },
    { name: encoder.encode('..'), node: node.parent! },
  ];
  for (const [name, child] of node.children) names.push({ name: encoder.encode(name), node: child });
  names.sort((a, b) => compareBytes(a.name, b.name));
  const blocks: DirectoryName[][] = [];
  let room = 0;
  for (const entry of names) {
    const length = 12 + entry.name.length;
    if (length > room) {
      blocks.push([]);
      room = BLOCK_BYTES;
    }
    blocks.at(-1)!.push(entry);
    room -= length;
  }
  return blocks;
}

/** Bytes of a directory: whole blocks, then as much as the last one needs. */
export function directoryBytes(blocks: readonly DirectoryName[][]): number {
  const last = blocks.at(-1)!.reduce((sum, { name }) => sum + 12 + name.length, 0);
  return (blocks.length - 1) * BLOCK_BYTES + last;
}

/** The contents of a directory, once all numbers are known. */
export function encodeDirectory(blocks: readonly DirectoryName[][]): Uint8Array {
  const bytes = new Uint8Array(directoryBytes(blocks));
  const view = new DataView(bytes.buffer);
  for (const [index, names] of blocks.entries()) {
    const start = index * BLOCK_BYTES;
    let nameOffset = names.length * 12;
    for (const [place, { name, node }] of names.entries()) {
      const offset = start + place * 12;
      view.setBigUint64(offset, BigInt(node.note.nid), true);
      view.setUint16(offset + 8, nameOffset, true);
      view.setUint8(offset + 10, ENTRY_TYPES[node.kind]);
      bytes.set(name, start + nameOffset);
      nameOffset += name.length;
    }
  }
  return bytes;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    if (a[index] !== b[index]) return a[index]! - b[index]!;
  }
  return a.length - b.length;
}

export interface ErofsSuperblock {
  rootNid: number;
  inodes: number;
  time: number;
  blocks: number;
  metaBlock: number;
  uuid: Uint8Array;
  label: Uint8Array;
}

/** The first block: nothing, then the superblock. */
export function encodeFirstBlock(superblock: ErofsSuperblock): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES);
  const view = new DataView(bytes.buffer, SUPERBLOCK_OFFSET);
  view.setUint32(0, 0xe0f5_e1e2, true);
  view.setUint32(8, 0x1 | 0x2, true); // has a checksum; inodes have times of their own
  view.setUint8(12, Math.log2(BLOCK_BYTES));
  view.setUint16(14, superblock.rootNid, true);
  view.setBigUint64(16, BigInt(superblock.inodes), true);
  view.setBigUint64(24, BigInt(superblock.time), true);
  view.setUint32(36, superblock.blocks, true);
  view.setUint32(40, superblock.metaBlock, true);
  bytes.set(superblock.uuid, SUPERBLOCK_OFFSET + 48);
  bytes.set(superblock.label, SUPERBLOCK_OFFSET + 64);
  view.setUint32(4, crc32cState(0xffff_ffff, bytes.subarray(SUPERBLOCK_OFFSET)), true);
  return bytes;
}
