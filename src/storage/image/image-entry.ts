// What goes into a disk image: a tree of files, entry by entry, contents as a stream.

/** An image cannot be written: an entry is malformed or does not fit. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}

interface ImageEntryCommon {
  /** Path from the root without a slash at either end: `bin/sh`. The root itself is the empty path. */
  path: string;
  /** Permission bits, set-uid, set-gid and sticky bits: 0 to 0o7777. Default 0o755 for directories, else 0o644. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds since 1970, with a fraction. Default 0, so that equal input gives equal bytes. */
  mtime?: number;
  /** Extended attributes by full name: `user.comment`, `security.capability`. */
  xattrs?: Readonly<Record<string, Uint8Array>>;
}

export type ImageContents = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * A file, directory and so on. Directories that come after what is in them, or not at all, are made with defaults.
 * A `link` is a further name of an entry that came before.
 */
export type ImageEntry =
  | (ImageEntryCommon & { kind: 'file'; bytes: number; contents: ImageContents | (() => ImageContents) })
  | (ImageEntryCommon & { kind: 'directory' })
  | (ImageEntryCommon & { kind: 'symlink'; target: string })
  | (ImageEntryCommon & { kind: 'character' | 'block'; major: number; minor: number })
  | (ImageEntryCommon & { kind: 'fifo' | 'socket' })
  | { kind: 'link'; path: string; to: string };

export type ImageEntries = Iterable<ImageEntry> | AsyncIterable<ImageEntry>;

/**
 * The contents of a file in pieces, which together are as long as was announced.
 * @throws {ImageError} when they are not
 */
export async function* contentsOf(entry: ImageEntry & { kind: 'file' }): AsyncGenerator<Uint8Array> {
  const contents = typeof entry.contents === 'function' ? entry.contents() : entry.contents;
  let done = 0;
  for await (const piece of contents) {
    done += piece.length;
    if (done > entry.bytes) break;
    yield piece;
  }
  if (done !== entry.bytes) {
    throw new ImageError(
      `${entry.path} has ${done > entry.bytes ? 'more' : 'fewer'} bytes than the ${entry.bytes} announced`,
    );
  }
}
