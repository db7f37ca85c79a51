// Streaming reader of tar archives: ustar (POSIX.1-1988), pax extended headers (POSIX.1-2001) and GNU long names.
import { checksumIsRight, TAR_BLOCK, tarPadding } from '../storage/tree/tar-header.ts';
import { GuestError } from './guest-error.ts';

export type TarType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

export interface TarEntry {
  /** Path without `./` before it or a slash at either end; empty for the root. Never contains `..`. */
  path: string;
  type: TarType;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  /** Bytes of data; 0 for anything but a file. */
  size: number;
  /** Target of a symlink as it stands there, or path of the file a hard link is of. */
  link: string;
  /** Reads the data. Only before the next entry is asked for; unread data is skipped. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Longest name or extended header that is believed, in bytes. */
const LONGEST_HEADER = 1 << 20;
const TYPES: Record<string, TarType> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/**
 * Yields the entries of a tar archive in their order.
 * @param what names the archive in errors
 * @throws {GuestError} format: a header with a wrong checksum, size or name, or an archive that ends too early
 */
export async function* readTar(source: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<TarEntry> {
  const bytes = new ByteReader(source, what);
  const bad = (why: string) => new GuestError('format', `${what} is damaged: ${why}`);
  let longName: string | undefined;
  let longLink: string | undefined;
  let pax = new Map<string, string>();
  let paxGlobal = new Map<string, string>();
  try {
    for (;;) {
      const at = bytes.position;
      const header = await bytes.take(TAR_BLOCK);
      if (header.every((byte) => byte === 0)) return; // the second block of zeros is not always there
      if (!checksumIsRight(header)) throw bad(`wrong checksum in the tar header at byte ${at}`);
      const type = String.fromCharCode(header[156]!);
      const ownSize = number(header, 124, 12);
      const readMeta = async () => {
        if (ownSize > LONGEST_HEADER) throw bad(`an extended header of ${ownSize} bytes at byte ${at}`);
        const data = await bytes.take(ownSize);
        await bytes.skip(tarPadding(ownSize));
        return data;
      };
      if (type === 'L' || type === 'K') {
        const name = text(await readMeta());
        if (type === 'L') longName = name;
        else longLink = name;
        continue;
      }
      if (type === 'x' || type === 'g') {
        const fields = paxFields(await readMeta(), () => bad(`malformed pax header at byte ${at}`));
        if (type === 'x') pax = fields;
        else paxGlobal = new Map([...paxGlobal, ...fields]);
        continue;
      }
      const kind = TYPES[type];
      if (kind === undefined) throw bad(`unknown tar entry type "${type}" at byte ${at}`);
      const field = (name: string) => pax.get(name) ?? paxGlobal.get(name);
      const sizeField = field('size');
      const dataSize = sizeField === undefined ? ownSize : Number(sizeField);
      const ustar = text(header.subarray(257, 262)) === 'ustar';
      const prefix = ustar && header[262] === 0 ? text(header.subarray(345, 500)) : '';
      const shortName = text(header.subarray(0, 100));
      const name = field('path') ?? longName ?? (prefix === '' ? shortName : `${prefix}/${shortName}`);
      const link = field('linkpath') ?? longLink ?? text(header.subarray(157, 257));
      const path = cleanPath(name);
      if (path === undefined) throw bad(`the name ${JSON.stringify(name.slice(0, 80))} leaves the archive`);
      const target = kind === 'hardlink' ? cleanPath(link) : link;
      if (target === undefined) throw bad(`${path} is a link to a place outside the archive`);
      // Only files have data, but pax archives may give a hard link its file's size (without data).
      const size = kind === 'file' ? dataSize : 0;
      if (!Number.isSafeInteger(dataSize) || dataSize < 0) throw bad(`${path} has an impossible size`);
      longName = undefined;
      longLink = undefined;
      pax = new Map();
      const start = bytes.position;
      yield {
        path,
        type: kind,
        mode: number(header, 100, 8) & 0o7777,
        uid: number(header, 108, 8),
        gid: number(header, 116, 8),
        mtime: number(header, 136, 12),
        size,
        link: target,
        read: async () => {
          if (bytes.position !== start) throw new Error(`${path} was read already`);
          return bytes.take(size);
        },
      };
      await bytes.skip(start + size + tarPadding(size) - bytes.position);
    }
  } finally {
    await bytes.close();
  }

  function number(header: Uint8Array, offset: number, length: number): number {
    const field = header.subarray(offset, offset + length);
    // GNU's base-256 form, marked by the top bit.
    if (field[0]! & 0x80) {
      let value = field[0]! & 0x7f;
      for (const byte of field.subarray(1)) value = value * 256 + byte;
      if (!Number.isSafeInteger(value)) throw bad(`a number in a tar header is too large`);
      return value;
    }
    const digits = text(field).trim();
    if (!/^[0-7]*$/.test(digits)) throw bad(`a number in a tar header is not octal`);
    return digits === '' ? 0 : Number.parseInt(digits, 8);
  }
}

/** A NUL-terminated string. */
function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** Without `./` and doubled slashes; undefined when it is absolute, or goes up. */
function cleanPath(name: string): string | undefined {
  if (name.startsWith('/')) return undefined;
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return parts.some((part) => part === '..' || part.includes('\0')) ? undefined : parts.join('/');
}

/** Records of the form "LENGTH KEY=VALUE\n", where LENGTH counts the whole record. */
function paxFields(data: Uint8Array, bad: () => GuestError): Map<string, string> {
  const fields = new Map<string, string>();
  const decoder = new TextDecoder();
  for (let offset = 0; offset < data.length; ) {
    const space = data.indexOf(0x20, offset);
    const digits = space < 0 ? '' : decoder.decode(data.subarray(offset, space));
    const end = offset + Number(digits);
    if (!/^\d{1,7}$/.test(digits) || end > data.length || data[end - 1] !== 0x0a) throw bad();
    const record = decoder.decode(data.subarray(space + 1, end - 1));
    const equals = record.indexOf('=');
    if (equals < 1 || end <= space) throw bad();
    fields.set(record.slice(0, equals), record.slice(equals + 1));
    offset = end;
  }
  return fields;
}

/** Takes a stream of chunks apart in the sizes asked for. */
class ByteReader {
  position = 0;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly what: string;
  private current: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>, what: string) {
    this.chunks = source[Symbol.asyncIterator]();
    this.what = what;
  }

  /** The next `length` bytes, in memory that grows with what really comes, whatever a header claims. */
  async take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    await this.each(length, (part) => parts.push(part));
    const whole = new Uint8Array(length);
    let offset = 0;
    for (const part of parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    return whole;
  }

  async skip(length: number): Promise<void> {
    await this.each(length, () => {});
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  private async each(length: number, use: (part: Uint8Array) => void): Promise<void> {
    let left = length;
    while (left > 0) {
      if (this.current.length === 0) {
        const next = await this.chunks.next();
        if (next.done)
          throw new GuestError('format', `${this.what} is damaged: it ends at byte ${this.position}`);
        this.current = next.value;
        continue;
      }
      const part = this.current.subarray(0, left);
      use(part);
      this.current = this.current.subarray(part.length);
      this.position += part.length;
      left -= part.length;
    }
  }
}
