import type { BlockBackend } from './block-backend.ts';
import type { ChunkStore } from './chunk-store.ts';
import { checkRange, checkSize, chunkParts, refuseChange } from './extent.ts';
import { StorageError } from './storage-error.ts';

/** Chunks that were changed are written in the background when they are this many bytes. */
const DIRTY_BYTES = 16 * 1024 ** 2;
/** Chunks as they are in the store are remembered up to this many bytes. */
const CLEAN_BYTES = 16 * 1024 ** 2;

/**
 * A store of chunks as one row of bytes. Changes gather in memory; a flush stores them all at once or not at all, so
 * that a crash leaves the state of some moment since the last flush.
 */
export class ChunkedBackend implements BlockBackend {
  readonly bytes: number;
  readonly readonly: boolean;
  readonly #store: ChunkStore;
  readonly #name: string;
  /** Changed chunks, in the order of their change; undefined for those that became zeroes. */
  #dirty = new Map<number, Uint8Array | undefined>();
  /** Chunks as the store has them, least recently used first. */
  readonly #clean = new Map<number, Uint8Array | undefined>();
  /** Operations one after the other: each may have to wait for the store. */
  #last: Promise<unknown> = Promise.resolve();
  #needsFlush = false;
  #isOpen = true;

  /** @param name what it is called in errors */
  constructor(store: ChunkStore, bytes: number, name: string, readonly = false) {
    checkSize(name, bytes);
    this.#store = store;
    this.#name = name;
    this.bytes = bytes;
    this.readonly = readonly;
  }

  read(offset: number, target: Uint8Array): Promise<void> {
    return this.#enqueue(offset, target.length, async () => {
      for (const { chunk, inChunk, inRange, length } of chunkParts(
        this.#store.chunkBytes,
        offset,
        target.length,
      )) {
        const contents = await this.#load(chunk);
        const there = contents?.subarray(inChunk, inChunk + length);
        if (there !== undefined) target.set(there, inRange);
        target.fill(0, inRange + (there?.length ?? 0), inRange + length);
      }
    });
  }

  write(offset: number, source: Uint8Array): Promise<void> {
    if (this.readonly) refuseChange(this.#name);
    return this.#enqueue(offset, source.length, async () => {
      for (const { chunk, inChunk, inRange, length } of chunkParts(
        this.#store.chunkBytes,
        offset,
        source.length,
      )) {
        await this.#makeRoom();
        const contents = await this.#toWrite(chunk, length);
        contents.set(source.subarray(inRange, inRange + length), inChunk);
      }
    });
  }

  flush(): Promise<void> {
    return this.#enqueue(0, 0, () => this.#flush());
  }

  discard(offset: number, length: number): Promise<void> {
    return this.writeZeroes(offset, length);
  }

  writeZeroes(offset: number, length: number): Promise<void> {
    if (this.readonly) refuseChange(this.#name);
    return this.#enqueue(offset, length, async () => {
      const { chunkBytes } = this.#store;
      for (let done = 0; done < length; ) {
        const chunk = Math.floor((offset + done) / chunkBytes);
        const start = offset + done - chunk * chunkBytes;
        const take = Math.min(chunkBytes - start, length - done);
        if (take === chunkBytes) {
          // A chunk that is known not to be there need not be deleted.
          if (this.#dirty.has(chunk) || !this.#clean.has(chunk) || this.#clean.get(chunk) !== undefined) {
            await this.#makeRoom();
            this.#dirty.set(chunk, undefined);
            this.#clean.delete(chunk);
          }
        } else if ((await this.#load(chunk)) !== undefined) {
          await this.#makeRoom();
          (await this.#toWrite(chunk, take)).fill(0, start, start + take);
        }
        done += take;
      }
    });
  }

  close(): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    const closing = this.#enqueue(0, 0, async () => {
      try {
        if (!this.readonly) await this.#flush();
      } finally {
        this.#store.close();
      }
    });
    this.#isOpen = false;
    return closing;
  }

  #enqueue(offset: number, length: number, step: () => Promise<void>): Promise<void> {
    if (!this.#isOpen) throw new StorageError('io', `${this.#name} is closed`);
    checkRange(this.#name, this.bytes, offset, length);
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** A chunk as it is now; undefined for zeroes. */
  async #load(chunk: number): Promise<Uint8Array | undefined> {
    if (this.#dirty.has(chunk)) return this.#dirty.get(chunk);
    if (this.#clean.has(chunk)) {
      const contents = this.#clean.get(chunk);
      this.#clean.delete(chunk);
      this.#clean.set(chunk, contents);
      return contents;
    }
    const contents = await this.#store.get(chunk);
    this.#remember(chunk, contents);
    return contents;
  }

  /** A chunk to be changed in place, with all its bytes. */
  async #toWrite(chunk: number, length: number): Promise<Uint8Array> {
    const { chunkBytes } = this.#store;
    const dirty = this.#dirty.get(chunk);
    if (dirty?.length === chunkBytes) return dirty;
    const old = length === chunkBytes ? undefined : await this.#load(chunk);
    const contents = new Uint8Array(chunkBytes);
    if (old !== undefined) contents.set(old.subarray(0, chunkBytes));
    this.#clean.delete(chunk);
    this.#dirty.set(chunk, contents);
    return contents;
  }

  #remember(chunk: number, contents: Uint8Array | undefined): void {
    this.#clean.set(chunk, contents);
    const limit = CLEAN_BYTES / this.#store.chunkBytes;
    while (this.#clean.size > limit) this.#clean.delete(this.#clean.keys().next().value as number);
  }

  /** Before another chunk becomes dirty: keeps memory bounded. A store that is full refuses here, with nothing lost. */
  async #makeRoom(): Promise<void> {
    if (this.#dirty.size * this.#store.chunkBytes >= DIRTY_BYTES) await this.#putDirty(false);
  }

  async #flush(): Promise<void> {
    if (this.#dirty.size > 0 || this.#needsFlush) await this.#putDirty(true);
  }

  async #putDirty(isDurable: boolean): Promise<void> {
    const dirty = this.#dirty;
    await this.#store.put(dirty, isDurable);
    this.#needsFlush = !isDurable;
    this.#dirty = new Map();
    for (const [chunk, contents] of dirty) this.#remember(chunk, contents);
  }
}
