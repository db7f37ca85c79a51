// Bytes through a ring in shared memory. The port beside it carries no data, only door bells: "there are bytes"
// when the reader sleeps, "there is room" when the writer waits.

import type { ByteQueue } from '../devices/byte-queue.ts';
import { PortReader, PortSender } from './port-stream.ts';
import { nextTurn } from './turns.ts';

// Header words (Int32). READ and WRITE count bytes modulo 2^32, so that full and empty differ.
const READ = 0;
const WRITE = 1;
const READER_SLEEPS = 2;
const WRITER_WAITS = 3;
const HEADER_BYTES = 16;

/** Capacity of a ring in bytes: a power of two. */
export const RING_BYTES = 1 << 17;

/** Allocates an empty ring whose reader sleeps. */
export function createRing(capacity = RING_BYTES): SharedArrayBuffer {
  const ring = new SharedArrayBuffer(HEADER_BYTES + capacity);
  new Int32Array(ring, 0, 4)[READER_SLEEPS] = 1;
  return ring;
}

class Ring {
  readonly header: Int32Array;
  readonly data: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.header = new Int32Array(buffer, 0, 4);
    this.data = new Uint8Array(buffer, HEADER_BYTES);
  }

  get used(): number {
    return (Atomics.load(this.header, WRITE) - Atomics.load(this.header, READ)) >>> 0;
  }

  /** Copies from `queue` while there is room; returns true when anything was written. */
  writeFrom(queue: ByteQueue): boolean {
    let wrote = false;
    for (;;) {
      const room = this.data.length - this.used;
      if (room === 0 || queue.length === 0) return wrote;
      const write = Atomics.load(this.header, WRITE);
      const start = (write >>> 0) & (this.data.length - 1);
      const count = queue.shiftInto(
        this.data.subarray(start, start + Math.min(room, this.data.length - start)),
      );
      Atomics.store(this.header, WRITE, (write + count) | 0);
      wrote = true;
    }
  }

  /** Copies out at most `limit` bytes, as far as they lie in one piece. */
  read(limit: number): Uint8Array {
    const read = Atomics.load(this.header, READ);
    const start = (read >>> 0) & (this.data.length - 1);
    const count = Math.min(limit, this.used, this.data.length - start);
    const bytes = new Uint8Array(count);
    bytes.set(this.data.subarray(start, start + count));
    Atomics.store(this.header, READ, (read + count) | 0);
    return bytes;
  }
}

export class RingByteSender extends PortSender {
  readonly #ring: Ring;

  constructor(buffer: SharedArrayBuffer, port: MessagePort) {
    super(port);
    this.#ring = new Ring(buffer);
  }

  get undelivered(): number {
    return this.queue.length + this.#ring.used;
  }

  protected pump(): void {
    const { header } = this.#ring;
    let wrote = this.#ring.writeFrom(this.queue);
    if (this.queue.length > 0) {
      Atomics.store(header, WRITER_WAITS, 1);
      // The reader may have made room between the last look and the flag.
      if (this.#ring.writeFrom(this.queue)) wrote = true;
      if (this.queue.length === 0) Atomics.store(header, WRITER_WAITS, 0);
    }
    if (wrote && Atomics.exchange(header, READER_SLEEPS, 0) === 1) this.port.postMessage(null);
  }
}

export class RingByteReader extends PortReader {
  readonly #ring: Ring;

  constructor(buffer: SharedArrayBuffer, port: MessagePort) {
    super(port);
    this.#ring = new Ring(buffer);
  }

  protected async drain(): Promise<void> {
    const { header } = this.#ring;
    let turn = 0;
    while (!this.delivery.closed) {
      const bytes = this.#ring.read(RING_BYTES);
      if (bytes.length > 0) {
        if (Atomics.exchange(header, WRITER_WAITS, 0) === 1) this.port.postMessage(null);
        const pending = this.delivery.hand(bytes);
        if (pending !== undefined) await pending;
        turn += bytes.length;
        // A writer that never stops must not keep this thread from its other messages.
        if (turn >= RING_BYTES) {
          turn = 0;
          await nextTurn();
        }
        continue;
      }
      Atomics.store(header, READER_SLEEPS, 1);
      // The writer may have written between the last look and the flag; whoever clears the flag goes on.
      if (this.#ring.used === 0 || Atomics.exchange(header, READER_SLEEPS, 0) === 0) break;
    }
  }
}
