// The files a machine boots from. A gzipped one stays so, for the next reset, and is unpacked straight into RAM: no
// unpacked copy of it is kept beside RAM.
import { GzipError, gunzip, gunzipInto, gunzipStart, isGzip, unpackedSize } from '../storage/gzip.ts';
import { DamagedFileError, LoadError } from './errors.ts';

/** A file that lies elsewhere and is read when it is needed, so that it costs no memory in between. */
export interface StoredFile {
  /** All of it, in a buffer of its own. May throw. */
  read(): Uint8Array<ArrayBuffer>;
  /** Gives back the memory of what read() returned, at once: as garbage it could stay for minutes. */
  free(bytes: Uint8Array<ArrayBuffer>): void;
}

/** The bytes of a file, read at the first use after release(). */
export class FileBytes {
  private readonly file: Uint8Array | StoredFile;
  private readonly what: string;
  private held: Uint8Array<ArrayBuffer> | undefined;

  constructor(file: Uint8Array | StoredFile, what: string) {
    this.file = file;
    this.what = what;
  }

  /** Throws DamagedFileError when a stored file cannot be read any more. */
  get bytes(): Uint8Array {
    if (this.file instanceof Uint8Array) return this.file;
    try {
      this.held ??= this.file.read();
      return this.held;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DamagedFileError(`${this.what} is not readable any more: ${reason}`);
    }
  }

  /** The bytes, which release() leaves alone from now on. */
  keep(): Uint8Array {
    const { bytes } = this;
    this.held = undefined;
    return bytes;
  }

  /** Gives the bytes of a stored file back. */
  release(): void {
    if (this.held !== undefined && !(this.file instanceof Uint8Array)) this.file.free(this.held);
    this.held = undefined;
  }
}

/** What goes into RAM at each power-on. */
export interface Contents {
  /** Bytes of it. */
  readonly length: number;
  /**
   * Puts it at an offset into zeroed RAM.
   * @throws LoadError when it turns out to be damaged
   */
  putInto(ram: Uint8Array, offset: number): void;
}

/** A whole file, unpacked to look at. */
export interface BootFile extends Contents {
  /** Its beginning: all of it, or at least START_BYTES. */
  readonly start: Uint8Array;
  /** All of it, in memory from then on. */
  whole(): Uint8Array;
}

/** Enough for the headers of a kernel. */
export const START_BYTES = 0x1_0000;
const PAGE = 4096;

/** Bytes as they are. */
export function plainContents(file: { readonly bytes: Uint8Array }): Contents {
  const { length } = file.bytes;
  return { length, putInto: (ram, offset) => putSparse(ram, offset, file.bytes) };
}

/**
 * A kernel or firmware, which may be gzipped (RFC 1952).
 * @param limit most bytes that it may unpack to
 * @throws LoadError when its beginning cannot be unpacked, or it is too large
 */
export function openBootFile(file: FileBytes, what: string, limit: number): BootFile {
  return isGzip(file.bytes) ? new GzippedFile(file, what, limit) : plainFile(file);
}

/**
 * An initrd, which may be gzipped. Several archives in a row are left as they are: only the kernel knows how to take
 * them apart.
 * @param limit bytes from which on it is too large anyway
 */
export function openInitrd(file: FileBytes, limit: number): Contents {
  if (!isGzip(file.bytes)) return plainContents(file);
  let seen = 0;
  try {
    gunzipInto(file.bytes, (piece) => {
      seen += piece.length;
      return seen <= limit;
    });
  } catch (error) {
    if (error instanceof GzipError) return plainContents(file);
    throw error;
  }
  return new Gzipped(file, 'initrd');
}

function plainFile(file: FileBytes): BootFile {
  const start = file.bytes.slice(0, START_BYTES);
  return { ...plainContents(file), start, whole: () => file.keep() };
}

class Gzipped implements Contents {
  readonly length: number;
  protected readonly packed: FileBytes;
  protected readonly what: string;

  constructor(packed: FileBytes, what: string) {
    this.length = unpackedSize(packed.bytes);
    this.packed = packed;
    this.what = what;
  }

  putInto(ram: Uint8Array, offset: number): void {
    let at = offset;
    this.unpacking(() =>
      gunzipInto(this.packed.bytes, (piece) => {
        putSparse(ram, at, piece);
        at += piece.length;
      }),
    );
  }

  protected unpacking<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof GzipError)) throw error;
      throw new DamagedFileError(`${this.what} is gzipped but damaged; is it complete?`);
    }
  }
}

class GzippedFile extends Gzipped implements BootFile {
  readonly start: Uint8Array;
  private unpacked: Uint8Array | undefined;
  private readonly limit: number;

  constructor(packed: FileBytes, what: string, limit: number) {
    super(packed, what);
    this.limit = limit;
    this.start = this.unpacking(() => gunzipStart(packed.bytes, START_BYTES));
  }

  whole(): Uint8Array {
    if (this.length > this.limit) {
      throw new LoadError(
        `${this.what}: unpacks to more than ${this.limit} bytes; leave out debug information`,
      );
    }
    this.unpacked ??= this.unpacking(() => gunzip(this.packed.bytes, this.limit));
    return this.unpacked;
  }
}

/** Copies into zeroed memory, but leaves pages of zeros alone: what is never written costs the host nothing. */
function putSparse(ram: Uint8Array, offset: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    const next = Math.min(bytes.length, at + PAGE - ((offset + at) % PAGE));
    if (!isZero(bytes, at, next)) ram.set(bytes.subarray(at, next), offset + at);
    at = next;
  }
}

function isZero(bytes: Uint8Array, begin: number, end: number): boolean {
  for (let at = begin; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}
