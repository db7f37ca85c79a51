import type { ChunkCache } from './chunk-cache.ts';

/** Milliseconds without a read or a chunk that comes after which chunks are put into the cache: a kernel's start is not quiet. */
const QUIET_MS = 3_000;
/** Milliseconds that a chunk waits at most, however much is read. */
const LONGEST_WAIT_MS = 20_000;
/** Milliseconds between two chunks, for what else the thread has to do. */
const PAUSE_MS = 20;
/** Bytes that may wait. What has come last is in its reader's memory as well, so that it costs none. */
const WAITING_BYTES = 32 * 1024 ** 2;

/**
 * Puts chunks into a cache when nobody reads: a chunk of 512 KiB costs the thread of the machine milliseconds (its
 * checksum, and a browser's private file, which grows: once some 300), and a guest that boots reads thirty of them.
 */
export class ChunkKeeper {
  readonly #cache: ChunkCache;
  /** First come, first kept. */
  readonly #waiting = new Map<number, { contents: Uint8Array; since: number }>();
  #waitingBytes = 0;
  #lastUse = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What is on its way into the cache. */
  #under: Promise<void> = Promise.resolve();
  #isOpen = true;

  constructor(cache: ChunkCache) {
    this.#cache = cache;
  }

  /** Somebody reads: what waits goes on waiting. */
  noteRead(): void {
    this.#lastUse = performance.now();
  }

  /** A chunk that waits or is in the cache, whole. */
  async get(chunk: number): Promise<Uint8Array | undefined> {
    return this.#waiting.get(chunk)?.contents ?? (await this.#cache.get(chunk));
  }

  /** Keeps a chunk, sooner or later; failing is no error. */
  put(chunk: number, contents: Uint8Array): void {
    if (!this.#isOpen || this.#waiting.has(chunk)) return;
    this.#lastUse = performance.now();
    this.#waiting.set(chunk, { contents, since: this.#lastUse });
    this.#waitingBytes += contents.length;
    while (this.#waitingBytes > WAITING_BYTES) void this.#keepOldest();
    this.#timer ??= setTimeout(this.#work, QUIET_MS);
  }

  /** Ends when all that waited is in the cache. */
  async close(): Promise<void> {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    while (this.#waiting.size > 0) await this.#keepOldest();
    await this.#under;
    await this.#cache.close();
  }

  readonly #work = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    const oldest = this.#waiting.values().next().value;
    if (oldest === undefined || !this.#isOpen) return;
    const due = Math.min(this.#lastUse + QUIET_MS, oldest.since + LONGEST_WAIT_MS);
    if (now < due) {
      this.#timer = setTimeout(this.#work, due - now);
      return;
    }
    void this.#keepOldest().then(() => {
      if (this.#isOpen) this.#timer ??= setTimeout(this.#work, PAUSE_MS);
    });
  };

  /** One after the other, so that what is on its way takes no more memory than one chunk does. */
  #keepOldest(): Promise<void> {
    const next = this.#waiting.entries().next().value;
    if (next === undefined) return this.#under;
    const [chunk, { contents }] = next;
    this.#waiting.delete(chunk);
    this.#waitingBytes -= contents.length;
    this.#under = this.#under.then(() => this.#cache.put(chunk, contents)).catch(() => undefined);
    return this.#under;
  }
}
