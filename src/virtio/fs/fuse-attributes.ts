// Operations on what is known about a file: attributes, extended attributes, the file system's figures.
import { andThen } from '../../storage/tree/answer.ts';
import { type ByteString, bytesOf } from '../../storage/tree/byte-name.ts';
import { PERMISSIONS } from '../../storage/tree/file-mode.ts';
import type { AttributeChanges } from '../../storage/tree/file-system.ts';
import { fail } from '../../storage/tree/file-system-error.ts';
import type { FuseContext, Operation } from './fuse-context.ts';
import { encodeAttributes, encodeStatistics } from './fuse-encode.ts';
import { FATTR, XATTR_CREATE, XATTR_REPLACE } from './fuse-protocol.ts';
import type { FuseReader } from './fuse-reader.ts';

/** Longest name of an extended attribute (Linux XATTR_NAME_MAX). */
const XATTR_NAME_MAX = 255;

export const getAttributes: Operation = ({ tree, nodes, reader, validity }) =>
  andThen(tree.attributes(nodes.get(reader.node)), (attributes) => encodeAttributes(attributes, validity));

/** Seconds and nanoseconds of a request as nanoseconds; seconds are signed. */
function timeAt(reader: FuseReader, seconds: number, nanoseconds: number): bigint {
  const part = reader.u32(nanoseconds);
  if (part >= 1_000_000_000) return fail('EINVAL', 'more nanoseconds than a second has');
  return BigInt.asIntN(64, reader.bits64(seconds)) * 1_000_000_000n + BigInt(part);
}

export const setAttributes: Operation = ({ tree, nodes, reader, validity }) => {
  reader.need(88);
  const valid = reader.u32(0);
  const changes: AttributeChanges = {};
  if (valid & FATTR.MODE) changes.mode = reader.u32(68) & PERMISSIONS;
  if (valid & FATTR.UID) changes.uid = reader.u32(76);
  if (valid & FATTR.GID) changes.gid = reader.u32(80);
  if (valid & FATTR.SIZE) changes.size = reader.u64(16);
  if (valid & FATTR.ATIME) changes.atime = valid & FATTR.ATIME_NOW ? 'now' : timeAt(reader, 32, 56);
  if (valid & FATTR.MTIME) changes.mtime = valid & FATTR.MTIME_NOW ? 'now' : timeAt(reader, 40, 60);
  if (valid & FATTR.CTIME) changes.ctime = timeAt(reader, 48, 64);
  if (valid & FATTR.KILL_SUIDGID) changes.killPrivileges = true;
  const done = tree.setAttributes(nodes.get(reader.node), changes);
  return andThen(done, (attributes) => encodeAttributes(attributes, validity));
};

export const statistics: Operation = ({ tree }) => andThen(tree.statistics(), encodeStatistics);

function xattrName(reader: FuseReader, at: number): ByteString {
  const name = reader.text(at, XATTR_NAME_MAX);
  if (name === '') return fail('EINVAL');
  // ACLs would have to be enforced, not only kept.
  if (name.startsWith('system.')) return fail('EOPNOTSUPP');
  return name;
}

/** A value as getxattr and listxattr answer it: its length when the caller asks with no room. */
function replyValue(value: Uint8Array, size: number): Uint8Array {
  if (size === 0) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, value.length, true);
    return bytes;
  }
  return value.length > size ? fail('ERANGE') : value;
}

export const getXattr: Operation = ({ tree, nodes, reader }: FuseContext) => {
  reader.need(8);
  const size = reader.u32(0);
  const value = tree.getXattr(nodes.get(reader.node), xattrName(reader, 8));
  return andThen(value, (bytes) => replyValue(bytes, size));
};

export const listXattrs: Operation = ({ tree, nodes, reader }: FuseContext) => {
  reader.need(8);
  const size = reader.u32(0);
  const names = tree.listXattrs(nodes.get(reader.node));
  return andThen(names, (list) => replyValue(bytesOf(list.map((name) => `${name}\0`).join('')), size));
};

export const setXattr: Operation = ({ tree, nodes, reader }) => {
  reader.need(8);
  const size = reader.u32(0);
  const flags = reader.u32(4);
  const name = xattrName(reader, 8);
  const value = reader.bytes(8 + name.length + 1, size).slice();
  const create = (flags & XATTR_CREATE) !== 0;
  const replace = (flags & XATTR_REPLACE) !== 0;
  const done = tree.setXattr(nodes.get(reader.node), name, value, { create, replace });
  return andThen(done, () => undefined);
};

export const removeXattr: Operation = ({ tree, nodes, reader }) =>
  andThen(tree.removeXattr(nodes.get(reader.node), xattrName(reader, 0)), () => undefined);
