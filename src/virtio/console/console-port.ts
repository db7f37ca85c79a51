// One port of the console device: a terminal of the guest's.
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

export class ConsolePort {
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
  }

  /** Power-on: the terminal stays as it is, and so does what was typed before the guest could know of it. */
  reset(): void {
    if (this.#ready || this.#open) this.input.clear();
    this.#ready = false;
    this.#open = false;
    this.#news.clear();
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
