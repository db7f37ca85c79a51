import { type ByteString, byteString, bytesOf } from './byte-name.ts';
import type { XattrFlags } from './file-system.ts';
import { fail } from './file-system-error.ts';

/** Longest value in bytes (Linux XATTR_SIZE_MAX), and longest list of names with their NULs (XATTR_LIST_MAX). */
const VALUE_MAX = 65536;
const LIST_MAX = 65536;
/** Longest name in bytes (XATTR_NAME_MAX). */
const NAME_MAX = 255;
const NAMESPACES = ['user.', 'trusted.', 'security.'];
/** Cleared when someone without privileges changes a file (capabilities(7)). */
export const CAPABILITY_XATTR = 'security.capability';

/** Extended attributes of one inode (xattr(7)). */
export type Xattrs = Map<ByteString, ByteString>;

export function getXattr(xattrs: Xattrs | undefined, name: ByteString): Uint8Array {
  const value = xattrs?.get(name);
  return value === undefined ? fail('ENODATA') : bytesOf(value);
}

/** Checks and sets; answers by how many bytes the attributes have grown. `before` sees that before it is done. */
export function setXattr(
  xattrs: Xattrs,
  name: ByteString,
  value: Uint8Array,
  flags: XattrFlags,
  before: (grown: number) => void = () => {},
): void {
  if (!NAMESPACES.some((space) => name.startsWith(space) && name.length > space.length)) fail('EOPNOTSUPP');
  if (name.length > NAME_MAX) fail('ERANGE');
  if (value.length > VALUE_MAX) fail('E2BIG');
  const old = xattrs.get(name);
  if (old !== undefined && flags.create) fail('EEXIST');
  if (old === undefined && flags.replace) fail('ENODATA');
  if (old === undefined) {
    let list = name.length + 1;
    for (const other of xattrs.keys()) list += other.length + 1;
    if (list > LIST_MAX) fail('ENOSPC');
  }
  before(value.length - (old === undefined ? -name.length : old.length));
  xattrs.set(name, byteString(value));
}

/** Answers how many bytes were given back. */
export function removeXattr(xattrs: Xattrs | undefined, name: ByteString): number {
  const old = xattrs?.get(name);
  if (xattrs === undefined || old === undefined) return fail('ENODATA');
  xattrs.delete(name);
  return old.length + name.length;
}
