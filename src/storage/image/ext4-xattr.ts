// Extended attributes of ext4: Documentation/filesystems/ext4/attributes.rst.
import { ImageError } from './image-entry.ts';

const MAGIC = 0xea02_0000;
const ENTRY_BYTES = 16;
const BLOCK_HEADER_BYTES = 32;
/** Prefixes that are stored as a number. */
const PREFIXES: readonly [string, number][] = [
  ['user.', 1],
  ['trusted.', 4],
  ['security.', 6],
  ['system.', 7],
];

interface Attribute {
  index: number;
  name: Uint8Array;
  value: Uint8Array;
}

const align4 = (length: number) => (length + 3) & ~3;

/**
 * Splits names and sorts attributes as the kernel wants them.
 * @throws {ImageError} for a name that ext4 cannot store
 */
export function parseAttributes(path: string, xattrs: readonly [string, Uint8Array][]): Attribute[] {
  const attributes = xattrs.map(([full, value]): Attribute => {
    const prefix = PREFIXES.find(([start]) => full.startsWith(start));
    // Access control lists have a form of their own on disk.
    if (prefix === undefined || full.startsWith('system.posix_acl')) {
      throw new ImageError(`${path}: the attribute ${full} cannot be stored in ext4; leave it away`);
    }
    const name = new TextEncoder().encode(full.slice(prefix[0].length));
    if (name.length === 0 || name.length > 255)
      throw new ImageError(`${path}: ${full} is no name of an attribute`);
    return { index: prefix[1], name, value };
  });
  return attributes.sort(
    (a, b) => a.index - b.index || a.name.length - b.name.length || compareBytes(a.name, b.name),
  );
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    if (a[index] !== b[index]) return a[index]! - b[index]!;
  }
  return a.length - b.length;
}

/** The attributes as the end of an inode; undefined when they do not fit. */
export function inodeAttributes(attributes: readonly Attribute[], room: number): Uint8Array | undefined {
  const bytes = new Uint8Array(room);
  new DataView(bytes.buffer).setUint32(0, MAGIC, true);
  return place(attributes, bytes, 4, 4) ? bytes : undefined;
}

/**
 * The attributes as a block of their own.
 * @throws {ImageError} when they do not fit
 */
export function blockAttributes(
  path: string,
  attributes: readonly Attribute[],
  blockBytes: number,
): Uint8Array {
  const bytes = new Uint8Array(blockBytes);
  const view = new DataView(bytes.buffer);
  if (!place(attributes, bytes, BLOCK_HEADER_BYTES, 0)) {
    throw new ImageError(`${path} has more extended attributes than fit into ${blockBytes} bytes`);
  }
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, 1, true); // inodes that share it
  view.setUint32(8, 1, true); // blocks
  let hash = 0;
  for (const attribute of attributes) hash = ((hash << 16) ^ (hash >>> 16) ^ hashOf(attribute)) >>> 0;
  view.setUint32(12, hash, true);
  return bytes;
}

/** Entries from `start` upwards, values from the end downwards; offsets of values count from `origin`. */
function place(attributes: readonly Attribute[], bytes: Uint8Array, start: number, origin: number): boolean {
  const view = new DataView(bytes.buffer);
  let entry = start;
  let values = bytes.length;
  for (const attribute of attributes) {
    const { index, name, value } = attribute;
    const next = entry + align4(ENTRY_BYTES + name.length);
    values -= align4(value.length);
    // Four bytes of zero end the list.
    if (next + 4 > values) return false;
    view.setUint8(entry, name.length);
    view.setUint8(entry + 1, index);
    view.setUint16(entry + 2, value.length === 0 ? 0 : values - origin, true);
    view.setUint32(entry + 8, value.length, true);
    view.setUint32(entry + 12, hashOf(attribute), true);
    bytes.set(name, entry + ENTRY_BYTES);
    bytes.set(value, values);
    entry = next;
  }
  return true;
}

function hashOf({ name, value }: Attribute): number {
  let hash = 0;
  for (const byte of name) hash = ((hash << 5) ^ (hash >>> 27) ^ byte) >>> 0;
  if (value.length > 0) {
    const padded = new Uint8Array(align4(value.length));
    padded.set(value);
    const view = new DataView(padded.buffer);
    for (let offset = 0; offset < padded.length; offset += 4) {
      hash = ((hash << 16) ^ (hash >>> 16) ^ view.getUint32(offset, true)) >>> 0;
    }
  }
  return hash;
}
