// cpio archives in the "new ASCII" format without checksums (newc, magic 070701), as Linux's initramfs reads it:
// Documentation/driver-api/early-userspace/buffer-format.rst.
import { TYPE_BITS } from './image/node-kind.ts';

/** An entry cannot be written: its path is malformed, doubled or without a directory above it. */
export class CpioError extends Error {
  override readonly name = 'CpioError';
}

interface CpioCommon {
  /** Path from the archive's root without a slash at either end: `bin/sh`. */
  path: string;
  /** Permission bits, set-uid, set-gid and sticky bits: 0 to 0o7777. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds since 1970. Default: the archive's. */
  mtime?: number;
}

export type CpioEntry =
  | (CpioCommon & { type: 'file'; data: Uint8Array })
  | (CpioCommon & { type: 'directory' })
  | (CpioCommon & { type: 'symlink'; target: string })
  | (CpioCommon & { type: 'character' | 'block'; major: number; minor: number })
  | (CpioCommon & { type: 'fifo' });

export interface CpioOptions {
  /** Seconds since 1970, for entries without a time of their own. Default 0, so that equal input gives equal bytes. */
  mtime?: number;
}

const DEFAULT_MODE = {
  fifo: 0o644,
  character: 0o600,
  directory: 0o755,
  block: 0o600,
  file: 0o644,
  symlink: 0o777,
};
const HEADER_BYTES = 110;
const TRAILER = 'TRAILER!!!';
/** Archives are padded to whole records of this many bytes, as cpio(1) does. */
const RECORD_BYTES = 512;
/** Linux's PATH_MAX, with the NUL. */
const PATH_BYTES = 4096;

const align4 = (offset: number) => (offset + 3) & ~3;

/**
 * Writes a newc archive; the same entries give the same bytes.
 * @throws {CpioError} for a path that is malformed, doubled or has no directory above it in the archive
 */
export function writeCpio(entries: readonly CpioEntry[], options: CpioOptions = {}): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const kinds = new Map<string, CpioEntry['type']>();
  const parts: { name: Uint8Array; header: number[]; data: Uint8Array }[] = [];
  let total = 0;
  const add = (name: string, fields: number[], data: Uint8Array) => {
    const bytes = encoder.encode(`${name}\0`);
    if (bytes.length > PATH_BYTES) throw new CpioError(`the path ${name.slice(0, 60)}… is too long`);
    fields[11] = bytes.length;
    parts.push({ name: bytes, header: fields, data });
    total = align4(align4(total + HEADER_BYTES + bytes.length) + data.length);
  };

  for (const [index, entry] of entries.entries()) {
    checkPath(entry.path, kinds);
    kinds.set(entry.path, entry.type);
    const data =
      entry.type === 'file'
        ? entry.data
        : entry.type === 'symlink'
          ? encoder.encode(entry.target)
          : new Uint8Array();
    const device = entry.type === 'character' || entry.type === 'block' ? entry : { major: 0, minor: 0 };
    const fields = [
      index + 1, // inode
      TYPE_BITS[entry.type] | ((entry.mode ?? DEFAULT_MODE[entry.type]) & 0o7777),
      entry.uid ?? 0,
      entry.gid ?? 0,
      entry.type === 'directory' ? 2 : 1, // links
      entry.mtime ?? options.mtime ?? 0,
      data.length,
      0,
      0, // the device the archive was made from
      device.major,
      device.minor,
      0, // length of the name, filled in by add()
      0, // checksum: not used by this magic
    ];
    for (const field of fields) {
      if (!Number.isInteger(field) || field < 0 || field > 0xffff_ffff) {
        throw new CpioError(`${entry.path}: ${field} does not fit a 32-bit field of its header`);
      }
    }
    add(entry.path, fields, data);
  }
  add(TRAILER, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], new Uint8Array());

  const archive = new Uint8Array(Math.ceil(total / RECORD_BYTES) * RECORD_BYTES);
  let offset = 0;
  for (const { name, header, data } of parts) {
    const text = `070701${header.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('')}`;
    encoder.encodeInto(text, archive.subarray(offset));
    archive.set(name, offset + HEADER_BYTES);
    offset = align4(offset + HEADER_BYTES + name.length);
    archive.set(data, offset);
    offset = align4(offset + data.length);
  }
  return archive;
}

function checkPath(path: string, kinds: ReadonlyMap<string, CpioEntry['type']>): void {
  const malformed = path
    .split('/')
    .some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'));
  if (malformed || path === TRAILER) throw new CpioError(`"${path}" is no path for an archive`);
  if (kinds.has(path)) throw new CpioError(`${path} is in the archive twice`);
  const slash = path.lastIndexOf('/');
  if (slash > 0 && kinds.get(path.slice(0, slash)) !== 'directory') {
    throw new CpioError(`${path} comes before its directory; add ${path.slice(0, slash)} first`);
  }
}
