// Guest RAM as devices reach it: every address and length that a guest gives is checked here.

/** Where guest RAM is, and who wants to know of writes to it. */
export interface RamSource {
  /** Guest RAM; its first byte is at physical address `base`. */
  readonly ram: Uint8Array;
  readonly base: number;
  /** The host wrote [offset, offset + length) of `ram`. */
  noteRamWritten(offset: number, length: number): void;
}

/** Checked access to guest RAM by physical address. */
export class GuestMemory {
  /** All of RAM, for rings: to be used with what offsetOf() gives. */
  readonly data: DataView;
  readonly #source: RamSource;

  constructor(source: RamSource) {
    this.#source = source;
    this.data = new DataView(source.ram.buffer, source.ram.byteOffset, source.ram.byteLength);
  }

  /** Where [address, address + length) lies in RAM; -1 unless all of it is there. */
  offsetOf(address: number, length: number): number {
    const { ram, base } = this.#source;
    const start = address - base;
    // An address beyond 2^53 has lost low bits, but is beyond RAM all the same.
    return start >= 0 && length >= 0 && start + length <= ram.length ? start : -1;
  }

  /** The bytes at [address, address + length) themselves, no copy; undefined unless all of it is RAM. */
  view(address: number, length: number): Uint8Array | undefined {
    const start = this.offsetOf(address, length);
    return start < 0 ? undefined : this.#source.ram.subarray(start, start + length);
  }

  /** [offset, offset + length) as offsetOf() gave it, or a part of that. */
  at(offset: number, length: number): Uint8Array {
    return this.#source.ram.subarray(offset, offset + length);
  }

  /** To be called after bytes at an offset were written, as below. */
  noteWrittenAt(offset: number, length: number): void {
    this.#source.noteRamWritten(offset, length);
  }

  /** To be called after bytes of a view were written, before the guest runs on: code decoded from them is stale. */
  noteWritten(view: Uint8Array, length: number): void {
    if (length > 0) this.#source.noteRamWritten(view.byteOffset - this.#source.ram.byteOffset, length);
  }
}
