/** Milliseconds in which nothing was asked for: then there is time for what nobody waits for. */
const QUIET_MS = 20;
/** Tasks that may wait; when there are more, they are done whoever waits. */
const MOST_TASKS = 8;

/** What is to be done in a container host, but not while somebody waits for it: it has one processor. */
export class QuietWork {
  readonly #tasks: (() => Promise<void>)[] = [];
  #waiting = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  /** Does something that somebody waits for. */
  async during<T>(action: () => Promise<T>): Promise<T> {
    this.#waiting++;
    try {
      return await action();
    } finally {
      this.#waiting--;
      this.touch();
    }
  }

  /** Something was asked for, or has ended: the next thing may follow at once. */
  touch(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#tasks.length === 0) return;
    this.#timer = setTimeout(() => void this.#work(), QUIET_MS);
  }

  /** Has something done when it is quiet, in the order in which it was asked for. It must not fail. */
  later(task: () => Promise<void>): void {
    if (this.#closed) return;
    this.#tasks.push(task);
    if (this.#tasks.length > MOST_TASKS) void this.#work();
    else this.touch();
  }

  /** Does now what waits. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#running !== undefined || this.#tasks.length > 0) {
      await (this.#running ?? this.#tasks.shift()!());
    }
  }

  /** There is nothing to work on any more. */
  close(): void {
    this.#closed = true;
    this.#tasks.length = 0;
    clearTimeout(this.#timer);
  }

  #work(): Promise<void> {
    this.#running ??= (async () => {
      while (this.#tasks.length > 0 && (this.#waiting === 0 || this.#tasks.length > MOST_TASKS)) {
        await this.#tasks.shift()!();
      }
    })().finally(() => {
      this.#running = undefined;
      this.touch();
    });
    return this.#running;
  }
}
