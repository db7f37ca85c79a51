// A store that loses power: writes since the last flush reach it sector by sector, in any order, or not at all.
import type { BlockBackend } from '../../src/storage/block-backend.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';

export class PowerLoss extends Error {}

const SECTOR = 512;

export class CrashingStore implements BlockBackend {
  readonly bytes: number;
  readonly readonly = false;
  /** What is durable. */
  readonly #durable: MemoryBackend;
  /** What reads see. */
  readonly #seen: MemoryBackend;
  /** Sectors written since the last flush, in order, each with its contents. */
  #pending: [number, Uint8Array][] = [];
  #left: number;

  /** @param operations changes and flushes until the power fails */
  constructor(durable: MemoryBackend, seen: MemoryBackend, operations: number) {
    this.bytes = durable.bytes;
    this.#durable = durable;
    this.#seen = seen;
    this.#left = operations;
  }

  read(offset: number, target: Uint8Array): undefined {
    if (this.#left < 0) throw new PowerLoss('no power');
    this.#seen.read(offset, target);
  }

  write(offset: number, source: Uint8Array): undefined {
    const fails = --this.#left < 0;
    this.#seen.write(offset, source);
    const first = Math.floor(offset / SECTOR);
    const end = Math.ceil((offset + source.length) / SECTOR);
    for (let sector = first; sector < end; sector++) {
      const contents = new Uint8Array(SECTOR);
      this.#seen.read(sector * SECTOR, contents);
      this.#pending.push([sector, contents]);
    }
    if (fails) throw new PowerLoss('the power failed in a write');
  }

  writeZeroes(offset: number, length: number): undefined {
    this.write(offset, new Uint8Array(length));
  }

  discard(offset: number, length: number): undefined {
    // What was discarded may read as anything: make sure nobody counts on it.
    this.write(offset, new Uint8Array(length).fill(0xdd));
  }

  flush(): undefined {
    if (--this.#left < 0) throw new PowerLoss('the power failed in a flush');
    for (const [sector, contents] of this.#pending) this.#durable.write(sector * SECTOR, contents);
    this.#pending = [];
  }

  close(): undefined {}

  /** What the medium holds after the power failed; `keeps` says for each pending sector whether it got there. */
  after(keeps: () => boolean): MemoryBackend {
    for (const [sector, contents] of this.#pending) {
      if (keeps()) this.#durable.write(sector * SECTOR, contents);
    }
    return this.#durable;
  }
}

/** A copy of the parts of a memory drive that were ever written, by reading all of it below `end`. */
export function copyOf(backend: MemoryBackend, end: number): MemoryBackend {
  const copy = new MemoryBackend({ bytes: backend.bytes });
  const buffer = new Uint8Array(64 * 1024);
  const zeroes = new Uint8Array(buffer.length);
  for (let offset = 0; offset < end; offset += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, end - offset));
    backend.read(offset, part);
    if (Buffer.compare(part, zeroes.subarray(0, part.length)) !== 0) copy.write(offset, part);
  }
  return copy;
}
