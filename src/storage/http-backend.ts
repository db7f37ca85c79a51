import type { MaybeLater } from './block-backend.ts';
import type { ChunkCache, ChunkCacheOpener } from './chunk-cache.ts';
import { ChunkKeeper } from './chunk-keeper.ts';
import { checkRange, chunkParts, SECTOR_BYTES } from './extent.ts';
import { type HttpFetchOptions, HttpRanges } from './http-fetch.ts';
import { type HttpPin, identityOf } from './http-pin.ts';
import { all } from './maybe-later.ts';
import { StorageError } from './storage-error.ts';
import { UnchangingBackend } from './unchanging-backend.ts';

export interface HttpBackendOptions extends HttpFetchOptions {
  /** Bytes of one request. Default 512 KiB, or as long as the digests' chunks. */
  chunkBytes?: number;
  /** SHA-256 of each chunk in lower-case hex: every byte is checked against it. */
  digests?: { chunkBytes: number; sha256: readonly string[] };
  cache?: ChunkCacheOpener;
  /** Chunks kept in memory, in bytes. Default 64 MiB. */
  memoryBytes?: number;
  /** Where it will be read first, in bytes; what has no room in memory is left out. */
  first?: readonly number[];
}

/** Measured: docs/measurements.md, HTTP. */
const CHUNK_BYTES = 512 * 1024;
const MEMORY_BYTES = 64 * 1024 ** 2;
const SMALLEST_CHUNK = 4096;
const LARGEST_CHUNK = 16 * 1024 ** 2;
/** How many chunks are fetched ahead of a reader that goes straight on, at most. */
const AHEAD = 4;
/** Chunks on their way at a time of those that will be read first: requests are left for what is read meanwhile. */
const EARLY = 3;

/**
 * An image behind a URL, read by ranges in chunks. Each answer is checked against the version seen first, and against
 * digests where they are given: reading fails rather than giving bytes of two versions.
 */
export class HttpBackend extends UnchangingBackend {
  readonly bytes: number;
  readonly identity: string;
  readonly #ranges: HttpRanges;
  readonly #pin: HttpPin;
  readonly #chunkBytes: number;
  readonly #digests: readonly string[] | undefined;
  readonly #cache: ChunkKeeper | undefined;
  readonly #limit: number;
  /** Chunks in memory, least recently used first. */
  readonly #memory = new Map<number, Uint8Array>();
  readonly #coming = new Map<number, Promise<Uint8Array>>();
  /** The chunk after the last read, and how many reads in a row went straight on. */
  #expected = -1;
  #streak = 0;
  /** The file is not what it was: no answer can be trusted any more. */
  #broken: StorageError | undefined;
  #isOpen = true;
  /** Requests made so far, for figures. */
  requests = 0;

  private constructor(
    ranges: HttpRanges,
    pin: HttpPin,
    options: HttpBackendOptions,
    chunkBytes: number,
    cache?: ChunkCache,
  ) {
    super(ranges.url);
    this.#ranges = ranges;
    this.#pin = pin;
    this.bytes = Math.ceil(pin.bytes / SECTOR_BYTES) * SECTOR_BYTES;
    this.identity = identityOf(pin);
    this.#chunkBytes = chunkBytes;
    this.#digests = options.digests?.sha256;
    this.#cache = cache && new ChunkKeeper(cache);
    this.#limit = Math.max(AHEAD + 2, Math.floor((options.memoryBytes ?? MEMORY_BYTES) / chunkBytes));
  }

  /** @throws {StorageError} io, denied or corrupt */
  static async open(url: string, options: HttpBackendOptions = {}): Promise<HttpBackend> {
    const chunkBytes = options.digests?.chunkBytes ?? options.chunkBytes ?? CHUNK_BYTES;
    if (!Number.isInteger(chunkBytes) || chunkBytes < SMALLEST_CHUNK || chunkBytes > LARGEST_CHUNK) {
      throw new StorageError('io', `${chunkBytes} bytes is no chunk size; give one from 4 KiB to 16 MiB`);
    }
    const ranges = new HttpRanges(url, options);
    const { pin, start } = await ranges.probe(chunkBytes);
    const chunks = Math.ceil(pin.bytes / chunkBytes);
    if (options.digests === undefined && pin.etag === undefined && pin.lastModified === undefined) {
      throw new StorageError(
        'io',
        `${url}: the server names neither ETag nor Last-Modified, so that a change could not be noticed; ` +
          'have it send (and expose) one, or give digests',
      );
    }
    if (options.digests !== undefined && options.digests.sha256.length !== chunks) {
      throw new StorageError(
        'corrupt',
        `${url}: its ${pin.bytes} bytes are not those that the digests are of`,
      );
    }
    // A cache that cannot be opened is none.
    const cache = await options.cache?.(identityOf(pin), chunkBytes, chunks).catch(() => undefined);
    const self = new HttpBackend(ranges, pin, options, chunkBytes, cache);
    self.requests++;
    try {
      await self.#verify(0, start);
    } catch (error) {
      await self.close();
      throw error;
    }
    self.#remember(0, start);
    self.#fetchEarly(options.first ?? []);
    return self;
  }

  read(offset: number, target: Uint8Array): MaybeLater {
    if (!this.#isOpen) throw new StorageError('io', `${this.#ranges.url} is closed`);
    checkRange(this.#ranges.url, this.bytes, offset, target.length);
    if (this.#broken !== undefined) throw this.#broken;
    const there = Math.max(0, Math.min(target.length, this.#pin.bytes - offset));
    target.fill(0, there);
    const parts = chunkParts(this.#chunkBytes, offset, there);
    if (parts.length === 0) return undefined;
    this.#cache?.noteRead();
    this.#readAhead(parts[0]!.chunk, parts.at(-1)!.chunk);
    const missing: Promise<void>[] = [];
    for (const { chunk, inChunk, inRange, length } of parts) {
      const copy = (contents: Uint8Array) =>
        target.set(contents.subarray(inChunk, inChunk + length), inRange);
      const contents = this.#recall(chunk);
      if (contents === undefined) missing.push(this.#fetch(chunk).then(copy));
      else copy(contents);
    }
    // Ended means ended: nothing is written to the target after a failure.
    return all(missing);
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#ranges.close();
    await Promise.allSettled(this.#coming.values());
    this.#memory.clear();
    await this.#cache?.close();
  }

  /** Behind the reader's back; who reads a chunk that could not be had meets the failure again. */
  #fetchEarly(places: readonly number[]): void {
    const wanted = new Set(places.map((place) => Math.floor(place / this.#chunkBytes)));
    const last = Math.ceil(this.#pin.bytes / this.#chunkBytes) - 1;
    const chunks = [...wanted]
      .filter((chunk) => chunk >= 0 && chunk <= last && !this.#memory.has(chunk))
      .slice(0, this.#limit - AHEAD - 2)
      .values();
    const work = async () => {
      for (const chunk of chunks) {
        if (!this.#isOpen || this.#broken !== undefined) return;
        if (!this.#memory.has(chunk)) await this.#fetch(chunk).catch(() => undefined);
      }
    };
    for (let worker = 0; worker < EARLY; worker++) void work();
  }

  /** Chunks that a reader who goes straight on will want: the more, the longer it does. */
  #readAhead(first: number, last: number): void {
    if (first === this.#expected || first === this.#expected - 1) {
      if (last >= this.#expected) this.#streak++;
    } else {
      this.#streak = 0;
    }
    this.#expected = last + 1;
    const end = Math.min(
      last + 1 + Math.min(AHEAD, this.#streak),
      Math.ceil(this.#pin.bytes / this.#chunkBytes),
    );
    for (let chunk = last + 1; chunk < end; chunk++) {
      // Whoever reads it meets the failure again.
      if (!this.#memory.has(chunk)) this.#fetch(chunk).catch(() => undefined);
    }
  }

  #recall(chunk: number): Uint8Array | undefined {
    const contents = this.#memory.get(chunk);
    if (contents !== undefined) {
      this.#memory.delete(chunk);
      this.#memory.set(chunk, contents);
    }
    return contents;
  }

  #remember(chunk: number, contents: Uint8Array): void {
    this.#memory.set(chunk, contents);
    while (this.#memory.size > this.#limit) this.#memory.delete(this.#memory.keys().next().value as number);
  }

  /** A chunk from the cache or the server; the same promise to all who want it at once. */
  #fetch(chunk: number): Promise<Uint8Array> {
    const coming = this.#coming.get(chunk);
    if (coming !== undefined) return coming;
    const work = this.#load(chunk).finally(() => this.#coming.delete(chunk));
    this.#coming.set(chunk, work);
    return work;
  }

  async #load(chunk: number): Promise<Uint8Array> {
    const length = Math.min(this.#chunkBytes, this.#pin.bytes - chunk * this.#chunkBytes);
    const cached = await this.#cache?.get(chunk).catch(() => undefined);
    if (cached?.length === length && (await this.#isRight(chunk, cached))) {
      this.#remember(chunk, cached);
      return cached;
    }
    try {
      this.requests++;
      const contents = await this.#ranges.get(this.#pin, chunk * this.#chunkBytes, length);
      await this.#verify(chunk, contents);
      if (this.#broken !== undefined) throw this.#broken;
      this.#remember(chunk, contents);
      this.#cache?.put(chunk, contents);
      return contents;
    } catch (error) {
      if (error instanceof StorageError && error.kind === 'corrupt') this.#broken ??= error;
      throw error;
    }
  }

  async #isRight(chunk: number, contents: Uint8Array): Promise<boolean> {
    const digest = this.#digests?.[chunk];
    return digest === undefined || (await sha256(contents)) === digest;
  }

  async #verify(chunk: number, contents: Uint8Array): Promise<void> {
    if (await this.#isRight(chunk, contents)) return;
    throw new StorageError('corrupt', `${this.#ranges.url} is not what its digests say (chunk ${chunk})`);
  }
}

/** SHA-256 in lower-case hex. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new StorageError('io', 'digests can only be checked on pages served by https or from this machine');
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
