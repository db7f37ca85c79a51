/** A first-in, first-out queue of bytes that remembers the pieces it was given. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** The first chunk that is not used up, and the first byte of it. */
  #head = 0;
  #offset = 0;
  #length = 0;

  /** Bytes queued. */
  get length(): number {
    return this.#length;
  }

  /** Queues a copy of `bytes`. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    // Not bytes.slice(): a Node Buffer's is a view.
    this.#chunks.push(new Uint8Array(bytes));
    this.#length += bytes.length;
  }

  /** Removes and returns the oldest byte; undefined when empty. */
  shift(): number | undefined {
    const byte = this.#chunks[this.#head]?.[this.#offset];
    if (byte !== undefined) this.#drop(1);
    return byte;
  }

  /** Moves bytes from the front into `target`; returns how many. */
  shiftInto(target: Uint8Array): number {
    let done = 0;
    while (done < target.length && this.#length > 0) {
      const chunk = this.#chunks[this.#head]!;
      const count = Math.min(chunk.length - this.#offset, target.length - done);
      target.set(chunk.subarray(this.#offset, this.#offset + count), done);
      done += count;
      this.#drop(count);
    }
    return done;
  }

  /** Copies of all bytes queued, which stay. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length);
    let done = 0;
    for (const [index, chunk] of this.#chunks.slice(this.#head).entries()) {
      const rest = index === 0 ? chunk.subarray(this.#offset) : chunk;
      bytes.set(rest, done);
      done += rest.length;
    }
    return bytes;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#offset = 0;
    this.#length = 0;
  }

  /** Forgets bytes at the front, at most what the first chunk has left. */
  #drop(count: number): void {
    this.#length -= count;
    this.#offset += count;
    if (this.#offset < this.#chunks[this.#head]!.length) return;
    this.#offset = 0;
    this.#head++;
    // Dropping the used front now and then keeps shifting linear over the queue's life.
    if (this.#length === 0 || (this.#head >= 64 && this.#head * 2 >= this.#chunks.length)) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
  }
}
