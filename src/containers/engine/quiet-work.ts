/** Milliseconds after something has ended: if nothing has been asked for by then, there is time. */
const QUIET_MS = 20;
/** Milliseconds after something was started: that is at work, and may end soon. */
const SETTLED_MS = 100;
/** Tasks that may wait; when there are more, they are done whoever waits. */
const MOST_TASKS = 8;

/** What is to be done in a container host, but not while somebody waits for it: it has one processor. */
export class QuietWork {
  readonly #tasks: (() => Promise<void>)[] = [];
  #waiting = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  /** When it will have been quiet for long enough. */
  #due = 0;
  #closed = false;

  /** Does something that somebody waits for. */
  async during<T>(action: () => Promise<T>): Promise<T> {
    this.#waiting++;
    try {
      return await action();
    } finally {
      this.#waiting--;
      this.#wait(SETTLED_MS);
    }
  }

  /** Something has ended: the next thing may follow at once. */
  touch(): void {
    this.#wait(QUIET_MS);
  }

  #wait(milliseconds: number): void {
    const due = performance.now() + milliseconds;
    clearTimeout(this.#timer);
    this.#due = due;
    if (this.#closed || this.#tasks.length === 0) return;
    this.#timer = setTimeout(() => void this.#work(), milliseconds);
  }

  /** Has something done when it is quiet, in the order in which it was asked for. It must not fail. */
  later(task: () => Promise<void>): void {
    if (this.#closed) return;
    this.#tasks.push(task);
    if (this.#tasks.length > MOST_TASKS) void this.#work();
    else this.#wait(Math.max(QUIET_MS, this.#due - performance.now()));
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
