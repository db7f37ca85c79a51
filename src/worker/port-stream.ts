// What both kinds of byte channel have in common: a port, a queue in front of it, a listener behind it.
import { ByteQueue } from '../devices/byte-queue.ts';
import type { ByteListener, ByteReader, ByteSender } from './byte-channel.ts';
import { Delivery } from './delivery.ts';

/** A writing end that keeps what does not fit; its port brings word from the reader. */
export abstract class PortSender implements ByteSender {
  onDrain: (() => void) | undefined;
  sent = 0;
  protected readonly port: MessagePort;
  protected readonly queue = new ByteQueue();

  constructor(port: MessagePort) {
    this.port = port;
    port.onmessage = (event: MessageEvent<unknown>) => {
      this.hear(event.data);
      this.pump();
      this.onDrain?.();
    };
  }

  abstract readonly undelivered: number;

  send(bytes: Uint8Array): void {
    this.sent += bytes.length;
    this.queue.push(bytes);
    this.pump();
  }

  close(): void {
    this.port.onmessage = null;
    this.port.close();
  }

  /** What the reader has sent. */
  protected hear(_message: unknown): void {}
  /** Passes on what is in the queue, as far as it fits. */
  protected abstract pump(): void;
}

/** A reading end that gives its listener one piece after the other. */
export abstract class PortReader implements ByteReader {
  protected readonly port: MessagePort;
  protected readonly delivery = new Delivery();
  #draining = false;

  constructor(port: MessagePort) {
    this.port = port;
  }

  get received(): number {
    return this.delivery.received;
  }

  listen(listener: ByteListener): void {
    this.delivery.listener = listener;
    this.port.onmessage = (event: MessageEvent<unknown>) => {
      this.hear(event.data);
      if (!this.#draining) void this.#drainAll();
    };
  }

  whenReceived(total: number): Promise<void> {
    return this.delivery.whenReceived(total);
  }

  close(): void {
    this.delivery.close();
    this.port.onmessage = null;
    this.port.close();
  }

  async #drainAll(): Promise<void> {
    this.#draining = true;
    await this.drain();
    this.#draining = false;
  }

  /** What the writer has sent. */
  protected hear(_message: unknown): void {}
  /** Hands over what is there, until nothing is, or the channel is closed; it is not called meanwhile. */
  protected abstract drain(): Promise<void>;
}
