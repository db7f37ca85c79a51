// What a drive stands on: a row of bytes in memory, in a file, in the browser's storage or behind a URL.

/**
 * An answer now or later: `undefined` when the work is done on return, else a promise of its end. A back end that
 * can answer at once does, which spares a drive the trip through the event loop.
 */
export type MaybeLater = undefined | Promise<void>;

/**
 * Offsets and lengths are in bytes; a range outside [0, bytes) is refused. Contents are as of the last write.
 *
 * Several operations may be under way at once; they may end in any order, and what two of them that overlap leave
 * behind is either's. Every operation fails with a StorageError, thrown or as a rejected promise; what a failed
 * write leaves in its range is old or new data, sector by sector, and nothing outside it has changed.
 */
export interface BlockBackend {
  /** Size, a multiple of 512 (SECTOR_BYTES). Operations need not keep to sectors. */
  readonly bytes: number;
  readonly readonly: boolean;
  /** Differs when the contents are not those seen at an earlier time; absent where that cannot be told. */
  readonly identity?: string;
  /** Fills `target` from `offset`. Fails with a StorageError; `target` then holds anything. */
  read(offset: number, target: Uint8Array): MaybeLater;
  /** Writes `source` at `offset`; `source` is not changed or kept after the answer. Not durable before flush(). */
  write(offset: number, source: Uint8Array): MaybeLater;
  /** Ends when every write answered before it was called survives a crash of the worker and a reload. */
  flush(): MaybeLater;
  /** The range is no longer needed and may read as anything until written; may do nothing. */
  discard(offset: number, length: number): MaybeLater;
  /** The range reads as zeroes afterwards; space is given back where that is possible. */
  writeZeroes(offset: number, length: number): MaybeLater;
  /** Flushes and gives up every handle and lock. Later calls fail. */
  close(): MaybeLater;
}
