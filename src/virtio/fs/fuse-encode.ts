import type { Attributes, DirectoryEntry, FileSystemStatistics } from '../../storage/tree/file-system.ts';
import { ATTR_OUT, DIRENT, ENTRY_OUT, STATFS_OUT } from './fuse-protocol.ts';

const NS_PER_SECOND = 1_000_000_000n;
/** What preferred I/O size stat shows. */
const BLOCK_SIZE = 4096;

/** How long a kernel may believe what it was told, in whole seconds. */
export interface Validity {
  entry: number;
  attributes: number;
}

function putTime(view: DataView, seconds: number, nanoseconds: number, time: bigint): void {
  let whole = time / NS_PER_SECOND;
  let rest = time % NS_PER_SECOND;
  if (rest < 0n) {
    whole -= 1n;
    rest += NS_PER_SECOND;
  }
  view.setBigInt64(seconds, whole, true);
  view.setUint32(nanoseconds, Number(rest), true);
}

/** struct fuse_attr. */
function putAttributes(view: DataView, at: number, attributes: Attributes): void {
  view.setBigUint64(at, BigInt(attributes.number), true);
  view.setBigUint64(at + 8, BigInt(attributes.size), true);
  view.setBigUint64(at + 16, BigInt(attributes.blocks), true);
  putTime(view, at + 24, at + 48, attributes.atime);
  putTime(view, at + 32, at + 52, attributes.mtime);
  putTime(view, at + 40, at + 56, attributes.ctime);
  view.setUint32(at + 60, attributes.mode, true);
  view.setUint32(at + 64, attributes.links, true);
  view.setUint32(at + 68, attributes.uid, true);
  view.setUint32(at + 72, attributes.gid, true);
  view.setUint32(at + 76, attributes.device, true);
  view.setUint32(at + 80, BLOCK_SIZE, true);
}

/** struct fuse_entry_out into a view of zeroes. The generation stays 0: node numbers are never used twice. */
export function putEntry(
  view: DataView,
  at: number,
  node: number,
  attributes: Attributes,
  validity: Validity,
): void {
  view.setBigUint64(at, BigInt(node), true);
  view.setUint32(at + 16, validity.entry, true);
  view.setUint32(at + 24, validity.attributes, true);
  putAttributes(view, at + 40, attributes);
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function encodeEntry(
  node: number,
  attributes: Attributes,
  validity: Validity,
  extra = 0,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ENTRY_OUT + extra);
  putEntry(viewOf(bytes), 0, node, attributes, validity);
  return bytes;
}

/** A name that is known not to be there. */
export function encodeNoEntry(validity: Validity): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ENTRY_OUT);
  viewOf(bytes).setUint32(16, validity.entry, true);
  return bytes;
}

/** struct fuse_attr_out. */
export function encodeAttributes(attributes: Attributes, validity: Validity): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ATTR_OUT);
  const view = viewOf(bytes);
  view.setUint32(0, validity.attributes, true);
  putAttributes(view, 16, attributes);
  return bytes;
}

/** struct fuse_statfs_out. */
export function encodeStatistics(statistics: FileSystemStatistics): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(STATFS_OUT);
  const view = viewOf(bytes);
  const { blocks, blocksFree, files, filesFree, blockSize, nameMax } = statistics;
  const wide = [blocks, blocksFree, blocksFree, files, filesFree];
  for (const [index, value] of wide.entries()) view.setBigUint64(index * 8, BigInt(value), true);
  view.setUint32(40, blockSize, true);
  view.setUint32(44, nameMax, true);
  view.setUint32(48, blockSize, true);
  return bytes;
}

/** Bytes that a name takes in a listing. */
export const direntSize = (nameLength: number) => (DIRENT + nameLength + 7) & ~7;

/** struct fuse_dirent into zeroed bytes. */
export function putDirent(bytes: Uint8Array, view: DataView, at: number, entry: DirectoryEntry): void {
  view.setBigUint64(at, BigInt(entry.number), true);
  view.setBigUint64(at + 8, BigInt(entry.cookie), true);
  view.setUint32(at + 16, entry.name.length, true);
  view.setUint32(at + 20, (entry.mode >>> 12) & 0xf, true);
  for (let index = 0; index < entry.name.length; index++) {
    bytes[at + DIRENT + index] = entry.name.charCodeAt(index);
  }
}
