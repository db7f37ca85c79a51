import { StorageError } from '../storage-error.ts';
import { type ByteString, bytesOf, printable } from './byte-name.ts';
import { type ByteSource, readBytes } from './byte-source.ts';
import {
  readPaxRecords,
  readTarHeader,
  TAR_BLOCK,
  TarHeaderError,
  tarPadding,
  tarText,
} from './tar-header.ts';

export type TarType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** An entry of a tar archive: plain data, so that an index can be kept and used again. */
export interface TarRecord {
  /** Byte string without a slash at either end, `.` or `..`; empty for the root. */
  path: ByteString;
  type: TarType;
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970, with a fraction where the archive has one. */
  mtime: number;
  /** Target of a symlink as it stands there, or path of the file a hard link is of. */
  link: ByteString;
  /** Where the data are in the archive, and how many bytes; 0 and 0 for anything but a file. */
  offset: number;
  size: number;
  major: number;
  minor: number;
  xattrs?: [ByteString, ByteString][];
}

/** Longest name or extended header that is believed, in bytes. */
const LONGEST_HEADER = 1 << 20;
/** Most entries of an archive. */
const ENTRIES_MAX = 4_000_000;
/** Headers are read in pieces of this many bytes: those of small files lie close to each other. */
const PIECE = 1 << 16;
const TYPES: Record<string, TarType> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};
const XATTR_PREFIX = 'SCHILY.xattr.';

/**
 * Finds the entries of an uncompressed tar archive; data are skipped, not read.
 * @param what names the archive in errors
 * @throws {StorageError} corrupt: a damaged header, a path that leaves the archive, data beyond its end
 */
export async function indexTar(source: ByteSource, what: string): Promise<TarRecord[]> {
  const records: TarRecord[] = [];
  const bad = (why: string) => new StorageError('corrupt', `${what} is damaged: ${why}`);
  const window = new Window(source);
  let longName: ByteString | undefined;
  let longLink: ByteString | undefined;
  let pax = new Map<ByteString, ByteString>();
  let paxGlobal = new Map<ByteString, ByteString>();
  let at = 0;
  try {
    for (;;) {
      const block = await window.bytes(at, TAR_BLOCK);
      // Some archives end without their two blocks of zeroes, but none in the middle of a header.
      if (block.length === 0) return records;
      if (block.length < TAR_BLOCK) throw bad(`it ends in the middle of a header at byte ${at}`);
      const header = readTarHeader(block);
      if (header === undefined) return records;
      const data = at + TAR_BLOCK;
      if (data + header.size > source.size && header.type !== '1') {
        throw bad(`the entry at byte ${at} goes on beyond its end`);
      }
      if (header.type === 'L' || header.type === 'K' || header.type === 'x' || header.type === 'g') {
        if (header.size > LONGEST_HEADER)
          throw bad(`an extended header of ${header.size} bytes at byte ${at}`);
        const bytes = await window.bytes(data, header.size);
        if (header.type === 'L') longName = tarText(bytes);
        else if (header.type === 'K') longLink = tarText(bytes);
        else if (header.type === 'x') pax = readPaxRecords(bytes);
        else paxGlobal = new Map([...paxGlobal, ...readPaxRecords(bytes)]);
        at = data + header.size + tarPadding(header.size);
        continue;
      }
      const type = TYPES[header.type];
      if (type === undefined) throw bad(`unknown entry type ${printable(header.type)} at byte ${at}`);
      const field = (key: string) => pax.get(key) ?? paxGlobal.get(key);
      const numeric = (key: string, otherwise: number) => {
        const text = field(key);
        const value = text === undefined ? otherwise : Number(text);
        if (!Number.isFinite(value) || (key !== 'mtime' && !(Number.isSafeInteger(value) && value >= 0))) {
          throw bad(`${key} of the entry at byte ${at} is ${printable(text ?? '')}`);
        }
        return value;
      };
      const name = field('path') ?? longName ?? header.name;
      const link = field('linkpath') ?? longLink ?? header.link;
      const path = cleanPath(name) ?? fail(bad(`the name ${printable(name.slice(0, 80))} leaves it`));
      const size = numeric('size', header.size);
      // Only files have data; pax archives may give a hard link its file's size (without the data).
      const held = type === 'file' ? size : 0;
      if (data + held > source.size) throw bad(`${printable(path)} goes on beyond its end`);
      if (field('GNU.sparse.major') !== undefined) throw bad(`${printable(path)} is stored as a sparse file`);
      const target = type === 'hardlink' ? cleanPath(link) : link;
      if (target === undefined) throw bad(`${printable(path)} is a link to a place outside`);
      const record: TarRecord = {
        path,
        type,
        mode: header.mode,
        uid: numeric('uid', header.uid),
        gid: numeric('gid', header.gid),
        mtime: numeric('mtime', header.mtime),
        link: type === 'hardlink' || type === 'symlink' ? target : '',
        offset: held > 0 ? data : 0,
        size: held,
        major: header.major,
        minor: header.minor,
      };
      const xattrs = [...paxGlobal, ...pax].flatMap(([key, value]): [ByteString, ByteString][] =>
        key.startsWith(XATTR_PREFIX) ? [[key.slice(XATTR_PREFIX.length), value]] : [],
      );
      if (xattrs.length > 0) record.xattrs = xattrs;
      records.push(record);
      if (records.length > ENTRIES_MAX) throw bad(`it has more than ${ENTRIES_MAX} entries`);
      longName = undefined;
      longLink = undefined;
      pax = new Map();
      at = data + held + tarPadding(held);
    }
  } catch (error) {
    if (error instanceof TarHeaderError) throw bad(`${error.message} at byte ${at}`);
    throw error;
  }
}

function fail(error: Error): never {
  throw error;
}

/** Without `./`, doubled slashes and slashes at the ends; undefined when it goes up. */
function cleanPath(name: ByteString): ByteString | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  const wrong = parts.some((part) => part === '..' || part.includes('\0') || part.length > 255);
  return wrong ? undefined : parts.join('/');
}

/** A piece of the source around where it was last read. */
class Window {
  private readonly source: ByteSource;
  private start = 0;
  private held: Uint8Array = bytesOf('');

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** Bytes [at, at + length), fewer at the end of the source. */
  async bytes(at: number, length: number): Promise<Uint8Array> {
    if (at < this.start || at + length > this.start + this.held.length) {
      this.held = await readBytes(this.source, at, Math.max(PIECE, length));
      this.start = at;
    }
    return this.held.subarray(at - this.start, at - this.start + length);
  }
}
