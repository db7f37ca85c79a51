import type { BlockBackend, MaybeLater } from './block-backend.ts';
import { checkRange, checkSize, chunkParts, refuseChange } from './extent.ts';
import { StorageError } from './storage-error.ts';

/** What a memory drive held at one moment: pieces by their number, all others zero. They must not be changed. */
export interface MemoryContents {
  /** Size of the drive. */
  bytes: number;
  chunks: ReadonlyMap<number, Uint8Array>;
}

export interface MemoryBackendOptions {
  /** Size in bytes, a multiple of 512. Default: that of `contents`, rounded up. */
  bytes?: number;
  /** What it holds at first; kept, not copied, when it is read-only. */
  contents?: Uint8Array;
  readonly?: boolean;
  /** What another one held, instead of the above; its pieces are copied when they are written. */
  frozen?: MemoryContents;
}

/** Memory is taken and given back in pieces of this many bytes. */
export const MEMORY_CHUNK_BYTES = 64 * 1024;

/** A store in memory that takes room only for what was written; gone with the worker. */
export class MemoryBackend implements BlockBackend {
  readonly bytes: number;
  readonly readonly: boolean;
  readonly #chunks = new Map<number, Uint8Array>();
  /** Pieces that somebody else has too: they are copied before they are written. */
  readonly #shared = new WeakSet<Uint8Array>();
  #closed = false;

  /** @throws {StorageError} for a size that cannot be */
  constructor(options: MemoryBackendOptions) {
    const { contents, frozen } = options;
    this.bytes = frozen?.bytes ?? options.bytes ?? Math.ceil((contents?.length ?? 0) / 512) * 512;
    this.readonly = options.readonly ?? false;
    checkSize('the memory drive', this.bytes);
    if (frozen !== undefined) {
      for (const [chunk, piece] of frozen.chunks) this.#adopt(chunk, piece);
      return;
    }
    if (contents === undefined) return;
    checkRange('the memory drive', this.bytes, 0, contents.length);
    for (const part of chunkParts(MEMORY_CHUNK_BYTES, 0, contents.length)) {
      const piece = contents.subarray(part.inRange, part.inRange + part.length);
      if (this.readonly && part.length === MEMORY_CHUNK_BYTES) this.#chunks.set(part.chunk, piece);
      else if (piece.some((byte) => byte !== 0)) this.#chunkToWrite(part.chunk).set(piece);
    }
  }

  /** Bytes of memory taken by contents. */
  get bytesUsed(): number {
    return this.#chunks.size * MEMORY_CHUNK_BYTES;
  }

  /** What it holds now, without a copy: what is written later is written elsewhere. */
  freeze(): MemoryContents {
    const chunks = new Map(this.#chunks);
    for (const piece of chunks.values()) this.#shared.add(piece);
    return { bytes: this.bytes, chunks };
  }

  read(offset: number, target: Uint8Array): MaybeLater {
    this.#check(offset, target.length);
    for (const { chunk, inChunk, inRange, length } of chunkParts(MEMORY_CHUNK_BYTES, offset, target.length)) {
      const contents = this.#chunks.get(chunk);
      if (contents === undefined) target.fill(0, inRange, inRange + length);
      else target.set(contents.subarray(inChunk, inChunk + length), inRange);
    }
    return undefined;
  }

  write(offset: number, source: Uint8Array): MaybeLater {
    this.#check(offset, source.length);
    if (this.readonly) refuseChange('the memory drive');
    for (const { chunk, inChunk, inRange, length } of chunkParts(MEMORY_CHUNK_BYTES, offset, source.length)) {
      this.#chunkToWrite(chunk).set(source.subarray(inRange, inRange + length), inChunk);
    }
    return undefined;
  }

  flush(): MaybeLater {
    this.#check(0, 0);
    return undefined;
  }

  discard(offset: number, length: number): MaybeLater {
    return this.writeZeroes(offset, length);
  }

  writeZeroes(offset: number, length: number): MaybeLater {
    this.#check(offset, length);
    if (this.readonly) refuseChange('the memory drive');
    // Whole chunks by looking through those that are there: a range may be far larger than what is.
    const first = Math.ceil(offset / MEMORY_CHUNK_BYTES);
    const end = Math.floor((offset + length) / MEMORY_CHUNK_BYTES);
    const zeroEdge = (from: number, to: number) => {
      if (to <= from) return;
      const chunk = Math.floor(from / MEMORY_CHUNK_BYTES);
      if (!this.#chunks.has(chunk)) return;
      const start = chunk * MEMORY_CHUNK_BYTES;
      this.#chunkToWrite(chunk).fill(0, from - start, to - start);
    };
    if (end < first) {
      zeroEdge(offset, offset + length);
      return undefined;
    }
    zeroEdge(offset, first * MEMORY_CHUNK_BYTES);
    zeroEdge(end * MEMORY_CHUNK_BYTES, offset + length);
    if (end - first < this.#chunks.size) {
      for (let chunk = first; chunk < end; chunk++) this.#chunks.delete(chunk);
    } else {
      for (const chunk of this.#chunks.keys()) if (chunk >= first && chunk < end) this.#chunks.delete(chunk);
    }
    return undefined;
  }

  close(): MaybeLater {
    this.#closed = true;
    this.#chunks.clear();
    return undefined;
  }

  #chunkToWrite(chunk: number): Uint8Array {
    const present = this.#chunks.get(chunk);
    if (present !== undefined && !this.#shared.has(present)) return present;
    try {
      const contents = new Uint8Array(MEMORY_CHUNK_BYTES);
      if (present !== undefined) contents.set(present);
      this.#chunks.set(chunk, contents);
      return contents;
    } catch (error) {
      throw new StorageError('full', 'no memory is left for the memory drive', { cause: error });
    }
  }

  #adopt(chunk: number, piece: Uint8Array): void {
    if (piece.length !== MEMORY_CHUNK_BYTES || chunk * MEMORY_CHUNK_BYTES >= this.bytes) {
      throw new StorageError('corrupt', `piece ${chunk} of the memory drive is none that it can have`);
    }
    this.#chunks.set(chunk, piece);
    this.#shared.add(piece);
  }

  #check(offset: number, length: number): void {
    if (this.#closed) throw new StorageError('io', 'the memory drive is closed');
    checkRange('the memory drive', this.bytes, offset, length);
  }
}
