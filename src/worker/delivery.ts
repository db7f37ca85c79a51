import type { ByteListener } from './byte-channel.ts';

/** Counts what a listener has finished with and lets others wait for it; shared by both kinds of reader. */
export class Delivery {
  listener: ByteListener | undefined;
  #received = 0;
  #closed = false;
  #waiters: { total: number; resolve: () => void }[] = [];

  get received(): number {
    return this.#received;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Hands `bytes` to the listener. Returns a promise only when the listener asks for time. */
  hand(bytes: Uint8Array): Promise<void> | undefined {
    let pending: Promise<void> | undefined;
    try {
      pending = this.listener?.(bytes) ?? undefined;
    } catch (error) {
      // A listener's fault is its owner's: it must not stop the stream for others.
      queueMicrotask(() => {
        throw error;
      });
    }
    if (pending !== undefined) return pending.catch(() => {}).then(() => this.#count(bytes.length));
    this.#count(bytes.length);
    return undefined;
  }

  whenReceived(total: number): Promise<void> {
    if (this.#closed || this.#received >= total) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ total, resolve }));
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters = [];
  }

  #count(bytes: number): void {
    this.#received += bytes;
    if (this.#waiters.length === 0) return;
    for (const waiter of this.#waiters) if (waiter.total <= this.#received) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => waiter.total > this.#received);
  }
}
