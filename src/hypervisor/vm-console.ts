import { TERMINAL_SIZE_MAX } from '../virtio/console/console-config.ts';
import type { ByteReader, ByteSender } from '../worker/byte-channel.ts';
import { OptionError } from './errors.ts';
import type { VmConsole } from './types.ts';

/** Bytes of output kept for a console that attaches late. */
export const BACKLOG_BYTES = 256 * 1024;

/** What terminals type by themselves when they are asked for the cursor or their kind (ECMA-48 CPR, DA). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const TERMINAL_ANSWER = /^(?:\x1b\[[?>=]?[\d;]*[Rnc])*$/;
const LONGEST_ANSWER = 64;

type Listener = (data: Uint8Array) => void | Promise<void>;

/** A console of a VM: one reader of the guest's bytes, any number of listeners. */
export class GuestConsole implements VmConsole {
  readonly #sender: ByteSender;
  readonly #reader: ByteReader;
  readonly #resize: (columns: number, rows: number) => void;
  readonly #listeners = new Set<{ listener: Listener }>();
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** Bytes received in all, and how many of them came before this power cycle. */
  #received = 0;
  #earlier = 0;
  /** Bytes of a saved machine's output that come before all received. */
  #preset = 0;
  #typed = 0;
  #closed = false;

  /** @param resize tells the guest, where there is a way */
  constructor(
    sender: ByteSender,
    reader: ByteReader,
    resize: (columns: number, rows: number) => void = () => {},
  ) {
    this.#resize = resize;
    this.#sender = sender;
    this.#reader = reader;
    reader.listen((bytes) => this.#deliver(bytes));
  }

  get typed(): number {
    return this.#typed;
  }

  get pending(): number {
    return this.#closed ? 0 : this.#sender.undelivered;
  }

  get backlog(): Uint8Array {
    const all = new Uint8Array(this.#keptBytes);
    let offset = 0;
    for (const chunk of this.#kept) {
      all.set(chunk, offset);
      offset += chunk.length;
    }
    const old = all.length - (this.#received - this.#earlier + this.#preset);
    return all.slice(Math.max(0, old, all.length - BACKLOG_BYTES));
  }

  /**
   * A power cycle: what the guest wrote before it is no longer what its console shows.
   * @param earlier bytes written before it, some of which may still be on their way
   */
  beginPowerCycle(earlier: number): void {
    this.#preset = 0;
    this.#earlier = Math.max(this.#earlier, earlier);
  }

  /** What a saved machine's console showed last; before the machine has written anything. */
  presetBacklog(bytes: Uint8Array): void {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    this.#preset = bytes.length;
  }

  /** The backlog as it was when the guest had written `total` bytes in all, as far as it is still there. */
  backlogUntil(total: number): Uint8Array {
    const { backlog } = this;
    return backlog.slice(0, Math.max(0, backlog.length - Math.max(0, this.#received - total)));
  }

  write(data: Uint8Array | string): void {
    if (this.#closed) return;
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    if (bytes.length > LONGEST_ANSWER || !TERMINAL_ANSWER.test(String.fromCharCode(...bytes))) {
      this.#typed += bytes.length;
    }
    this.#sender.send(bytes);
  }

  resize(columns: number, rows: number): void {
    for (const count of [columns, rows]) {
      if (Number.isInteger(count) && count >= 1 && count <= TERMINAL_SIZE_MAX) continue;
      throw new OptionError(
        `resize: a terminal has no ${count} columns or rows; give 1 to ${TERMINAL_SIZE_MAX}`,
      );
    }
    if (!this.#closed) this.#resize(columns, rows);
  }

  onData(listener: Listener): () => void {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Resolves once `total` bytes have reached the listeners, or the console is closed. */
  whenReceived(total: number): Promise<void> {
    return this.#reader.whenReceived(total);
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#sender.close();
    this.#reader.close();
  }

  #deliver(bytes: Uint8Array): void | Promise<void> {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    this.#received += bytes.length;
    while (this.#keptBytes - this.#kept[0]!.length >= BACKLOG_BYTES) {
      this.#keptBytes -= this.#kept.shift()!.length;
    }
    const pending: Promise<void>[] = [];
    for (const { listener } of [...this.#listeners]) {
      try {
        const promise = listener(bytes);
        if (promise instanceof Promise) pending.push(promise);
      } catch (error) {
        // Its own fault: the other listeners and the guest go on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    if (pending.length > 0) return Promise.allSettled(pending).then(() => {});
  }
}
