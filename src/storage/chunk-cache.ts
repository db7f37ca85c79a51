// Chunks of a file on a server, kept across runs. A cache may forget at any time; it must not make anything up.

export interface ChunkCache {
  /** A chunk that is there and whole. */
  get(chunk: number): Promise<Uint8Array | undefined>;
  /** Keeps a chunk; failing is no error: it is a cache. */
  put(chunk: number, contents: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Opens the cache of one version of one file; what other versions left there is dropped. */
export type ChunkCacheOpener = (identity: string, chunkBytes: number, chunks: number) => Promise<ChunkCache>;
