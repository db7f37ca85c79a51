import { remembering, type WorkerFactory, type WorkerHandle } from './platform.ts';

/** Milliseconds after one was taken before the next is started: it is not to compete with the machine made in that one. */
const REFILL_MS = 500;

/** One worker that has been started ahead, with its modules loaded: that takes a browser some 30 ms. */
export class SpareWorker {
  readonly #start: WorkerFactory;
  #worker: WorkerHandle | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(start: WorkerFactory) {
    this.#start = start;
  }

  /** Starts the one in reserve, unless there is one. */
  fill(): void {
    if (this.#worker !== undefined || this.#closed) return;
    const worker = remembering(this.#start('hypertab spare'));
    this.#worker = worker;
    // One that broke by itself would break the machine that it is given; the next machine starts its own.
    worker.onLost(() => {
      if (this.#worker === worker) this.#worker = undefined;
    });
  }

  /** The one in reserve, which is the caller's from now on, or a new one. */
  take(name: string): WorkerHandle {
    const worker = this.#worker ?? this.#start(name);
    this.#worker = undefined;
    if (this.#timer === undefined && !this.#closed) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.fill();
      }, REFILL_MS);
      // Node: it must not keep the process.
      (this.#timer as { unref?(): void }).unref?.();
    }
    return worker;
  }

  /** Ends the one in reserve; take() starts new ones. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
