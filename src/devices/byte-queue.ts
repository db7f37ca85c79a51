// A first-in-first-out queue of bytes that keeps the arrays it was given.

export class ByteQueue {
  private readonly chunks: Uint8Array[] = [];
  private head = 0;
  private count = 0;

  get length(): number {
    return this.count;
  }

  /** Appends a copy of the bytes. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.chunks.push(bytes.slice());
    this.count += bytes.length;
  }

  /** Removes and returns the oldest byte; undefined when empty. */
  shift(): number | undefined {
    const chunk = this.chunks[0];
    if (chunk === undefined) return undefined;
    const byte = chunk[this.head++];
    this.count--;
    if (this.head === chunk.length) {
      this.chunks.shift();
      this.head = 0;
    }
    return byte;
  }

  clear(): void {
    this.chunks.length = 0;
    this.head = 0;
    this.count = 0;
  }
}
