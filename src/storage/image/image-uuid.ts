import { crc32c } from '../crc32c.ts';
import { ImageError } from './image-entry.ts';
import type { ImageNode } from './image-tree.ts';

/**
 * Sixteen bytes made from a label, a size and a tree: equal trees have equal ones.
 * A UUID of version 8 and variant 1 (RFC 9562): made in a way of one's own.
 */
export function uuidOf(label: string, bytes: number, nodes: readonly ImageNode<unknown>[]): Uint8Array {
  const about = nodes.map((node) => [
    node.mode,
    node.uid,
    node.gid,
    node.bytes,
    node.seconds,
    [...node.children.keys()],
  ]);
  const text = JSON.stringify([label, bytes, about]);
  const uuid = new Uint8Array(16);
  const view = new DataView(uuid.buffer);
  for (let word = 0; word < 4; word++)
    view.setUint32(word * 4, crc32c(new TextEncoder().encode(`${word}${text}`)));
  uuid[6] = (uuid[6]! & 0x0f) | 0x80;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return uuid;
}

/**
 * A label as bytes.
 * @throws {ImageError} when it is longer than 16
 */
export function labelBytes(label: string): Uint8Array {
  const bytes = new TextEncoder().encode(label);
  if (bytes.length > 16) throw new ImageError(`the label ${label} is longer than 16 bytes`);
  return bytes;
}
