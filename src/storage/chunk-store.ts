/** Pieces of a store by number, as databases keep them. Errors are StorageErrors. */
export interface ChunkStore {
  /** Bytes of a chunk that is full; any may be shorter, the rest of it is zeroes. */
  readonly chunkBytes: number;
  /** A chunk, in memory of the caller's own; undefined when there is none. */
  get(chunk: number): Promise<Uint8Array | undefined>;
  /**
   * Stores (or, for undefined, deletes) several chunks: all of them or none.
   * @param isDurable whether it may only end when they survive a crash
   */
  put(chunks: ReadonlyMap<number, Uint8Array | undefined>, isDurable: boolean): Promise<void>;
  close(): void;
}
