// What a drive stands on: a row of bytes in memory, in a file, in the browser's storage or behind a URL.

/**
 * An answer now or later: `undefined` when the work is done on return, else a promise of its end. A back end that
 * can answer at once does, which spares a drive the trip through the event loop.
 */
export type MaybeLater = undefined | Promise<void>;

/** Offsets and lengths are in bytes; the caller keeps them inside [0, bytes). Contents are as of the last write. */
export interface BlockBackend {
  /** Size, a multiple of 512. */
  readonly bytes: number;
  readonly readonly: boolean;
  /** Fills `target` from `offset`. Fails with a StorageError; `target` then holds anything. */
  read(offset: number, target: Uint8Array): MaybeLater;
  /** Writes `source` at `offset`; `source` is not changed or kept after the answer. Not durable before flush(). */
  write(offset: number, source: Uint8Array): MaybeLater;
  /** Ends when every write answered before it survives a crash of the worker and a reload. */
  flush(): MaybeLater;
  /** The range is no longer needed and may read as anything until written; may do nothing. */
  discard(offset: number, length: number): MaybeLater;
  /** The range reads as zeroes afterwards; space is given back where that is possible. */
  writeZeroes(offset: number, length: number): MaybeLater;
  /** Flushes and gives up every handle and lock. Later calls fail. */
  close(): MaybeLater;
}
