// Tar archives, ustar with pax records where a name or number does not fit (POSIX.1-2001). Equal entries give equal
// bytes: that is what digests of layers stand on.
import { TAR_BLOCK, tarPadding } from '../../storage/tree/tar-header.ts';

/** What one entry is. Times are whole seconds since 1970. */
export interface TarHeaderFields {
  /** Without a slash at either end. */
  path: string;
  type: 'file' | 'directory' | 'symlink' | 'link' | 'character' | 'block' | 'fifo';
  mode: number;
  uid?: number;
  gid?: number;
  mtime?: number;
  /** Bytes of data that follow, padded to TAR_BLOCK. */
  size?: number;
  /** Target of a symlink, or path that a link is a further name of. */
  target?: string;
  major?: number;
  minor?: number;
  /** Extended attributes by full name. */
  xattrs?: Readonly<Record<string, Uint8Array>>;
}

const TYPE_FLAGS = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};
const encoder = new TextEncoder();
/** Largest number in a field of 12 bytes: 11 octal digits. */
const SIZE_MAX = 8 ** 11 - 1;
const ID_MAX = 8 ** 7 - 1;

/** The end of an archive. */
export const tarEnd = () => new Uint8Array(2 * TAR_BLOCK);

/** Zeroes that follow data of that size. */
export const tarPad = (size: number) => new Uint8Array(tarPadding(size));

/** Header of an entry, with a pax header before it where it needs one. */
export function tarHeader(entry: TarHeaderFields): Uint8Array<ArrayBuffer> {
  const path = encoder.encode(
    entry.type === 'directory' && entry.path !== '' ? `${entry.path}/` : entry.path || './',
  );
  const target = encoder.encode(entry.target ?? '');
  const size = entry.size ?? 0;
  const records: Uint8Array[] = [];
  if (path.length > 100) records.push(paxRecord('path', path));
  if (target.length > 100) records.push(paxRecord('linkpath', target));
  if (size > SIZE_MAX) records.push(paxRecord('size', encoder.encode(String(size))));
  if ((entry.uid ?? 0) > ID_MAX) records.push(paxRecord('uid', encoder.encode(String(entry.uid))));
  if ((entry.gid ?? 0) > ID_MAX) records.push(paxRecord('gid', encoder.encode(String(entry.gid))));
  for (const name of Object.keys(entry.xattrs ?? {}).sort()) {
    records.push(paxRecord(`SCHILY.xattr.${name}`, entry.xattrs![name]!));
  }
  const own = header(entry, path, target, size, TYPE_FLAGS[entry.type]);
  if (records.length === 0) return own;
  const pax = concat(records);
  const before = header(
    { path: '', type: 'file', mode: 0o644, mtime: entry.mtime },
    encoder.encode('PaxHeaders/entry'),
    new Uint8Array(),
    pax.length,
    'x',
  );
  return concat([before, pax, tarPad(pax.length), own]);
}

function header(
  entry: TarHeaderFields,
  path: Uint8Array,
  target: Uint8Array,
  size: number,
  flag: string,
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(TAR_BLOCK);
  const octal = (at: number, length: number, value: number, max: number) => {
    const digits = (value > max ? 0 : Math.max(0, Math.floor(value))).toString(8).padStart(length - 1, '0');
    block.set(encoder.encode(digits), at);
  };
  block.set(path.subarray(0, 100));
  octal(100, 8, entry.mode & 0o7777, ID_MAX);
  octal(108, 8, entry.uid ?? 0, ID_MAX);
  octal(116, 8, entry.gid ?? 0, ID_MAX);
  octal(124, 12, size, SIZE_MAX);
  octal(136, 12, entry.mtime ?? 0, SIZE_MAX);
  block.fill(0x20, 148, 156);
  block.set(encoder.encode(flag), 156);
  block.set(target.subarray(0, 100), 157);
  block.set(encoder.encode('ustar\u000000'), 257);
  octal(329, 8, entry.major ?? 0, ID_MAX);
  octal(337, 8, entry.minor ?? 0, ID_MAX);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(encoder.encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return block;
}

/** "LENGTH KEY=VALUE\n", where LENGTH counts its own digits too. */
function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = concat([encoder.encode(` ${key}=`), value, encoder.encode('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return concat([encoder.encode(String(length)), rest]);
}

/** All of `parts` as one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
