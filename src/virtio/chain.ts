// One request of a driver: a descriptor chain as bytes of guest RAM.

/** Takes a chain back when the device has finished with it. */
export interface ChainOwner {
  /** False once the queue has been reset: the chain's memory is no longer the device's. */
  owns(chain: Chain): boolean;
  finish(chain: Chain, written: number): boolean;
}

/**
 * A descriptor chain (Virtio 1.2, section 2.7.5): first what the device reads, then what it writes. How the driver
 * cut either into segments means nothing (section 2.7.4).
 *
 * The segments are guest RAM itself. A device that finishes a chain later must not touch them once `current` is
 * false: the queue was reset meanwhile, and the memory belongs to somebody else.
 */
export class Chain {
  /** Index of the first descriptor: the chain's name in the used ring. */
  readonly head: number;
  readonly readable: readonly Uint8Array[];
  readonly writable: readonly Uint8Array[];
  readonly readableBytes: number;
  readonly writableBytes: number;
  /** Which life of the queue it is from. */
  readonly epoch: number;
  finished = false;
  readonly #owner: ChainOwner;

  constructor(
    owner: ChainOwner,
    epoch: number,
    head: number,
    readable: readonly Uint8Array[],
    writable: readonly Uint8Array[],
  ) {
    this.#owner = owner;
    this.epoch = epoch;
    this.head = head;
    this.readable = readable;
    this.writable = writable;
    this.readableBytes = totalBytes(readable);
    this.writableBytes = totalBytes(writable);
  }

  /** True while the chain's memory is the device's to read and write. */
  get current(): boolean {
    return !this.finished && this.#owner.owns(this);
  }

  /** Copies what the driver wrote, from byte `offset` of it, into `target`; returns how many bytes there were. */
  read(offset: number, target: Uint8Array): number {
    if (!this.current) return 0;
    let done = 0;
    forEachPart(this.readable, offset, target.length, (part) => {
      target.set(part, done);
      done += part.length;
    });
    return done;
  }

  /** Copies `bytes` to byte `offset` of what the driver reads back; returns how many had room. */
  write(offset: number, bytes: Uint8Array): number {
    if (!this.current) return 0;
    let done = 0;
    forEachPart(this.writable, offset, bytes.length, (part) => {
      part.set(bytes.subarray(done, done + part.length));
      done += part.length;
    });
    return done;
  }

  /** Bytes [offset, offset + length) of what the driver wrote, as parts of guest RAM; shorter when there is less. */
  readableParts(offset: number, length: number): Uint8Array[] {
    return collect(this.readable, offset, length);
  }

  /** Bytes [offset, offset + length) of what the driver reads back, as parts of guest RAM. */
  writableParts(offset: number, length: number): Uint8Array[] {
    return collect(this.writable, offset, length);
  }

  /**
   * Gives the chain back to the driver and interrupts it if it wants that.
   * @param written the first `written` bytes of the writable part are what the device wrote; it wrote nothing else
   * @returns false when nothing was done: the queue was reset since, or the chain was given back before
   */
  finish(written: number): boolean {
    return this.#owner.finish(this, written);
  }
}

function totalBytes(segments: readonly Uint8Array[]): number {
  let total = 0;
  for (const segment of segments) total += segment.length;
  return total;
}

function collect(segments: readonly Uint8Array[], offset: number, length: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  forEachPart(segments, offset, length, (part) => parts.push(part));
  return parts;
}

/** Calls `use` with the pieces of [offset, offset + length) of the segments put end to end. */
export function forEachPart(
  segments: readonly Uint8Array[],
  offset: number,
  length: number,
  use: (part: Uint8Array) => void,
): void {
  let skip = offset;
  let left = length;
  for (const segment of segments) {
    if (left <= 0) return;
    if (skip >= segment.length) {
      skip -= segment.length;
      continue;
    }
    const part = segment.subarray(skip, Math.min(segment.length, skip + left));
    skip = 0;
    left -= part.length;
    if (part.length > 0) use(part);
  }
}
