// One port of the console device: a terminal of the guest's.
import type { Stateful, StateReader, StateWriter } from '../../core/state-bytes.ts';
import { ByteQueue } from '../../devices/byte-queue.ts';
import {
  CONSOLE_CONSOLE_PORT,
  CONSOLE_DEVICE_ADD,
  CONSOLE_PORT_NAME,
  CONSOLE_PORT_OPEN,
  controlMessage,
  resizeMessage,
  TERMINAL_SIZE_MAX,
  type TerminalSize,
} from './console-config.ts';

/** What the driver is to be told of a port, in this order. There is at most one message of a kind to send. */
const NEWS = ['add', 'console', 'name', 'open', 'size'] as const;
type News = (typeof NEWS)[number];

/** What the device does for a port. */
export interface PortHost {
  /** There is something typed to be read. */
  typed(): void;
  /** There is something to be told. */
  news(): void;
  /** The size has changed. */
  resized(size: TerminalSize): void;
}

export class ConsolePort implements Stateful {
  readonly index: number;
  readonly name: string;
  /** True for a terminal; false for a channel of bytes, which Linux shows as /dev/vportNpM. */
  readonly terminal: boolean;
  /** Called with what the guest writes. */
  onOutput: (bytes: Uint8Array) => void = () => {};
  /** Typed and not read. */
  readonly input = new ByteQueue();
  readonly #host: PortHost;
  readonly #news = new Set<News>();
  #size: TerminalSize | undefined;
  /** The driver knows the port, and has opened it. */
  #ready = false;
  #open = false;
  readonly stateVersion = 1;

  constructor(index: number, name: string, host: PortHost, terminal = true) {
    this.index = index;
    this.name = name;
    this.terminal = terminal;
    this.#host = host;
  }

  get open(): boolean {
    return this.#open;
  }

  get size(): TerminalSize | undefined {
    return this.#size;
  }

  /** Queues what a person typed, without limit: look at inputPending. */
  type(bytes: Uint8Array): void {
    this.input.push(bytes);
    this.#host.typed();
  }

  get inputPending(): number {
    return this.input.length;
  }

  /** @throws {RangeError} for a size that cannot be */
  resize(columns: number, rows: number): void {
    for (const count of [columns, rows]) {
      if (!Number.isInteger(count) || count < 1 || count > TERMINAL_SIZE_MAX) {
        throw new RangeError(
          `a terminal of ${columns} × ${rows} characters; give 1 to ${TERMINAL_SIZE_MAX} of each`,
        );
      }
    }
    if (this.#size?.columns === columns && this.#size.rows === rows) return;
    this.#size = { columns, rows };
    this.#host.resized(this.#size);
    if (this.#ready) this.#tell('size');
  }

  // ---- what the driver says -----------------------------------------------------------------------------

  /** It knows of ports, and wants to hear which there are. */
  announce(): void {
    this.#tell('add');
  }

  /** It has made something of this one. */
  becomeReady(): void {
    this.#ready = true;
    const size = this.terminal && this.#size !== undefined;
    this.#tell(
      ...(this.terminal ? (['console'] as const) : []),
      'name',
      'open',
      ...(size ? (['size'] as const) : []),
    );
  }

  setOpen(open: boolean): void {
    this.#open = open;
    if (open) this.#host.typed();
  }

  /** Power-on: the terminal stays as it is, and so does what was typed before the guest could know of it. */
  reset(): void {
    if (this.#ready || this.#open) this.input.clear();
    this.#ready = false;
    this.#open = false;
    this.#news.clear();
  }

  saveState(writer: StateWriter): void {
    writer.flag(this.terminal);
    writer.flag(this.#ready);
    writer.flag(this.#open);
    for (const news of NEWS) writer.flag(this.#news.has(news));
    writer.optional(this.#size, ({ columns, rows }) => {
      writer.u16(columns);
      writer.u16(rows);
    });
    writer.block(this.input.toBytes());
  }

  loadState(reader: StateReader): () => void {
    reader.match(reader.flag(), this.terminal, 'terminal');
    const ready = reader.flag();
    const open = reader.flag();
    const news = NEWS.filter(() => reader.flag());
    const size = reader.optional(() => ({ columns: reader.u16(), rows: reader.u16() }));
    if (size) reader.check(size.columns > 0 && size.rows > 0, 'a terminal without characters');
    const input = reader.block();
    return () => {
      this.#ready = ready;
      this.#open = open;
      this.#news.clear();
      for (const each of news) this.#news.add(each);
      this.#size = size;
      this.input.clear();
      this.input.push(input);
    };
  }

  // ---- what the driver is told --------------------------------------------------------------------------

  /** The next message to the driver, which stays the next until told(). */
  get message(): Uint8Array | undefined {
    switch (this.#next) {
      case 'add':
        return controlMessage(this.index, CONSOLE_DEVICE_ADD, 0);
      case 'console':
        return controlMessage(this.index, CONSOLE_CONSOLE_PORT, 1);
      case 'name':
        return controlMessage(this.index, CONSOLE_PORT_NAME, 1, new TextEncoder().encode(this.name));
      case 'open':
        return controlMessage(this.index, CONSOLE_PORT_OPEN, 1);
      case 'size':
        return this.#size && resizeMessage(this.index, this.#size);
      default:
        return undefined;
    }
  }

  told(): void {
    const next = this.#next;
    if (next !== undefined) this.#news.delete(next);
  }

  get #next(): News | undefined {
    return NEWS.find((news) => this.#news.has(news));
  }

  #tell(...all: News[]): void {
    for (const news of all) this.#news.add(news);
    this.#host.news();
  }
}
