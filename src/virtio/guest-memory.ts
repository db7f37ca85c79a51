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
  readonly #source: RamSource;

  constructor(source: RamSource) {
    this.#source = source;
  }

  /** The bytes at [address, address + length) themselves, no copy; undefined unless all of it is RAM. */
  view(address: number, length: number): Uint8Array | undefined {
    const { ram, base } = this.#source;
    const start = address - base;
    // An address beyond 2^53 has lost low bits, but is beyond RAM all the same.
    if (!(start >= 0 && length >= 0 && start + length <= ram.length)) return undefined;
    return ram.subarray(start, start + length);
  }

  /** To be called after bytes of a view were written, before the guest runs on: code decoded from them is stale. */
  noteWritten(view: Uint8Array, length: number): void {
    if (length > 0) this.#source.noteRamWritten(view.byteOffset - this.#source.ram.byteOffset, length);
  }
}
