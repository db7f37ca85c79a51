// How a part of the machine writes its state as bytes and reads it back. Everything is little-endian. What is read may
// come from anybody: each value is checked before anything is done with it.

/** A saved state that cannot be what it says; what it is the state of, the caller knows. */
export class StateFormatError extends Error {
  override readonly name = 'StateFormatError';
  /** `damaged`: no machine has such a state. `configuration`: a machine has, but not this one. */
  readonly fault: 'damaged' | 'configuration';

  constructor(fault: 'damaged' | 'configuration', message: string) {
    super(message);
    this.fault = fault;
  }
}

/** A part of the machine that has state of its own. */
export interface Stateful {
  /** Of the layout that saveState() writes; loadState() reads this one and all before it. */
  readonly stateVersion: number;
  /** Writes the state; changes nothing. */
  saveState(writer: StateWriter): void;
  /**
   * Reads and checks what saveState() wrote; changes nothing itself.
   * @returns what takes it over; it is called, if at all, after the part has been reset, and cannot fail
   * @throws StateFormatError
   */
  loadState(reader: StateReader): () => void;
}

const INITIAL_BYTES = 256;
const HIGH = 2 ** 32;

/** Bytes in the making. Integers must fit their width: a writer's fault is a RangeError. */
export class StateWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What has been written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  flag(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, checked(value, 0xff));
  }

  u16(value: number): void {
    const at = this.#take(2);
    this.#view.setUint16(at, checked(value, 0xffff), true);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, checked(value, 0xffff_ffff), true);
  }

  /** A whole number from 0 to 2^53 - 1, in 64 bits. */
  count(value: number): void {
    checked(value, Number.MAX_SAFE_INTEGER);
    const at = this.#take(8);
    this.#view.setUint32(at, value % HIGH, true);
    this.#view.setUint32(at + 4, Math.floor(value / HIGH), true);
  }

  /** The low 64 bits; negative numbers in two's complement. */
  u64(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, value), true);
  }

  f64(value: number): void {
    const at = this.#take(8);
    this.#view.setFloat64(at, value, true);
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Bytes behind their number. */
  block(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  text(value: string): void {
    this.block(new TextEncoder().encode(value));
  }

  /** Whether there is a value, and then what `write` makes of it. */
  optional<T>(value: T | undefined, write: (value: T) => void): void {
    this.flag(value !== undefined);
    if (value !== undefined) write(value);
  }

  /** How many there are, and then each. */
  list<T>(values: readonly T[], write: (value: T) => void): void {
    this.u32(values.length);
    for (const value of values) write(value);
  }

  #take(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    this.#length = end;
    return at;
  }
}

function checked(value: number, most: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new RangeError(`${value} in a saved state is no whole number from 0 to ${most}`);
}

/** Reads what a StateWriter wrote. Every method fails with a StateFormatError where the bytes cannot be. */
export class StateReader {
  /** Of the layout that the bytes are in. */
  readonly version: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array, version: number) {
    this.version = version;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** To be called when all has been read. */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) this.damaged(`${left} bytes too many`);
  }

  damaged(what: string): never {
    throw new StateFormatError('damaged', what);
  }

  /** Stops with `what` unless `good`. */
  check(good: boolean, what: string): void {
    if (!good) this.damaged(what);
  }

  /** Stops unless this machine has what the saved one had. */
  match<T extends number | string | boolean>(saved: T, own: T, what: string): void {
    if (saved === own) return;
    throw new StateFormatError('configuration', `saved with ${what} ${saved}, but this machine has ${own}`);
  }

  flag(): boolean {
    return this.u8(1) === 1;
  }

  /** @param most the largest value that there can be */
  u8(most = 0xff): number {
    return this.#most(this.#view.getUint8(this.#take(1)), most);
  }

  u16(most = 0xffff): number {
    return this.#most(this.#view.getUint16(this.#take(2), true), most);
  }

  u32(most = 0xffff_ffff): number {
    return this.#most(this.#view.getUint32(this.#take(4), true), most);
  }

  count(most = Number.MAX_SAFE_INTEGER): number {
    const at = this.#take(8);
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * HIGH;
    return this.#most(value, most);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  /** A number that is finite and not negative. */
  f64(): number {
    const value = this.#view.getFloat64(this.#take(8), true);
    return value >= 0 && value < Infinity ? value : this.damaged(`${value} where a number should be`);
  }

  /** A copy. */
  raw(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  block(most = 0xffff_ffff): Uint8Array<ArrayBuffer> {
    return this.raw(this.u32(most));
  }

  text(most = 0x1_0000): string {
    return new TextDecoder().decode(this.block(most));
  }

  optional<T>(read: () => T): T | undefined {
    return this.flag() ? read() : undefined;
  }

  /** @param most items; each takes a byte at least, so that a count alone makes nobody allocate */
  list<T>(most: number, read: (index: number) => T): T[] {
    const length = this.u32(most);
    this.check(length <= this.#bytes.length - this.#at, `${length} items in fewer bytes`);
    return Array.from({ length }, (_, index) => read(index));
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) this.damaged(`cut off after ${this.#bytes.length} bytes`);
    this.#at = at + count;
    return at;
  }

  #most(value: number, most: number): number {
    return value <= most ? value : this.damaged(`${value} is more than ${most}`);
  }
}

/** The bytes of a part's state. */
export function saveBytes(part: Pick<Stateful, 'saveState'>): Uint8Array<ArrayBuffer> {
  const writer = new StateWriter();
  part.saveState(writer);
  return writer.finish();
}

/** Reads a part's state to its end; what comes back takes it over. @throws StateFormatError */
export function loadBytes(part: Stateful, bytes: Uint8Array, version = part.stateVersion): () => void {
  const reader = new StateReader(bytes, version);
  const takeOver = part.loadState(reader);
  reader.end();
  return takeOver;
}
