import { EscapeKeys, type KeyAction } from './escape-keys.ts';

/** Exit status of a process that a signal ended, as shells report it. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** Typed bytes that may wait for the guest before stdin is read no further. */
const PENDING_LIMIT = 1 << 16;

interface InputTarget {
  write(data: Uint8Array): void;
  readonly pending: number;
}

/** The process's own terminal or pipes. Raw mode ends on every way out of the process. */
export class Terminal {
  #raw = false;

  /** Calls `leave` with an exit status when a signal or a closed stdout ends the run. */
  constructor(leave: (status: number) => void) {
    process.once('exit', () => this.restore());
    for (const [signal, status] of Object.entries(SIGNALS)) process.once(signal, () => leave(status));
    // Whoever read our output has gone: nothing is left to do.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') leave(0);
      else throw error;
    });
    process.stderr.on('error', () => {});
  }

  /** Writes to stdout; the promise, if any, resolves when more may be written. */
  write(bytes: Uint8Array | string): void | Promise<void> {
    if (process.stdout.write(bytes)) return;
    return new Promise((resolve) => process.stdout.once('drain', () => resolve()));
  }

  /** True when a person sits at stdin. */
  get interactive(): boolean {
    return process.stdin.isTTY === true;
  }

  /** Reads keys: raw, with Ctrl-A as the escape. */
  readKeys(target: InputTarget, act: (action: KeyAction) => void): void {
    const keys = new EscapeKeys();
    process.stdin.setRawMode(true);
    this.#raw = true;
    process.stdin.on('data', (bytes: Buffer) => {
      const { data, actions } = keys.feed(bytes);
      if (data.length > 0) target.write(data);
      for (const action of actions) act(action);
    });
  }

  /** Feeds a pipe or file to the guest, no faster than it reads. At its end nothing more is sent. */
  async readPipe(target: InputTarget): Promise<void> {
    try {
      for await (const bytes of process.stdin) {
        target.write(bytes as Buffer);
        while (target.pending > PENDING_LIMIT) await new Promise((resolve) => setTimeout(resolve, 10));
      }
    } catch {
      // A stdin that is closed or broken is one that sends nothing.
    }
  }

  /** Ends raw mode. */
  restore(): void {
    if (!this.#raw) return;
    this.#raw = false;
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }
}

/** Resolves when what was written to stdout and stderr is out, or nobody takes it for a second. */
export async function flushOutput(): Promise<void> {
  const flushed = (stream: NodeJS.WriteStream) =>
    new Promise<void>((resolve) => {
      if (stream.destroyed || !stream.writable) resolve();
      else stream.write('', () => resolve());
    });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 1000);
  });
  await Promise.race([Promise.all([flushed(process.stdout), flushed(process.stderr)]), late]);
  clearTimeout(timer);
}
