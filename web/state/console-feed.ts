/** What a terminal must offer: takes bytes, calls back when it has shown them. */
export interface ByteSink {
  write(data: Uint8Array | string, done?: () => void): void;
}

/** Above this many bytes waiting in the terminal, output is kept back. */
const HIGH_WATER = 1 << 20;
/** How much of what is kept back survives: more than a terminal's window, less than hurts. */
const KEPT = 1 << 18;

/**
 * Feeds a terminal no faster than it can show: a guest that floods its console while the tab is in the
 * background must not fill the page's memory. What is skipped is said.
 */
export class ConsoleFeed {
  readonly #sink: ByteSink;
  readonly #skippedNote: () => string;
  #inFlight = 0;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #skipped = false;

  constructor(sink: ByteSink, skippedNote: () => string) {
    this.#sink = sink;
    this.#skippedNote = skippedNote;
  }

  push(data: Uint8Array): void {
    if (this.#inFlight < HIGH_WATER && this.#kept.length === 0) {
      this.#write(data);
      return;
    }
    this.#kept.push(data);
    this.#keptBytes += data.length;
    while (this.#keptBytes > KEPT && this.#kept.length > 1) {
      this.#keptBytes -= this.#kept.shift()?.length ?? 0;
      this.#skipped = true;
    }
  }

  #write(data: Uint8Array): void {
    this.#inFlight += data.length;
    this.#sink.write(data, () => {
      this.#inFlight -= data.length;
      if (this.#inFlight === 0) this.#release();
    });
  }

  #release(): void {
    const kept = this.#kept;
    if (kept.length === 0) return;
    // CAN ends an escape sequence that lost its end; SGR 0 ends its colours.
    if (this.#skipped) this.#sink.write(`\x18\x1b[0m\r\n${this.#skippedNote()}\r\n`);
    this.#kept = [];
    this.#keptBytes = 0;
    this.#skipped = false;
    for (const data of kept) this.#write(data);
  }
}
