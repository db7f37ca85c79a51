// Bytes as messages, where memory cannot be shared. At most WINDOW_BYTES are under way; the reader acknowledges
// what its listener has finished with.

import { PortReader, PortSender } from './port-stream.ts';

/** Bytes that may be posted and not acknowledged. */
export const WINDOW_BYTES = 1 << 17;
/** Largest message, in bytes. */
const MESSAGE_BYTES = 1 << 15;

export class MessageByteSender extends PortSender {
  #underWay = 0;

  get undelivered(): number {
    return this.queue.length + this.#underWay;
  }

  protected override hear(message: unknown): void {
    this.#underWay -= Number(message);
  }

  protected pump(): void {
    while (this.queue.length > 0 && this.#underWay < WINDOW_BYTES) {
      const message = new Uint8Array(
        Math.min(MESSAGE_BYTES, this.queue.length, WINDOW_BYTES - this.#underWay),
      );
      this.queue.shiftInto(message);
      this.#underWay += message.length;
      this.port.postMessage(message, [message.buffer]);
    }
  }
}

export class MessageByteReader extends PortReader {
  readonly #waiting: Uint8Array[] = [];

  protected override hear(message: unknown): void {
    this.#waiting.push(message as Uint8Array);
  }

  protected async drain(): Promise<void> {
    for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
      const pending = this.delivery.hand(bytes);
      if (pending !== undefined) await pending;
      if (this.delivery.closed) break;
      this.port.postMessage(bytes.length);
    }
  }
}
