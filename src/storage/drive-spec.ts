// What a drive is made of, as plain data: it goes from the page to the machine's worker in a message.

/** Where the bytes of a drive, or of the changes to it, are kept. */
export type DriveSource =
  /** Memory of the worker, gone with it: empty of `bytes`, or beginning with `contents`. */
  | { kind: 'memory'; bytes?: number; contents?: Uint8Array }
  /** A file (Node); `create` makes one of so many bytes where there is none. */
  | { kind: 'file'; path: string; create?: number }
  /** A file that the user has picked (browser); never written. */
  | { kind: 'blob'; blob: Blob }
  /** The browser's private file system. `create` as above; the name tells drives of one origin apart. */
  | { kind: 'opfs'; name: string; create?: number }
  /** The browser's database, for browsers or contexts without the above. */
  | { kind: 'indexeddb'; name: string; create?: number }
  /** The better of the two that the browser has. */
  | { kind: 'browser'; name: string; create?: number }
  /** An image behind a URL, read by ranges; never written. */
  | HttpSource;

export interface HttpSource {
  kind: 'http';
  url: string;
  /** SHA-256 of each chunk, in lower-case hex, and how long a chunk is (the last may be shorter). */
  digests?: { chunkBytes: number; sha256: readonly string[] };
  /**
   * Where chunks that were fetched are kept: a name in the browser, a folder in Node. Default: in memory only.
   */
  cache?: string;
  /** Where it will be read first, in bytes from its beginning: fetched ahead in this order, as soon as it is open. */
  first?: readonly number[];
}

/** A drive as a machine is given it. */
export type DriveSpec = DriveSource & {
  /** The guest may not write. */
  readonly?: boolean;
  /** The guest may write, but the changes are in memory and gone when the machine ends. */
  snapshot?: boolean;
  /** The guest may write, and the changes are kept here, apart from the drive. */
  overlay?: DriveSource;
  /** Bytes in a chunk of a new overlay. */
  overlayChunkBytes?: number;
};

/** Names a source in messages. */
export function describeSource(source: DriveSource): string {
  switch (source.kind) {
    case 'memory':
      return 'the memory drive';
    case 'file':
      return source.path;
    case 'blob':
      return 'name' in source.blob ? String(source.blob.name) : 'the picked file';
    case 'http':
      return source.url;
    default:
      return `the disk "${source.name}"`;
  }
}
