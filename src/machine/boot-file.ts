// The files a machine boots from. A gzipped one stays so, for the next reset, and is unpacked straight into RAM: no
// unpacked copy of it is kept beside RAM.
import { GzipError, gunzip, gunzipInto, gunzipStart, isGzip, unpackedSize } from '../storage/gzip.ts';
import { DamagedFileError, LoadError } from './errors.ts';

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
export function plainContents(bytes: Uint8Array): Contents {
  return {
    length: bytes.length,
    putInto: (ram, offset) => putSparse(ram, offset, bytes),
  };
}

/**
 * A kernel or firmware, which may be gzipped (RFC 1952).
 * @param limit most bytes that it may unpack to
 * @throws LoadError when its beginning cannot be unpacked, or it is too large
 */
export function openBootFile(bytes: Uint8Array, what: string, limit: number): BootFile {
  return isGzip(bytes) ? new GzippedFile(bytes, what, limit) : plainFile(bytes);
}

/**
 * An initrd, which may be gzipped. Several archives in a row are left as they are: only the kernel knows how to take
 * them apart.
 * @param limit bytes from which on it is too large anyway
 */
export function openInitrd(bytes: Uint8Array, limit: number): Contents {
  if (!isGzip(bytes)) return plainContents(bytes);
  let seen = 0;
  try {
    gunzipInto(bytes, (piece) => {
      seen += piece.length;
      return seen <= limit;
    });
  } catch (error) {
    if (error instanceof GzipError) return plainContents(bytes);
    throw error;
  }
  return new Gzipped(bytes, 'initrd');
}

function plainFile(bytes: Uint8Array): BootFile {
  return { ...plainContents(bytes), start: bytes, whole: () => bytes };
}

class Gzipped implements Contents {
  readonly length: number;
  protected readonly packed: Uint8Array;
  protected readonly what: string;

  constructor(packed: Uint8Array, what: string) {
    this.length = unpackedSize(packed);
    this.packed = packed;
    this.what = what;
  }

  putInto(ram: Uint8Array, offset: number): void {
    let at = offset;
    this.unpacking(() =>
      gunzipInto(this.packed, (piece) => {
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

  constructor(packed: Uint8Array, what: string, limit: number) {
    super(packed, what);
    this.limit = limit;
    this.start = this.unpacking(() => gunzipStart(packed, START_BYTES));
  }

  whole(): Uint8Array {
    if (this.length > this.limit) {
      throw new LoadError(
        `${this.what}: unpacks to more than ${this.limit} bytes; leave out debug information`,
      );
    }
    this.unpacked ??= this.unpacking(() => gunzip(this.packed, this.limit));
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
