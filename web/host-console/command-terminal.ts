// A terminal as a command sees it: standard streams with a line discipline, raw mode, signals, size.
import type { DockerIo, FileChooser, HostFiles, SetFile } from 'hypertab';

/** What of xterm.js's Terminal is needed. */
export interface Screen {
  readonly cols: number;
  readonly rows: number;
  write(data: string | Uint8Array, done?: () => void): void;
  onResize(listener: () => void): { dispose(): void };
}

/** Files that a command asks the user for. */
export interface AskedFiles extends FileChooser {
  /** A folder of the user's with all that is in it, by paths from there. */
  openFolder(): Promise<SetFile[]>;
  /** The same for `docker cp`. */
  hostFiles?: HostFiles;
}

const encoder = new TextEncoder();
const NEWLINE = 10;
const RETURN = 13;
/** Ctrl-C that many times ends the waiting for a command that does not end. */
const PATIENCE = 3;

/** One command's terminal, from its start to its end. */
export class CommandTerminal {
  readonly io: DockerIo;
  /** Resolves when the user waits no longer. */
  readonly abandoned: Promise<void>;
  readonly #screen: Screen;
  readonly #signalled = new Set<(signal: string) => void>();
  readonly #cleanUps: (() => void)[] = [];
  #abandon!: () => void;
  #raw = 0;
  #line = '';
  #input: Uint8Array[] = [];
  #ended = false;
  #wake = () => {};
  #interrupts = 0;
  #over = false;
  #lastByte = NEWLINE;

  constructor(screen: Screen, files: AskedFiles) {
    this.#screen = screen;
    this.abandoned = new Promise((resolve) => {
      this.#abandon = resolve;
    });
    const write = (data: Uint8Array | string) => this.#write(data);
    this.io = {
      stdout: write,
      stderr: write,
      stdin: () => this.#read(),
      stdinIsTerminal: true,
      stdoutIsTerminal: true,
      size: () => ({ columns: screen.cols, rows: screen.rows }),
      onResize: (listener) => {
        const { dispose } = screen.onResize(listener);
        this.#cleanUps.push(dispose);
        return dispose;
      },
      raw: () => {
        this.#raw++;
        let on = true;
        return () => {
          if (on) this.#raw--;
          on = false;
        };
      },
      onSignal: (listener) => {
        this.#signalled.add(listener);
        return () => void this.#signalled.delete(listener);
      },
      absolutePath: (path) => (path.startsWith('/') ? path : `/${path}`),
      readText: async (path) => (await files.open(path)).text(),
      writeText: (path, text) => files.save(path, new Blob([text]).stream()),
      readFile: async function* (path) {
        const reader = (await files.open(path)).stream().getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
      },
      writeFile: (path, bytes) => files.save(path, bytes),
      openFolder: async () => ({ kind: 'files', files: await files.openFolder() }),
      ...(files.hostFiles === undefined ? {} : { files: files.hostFiles }),
      environment: (name) => (name === 'TERM' ? 'xterm-256color' : undefined),
    };
  }

  /** Takes what is typed. */
  feed(data: string): void {
    if (this.#raw > 0) {
      this.#give(encoder.encode(data));
      return;
    }
    for (const sign of data) this.#cooked(sign);
  }

  /** What the command writes from now on goes nowhere; what was typed and not read is answered. */
  end(): string {
    this.#over = true;
    for (const cleanUp of this.#cleanUps) cleanUp();
    this.#ended = true;
    this.#wake();
    const left = this.#input.map((bytes) => new TextDecoder().decode(bytes)).join('') + this.#line;
    this.#input = [];
    return left.replaceAll('\n', '\r');
  }

  #cooked(sign: string): void {
    switch (sign) {
      case '\x03':
        this.#interrupt();
        return;
      case '\x04':
        if (this.#line === '') this.#ended = true;
        else this.#give(encoder.encode(this.#line));
        this.#line = '';
        this.#wake();
        return;
      case '\x7f':
      case '\x08':
        if (this.#line === '') return;
        this.#line = [...this.#line].slice(0, -1).join('');
        this.#screen.write('\b \b');
        return;
      case '\r':
      case '\n':
        this.#screen.write('\r\n');
        this.#lastByte = NEWLINE;
        this.#give(encoder.encode(`${this.#line}\n`));
        this.#line = '';
        return;
    }
    if (sign < ' ' && sign !== '\t') return;
    this.#line += sign;
    this.#screen.write(sign);
  }

  #interrupt(): void {
    this.#screen.write('^C');
    this.#lastByte = 0;
    this.#line = '';
    this.#interrupts++;
    for (const tell of this.#signalled) tell('SIGINT');
    if (this.#signalled.size === 0 || this.#interrupts >= PATIENCE) this.#abandon();
  }

  #give(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#input.push(bytes);
    this.#wake();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    while (!this.#over) {
      const next = this.#input.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** The promise resolves when the terminal has taken it: so a container waits for who reads it. */
  #write(data: Uint8Array | string): void | Promise<void> {
    const bytes = typeof data === 'string' ? encoder.encode(data) : data;
    if (this.#over || bytes.length === 0) return;
    const shown = this.#raw > 0 ? bytes.slice() : withReturns(bytes, this.#lastByte);
    this.#lastByte = bytes.at(-1)!;
    return new Promise((resolve) => this.#screen.write(shown, resolve));
  }
}

/** Line ends as a terminal wants them; those that are so stay. */
export function withReturns(bytes: Uint8Array, before = 0): Uint8Array {
  const wanting = (at: number) => bytes[at] === NEWLINE && (at === 0 ? before : bytes[at - 1]) !== RETURN;
  let count = 0;
  for (let at = 0; at < bytes.length; at++) if (wanting(at)) count++;
  const shown = new Uint8Array(bytes.length + count);
  let to = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (wanting(at)) shown[to++] = RETURN;
    shown[to++] = bytes[at]!;
  }
  return shown;
}
