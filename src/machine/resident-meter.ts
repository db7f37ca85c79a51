const PAGE_BYTES = 4096;
const WORDS = PAGE_BYTES / 4;

/**
 * Counts the pages of a memory that hold anything: those that the host has had to find room for.
 *
 * A look at every page takes tens of milliseconds, so that each call looks at a few, and the count is of what was seen
 * when each page's turn came last. Reading a page that was never written costs the host no memory.
 */
export class ResidentMeter {
  #words: Int32Array = new Int32Array(0);
  #used = new Uint8Array(0);
  #next = 0;
  #pages = 0;

  /** Bytes in pages that hold anything. */
  get bytes(): number {
    return this.#pages * PAGE_BYTES;
  }

  /** Looks at the next pages of `buffer` until `milliseconds` are over, at most at each page once. */
  look(buffer: ArrayBufferLike, milliseconds: number): void {
    if (this.#words.buffer !== buffer) {
      this.#words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / PAGE_BYTES) * WORDS);
      const used = new Uint8Array(this.#words.length / WORDS);
      used.set(this.#used.subarray(0, used.length));
      this.#used = used;
      this.#pages = used.reduce((sum, page) => sum + page, 0);
      this.#next = 0;
    }
    const total = this.#used.length;
    const end = performance.now() + milliseconds;
    for (let looked = 0; looked < total; looked++) {
      const page = this.#next;
      const used = this.#holds(page * WORDS) ? 1 : 0;
      this.#pages += used - this.#used[page]!;
      this.#used[page] = used;
      this.#next = page + 1 === total ? 0 : page + 1;
      // The clock costs as much as some pages do.
      if ((looked & 31) === 31 && performance.now() >= end) return;
    }
  }

  #holds(first: number): boolean {
    const words = this.#words;
    for (let index = first; index < first + WORDS; index++) if (words[index] !== 0) return true;
    return false;
  }
}
