export type StreamName = 'stdout' | 'stderr';

/** A line that a container wrote, with its newline unless it was the last. */
export interface LogLine {
  stream: StreamName;
  /** Milliseconds since 1970. */
  time: number;
  bytes: Uint8Array;
}

export interface LogOptions {
  stdout?: boolean;
  stderr?: boolean;
  /** Milliseconds since 1970; only lines of then or later. */
  since?: number;
  /** Only lines before then. */
  until?: number;
  /** Only so many lines, the last ones. */
  tail?: number;
}

/** Bytes kept of one container's output; older lines go. */
const KEPT_BYTES = 4 << 20;
/** A line longer than this is kept in pieces. */
const LINE_BYTES = 16 << 10;
const NEWLINE = 10;

/** What a container has written, line by line. */
export class ContainerLogs {
  #lines: LogLine[] = [];
  #bytes = 0;
  readonly #parts: Record<StreamName, Uint8Array[]> = { stdout: [], stderr: [] };
  readonly #listeners = new Set<(line: LogLine) => void>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  write(stream: StreamName, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline + 1;
      this.#parts[stream].push(bytes.slice(at, end));
      const length = this.#parts[stream].reduce((sum, part) => sum + part.length, 0);
      if (newline >= 0 || length >= LINE_BYTES) this.#finish(stream);
      at = end;
    }
  }

  /** The container has ended: what has no newline is a line too. */
  flush(): void {
    this.#finish('stdout');
    this.#finish('stderr');
  }

  /** The lines kept that were asked for. */
  read(options: LogOptions = {}): LogLine[] {
    const lines = this.#lines.filter((line) => isWanted(line, options));
    return options.tail === undefined ? lines : lines.slice(Math.max(0, lines.length - options.tail));
  }

  /** Called with each line from now on; returns a function that ends it. */
  follow(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #finish(stream: StreamName): void {
    const parts = this.#parts[stream];
    if (parts.length === 0) return;
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts[stream] = [];
    const line = { stream, time: this.#now(), bytes };
    this.#lines.push(line);
    this.#bytes += bytes.length;
    if (this.#bytes > 2 * KEPT_BYTES) this.#forget();
    for (const listener of [...this.#listeners]) listener(line);
  }

  #forget(): void {
    let first = 0;
    while (this.#bytes > KEPT_BYTES) this.#bytes -= this.#lines[first++]!.bytes.length;
    this.#lines = this.#lines.slice(first);
  }
}

/** True for a line of a stream and a time that were asked for. */
export function isWanted({ stream, time }: LogLine, options: LogOptions): boolean {
  const { stdout = true, stderr = true, since = -Infinity, until = Infinity } = options;
  return (stream === 'stdout' ? stdout : stderr) && time >= since && time < until;
}
