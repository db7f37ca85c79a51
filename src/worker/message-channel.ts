// Bytes as messages, where memory cannot be shared. At most WINDOW_BYTES are under way; the reader acknowledges
// what its listener has finished with.

import { ByteQueue } from '../devices/byte-queue.ts';
import type { ByteListener, ByteReader, ByteSender } from './byte-channel.ts';
import { Delivery } from './delivery.ts';

/** Bytes that may be posted and not acknowledged. */
export const WINDOW_BYTES = 1 << 17;
/** Largest message, in bytes. */
const MESSAGE_BYTES = 1 << 15;

export class MessageByteSender implements ByteSender {
  onDrain: (() => void) | undefined;
  sent = 0;
  readonly #port: MessagePort;
  readonly #queue = new ByteQueue();
  #underWay = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = (event: MessageEvent<number>) => {
      this.#underWay -= event.data;
      this.#pump();
      this.onDrain?.();
    };
  }

  get undelivered(): number {
    return this.#queue.length + this.#underWay;
  }

  send(bytes: Uint8Array): void {
    this.sent += bytes.length;
    this.#queue.push(bytes);
    this.#pump();
  }

  close(): void {
    this.#port.onmessage = null;
    this.#port.close();
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#underWay < WINDOW_BYTES) {
      const message = new Uint8Array(
        Math.min(MESSAGE_BYTES, this.#queue.length, WINDOW_BYTES - this.#underWay),
      );
      this.#queue.shiftInto(message);
      this.#underWay += message.length;
      this.#port.postMessage(message, [message.buffer]);
    }
  }
}

export class MessageByteReader implements ByteReader {
  readonly #port: MessagePort;
  readonly #delivery = new Delivery();
  readonly #waiting: Uint8Array[] = [];
  #draining = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  get received(): number {
    return this.#delivery.received;
  }

  listen(listener: ByteListener): void {
    this.#delivery.listener = listener;
    this.#port.onmessage = (event: MessageEvent<Uint8Array>) => {
      this.#waiting.push(event.data);
      void this.#drain();
    };
  }

  whenReceived(total: number): Promise<void> {
    return this.#delivery.whenReceived(total);
  }

  close(): void {
    this.#delivery.close();
    this.#port.onmessage = null;
    this.#port.close();
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
      const pending = this.#delivery.hand(bytes);
      if (pending !== undefined) await pending;
      if (this.#delivery.closed) break;
      this.#port.postMessage(bytes.length);
    }
    this.#draining = false;
  }
}
