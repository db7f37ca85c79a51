/** A first-in, first-out queue of bytes that remembers the pieces it was given. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #head = 0;
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

  /** Moves bytes from the front into `target`; returns how many. */
  shiftInto(target: Uint8Array): number {
    let done = 0;
    while (done < target.length && this.#length > 0) {
      const chunk = this.#chunks[this.#head]!;
      const count = Math.min(chunk.length, target.length - done);
      target.set(chunk.subarray(0, count), done);
      done += count;
      this.#length -= count;
      if (count < chunk.length) {
        this.#chunks[this.#head] = chunk.subarray(count);
      } else {
        this.#head++;
        // Dropping the used front now and then keeps shifting linear over the queue's life.
        if (this.#head >= 64 && this.#head * 2 >= this.#chunks.length) {
          this.#chunks = this.#chunks.slice(this.#head);
          this.#head = 0;
        }
      }
    }
    return done;
  }
}
