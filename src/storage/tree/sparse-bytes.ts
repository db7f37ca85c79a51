import type { ByteSource } from './byte-source.ts';
import { fail } from './file-system-error.ts';

/** Bytes of a chunk. Small files take less: the first chunk grows from SMALLEST by doubling. */
const CHUNK = 1 << 16;
const SMALLEST = 512;

/** Asked before memory is taken (positive) and told when it is given back (negative); throws ENOSPC. */
export type ChargeBytes = (bytes: number) => void;

/** The contents of a file in memory; ranges that were never written take none. */
export class SparseBytes implements ByteSource {
  private readonly chunks = new Map<number, Uint8Array>();
  private readonly charge: ChargeBytes;
  private length = 0;
  private held = 0;

  constructor(charge: ChargeBytes) {
    this.charge = charge;
  }

  get size(): number {
    return this.length;
  }

  /** Bytes of memory taken. */
  get allocated(): number {
    return this.held;
  }

  read(offset: number, targets: readonly Uint8Array[]): number {
    let at = offset;
    for (const target of targets) {
      let done = 0;
      while (done < target.length && at < this.length) {
        const within = at % CHUNK;
        const count = Math.min(target.length - done, CHUNK - within, this.length - at);
        const chunk = this.chunks.get((at - within) / CHUNK);
        const present = chunk === undefined ? 0 : Math.max(0, Math.min(count, chunk.length - within));
        if (present > 0) target.set(chunk!.subarray(within, within + present), done);
        if (present < count) target.fill(0, done + present, done + count);
        done += count;
        at += count;
      }
      if (at >= this.length) break;
    }
    return Math.max(0, at - offset);
  }

  /** Writes `bytes` at `offset`; the file grows as needed. */
  write(offset: number, bytes: Uint8Array): void {
    let at = offset;
    let done = 0;
    while (done < bytes.length) {
      const within = at % CHUNK;
      const count = Math.min(bytes.length - done, CHUNK - within);
      this.reserve((at - within) / CHUNK, within + count).set(bytes.subarray(done, done + count), within);
      done += count;
      at += count;
      if (at > this.length) this.length = at;
    }
  }

  /** Cuts off, or grows by a hole. */
  resize(size: number): void {
    if (size < this.length) this.clear(size, this.length - size);
    this.length = size;
  }

  /** Takes memory for a range, so that writing to it cannot fail; the size stays. */
  allocate(offset: number, length: number): void {
    const end = offset + length;
    let added = 0;
    for (let at = offset - (offset % CHUNK); at < end; at += CHUNK) {
      if (!this.chunks.has(at / CHUNK)) added += CHUNK;
    }
    // All or nothing: ask for everything first.
    this.charge(added);
    this.charge(-added);
    for (let at = offset - (offset % CHUNK); at < end; at += CHUNK) this.reserve(at / CHUNK, CHUNK);
  }

  /** Makes a range read as zeroes and gives back the chunks that lie in it as a whole. */
  clear(offset: number, length: number): void {
    const end = offset + length;
    const first = Math.floor(offset / CHUNK);
    const last = Math.ceil(end / CHUNK);
    // A range may span far more chunks than there are.
    const touched =
      last - first <= this.chunks.size
        ? Array.from({ length: last - first }, (_, index) => first + index)
        : [...this.chunks.keys()].filter((index) => index >= first && index < last);
    for (const index of touched) {
      const chunk = this.chunks.get(index);
      if (chunk === undefined) continue;
      const start = Math.max(0, offset - index * CHUNK);
      const stop = end - index * CHUNK;
      if (start === 0 && stop >= chunk.length) {
        this.chunks.delete(index);
        this.held -= chunk.length;
        this.charge(-chunk.length);
      } else {
        chunk.fill(0, Math.min(start, chunk.length), Math.min(stop, chunk.length));
      }
    }
  }

  /** Where data or a hole begins at or after `offset`; undefined where no data follows. */
  seek(offset: number, what: 'data' | 'hole'): number | undefined {
    let index = Math.floor(offset / CHUNK);
    if (what === 'hole') {
      while (this.chunks.has(index)) index++;
      return Math.min(this.length, Math.max(offset, index * CHUNK));
    }
    if (this.chunks.has(index)) return offset;
    let next = Infinity;
    for (const present of this.chunks.keys()) if (present >= index && present < next) next = present;
    return next * CHUNK < this.length ? next * CHUNK : undefined;
  }

  /** A chunk with at least `needed` bytes. */
  private reserve(index: number, needed: number): Uint8Array {
    const old = this.chunks.get(index);
    if (old !== undefined && old.length >= needed) return old;
    let size = CHUNK;
    if (index === 0) {
      size = old?.length ?? SMALLEST;
      while (size < needed) size *= 2;
    }
    const added = size - (old?.length ?? 0);
    this.charge(added);
    let chunk: Uint8Array;
    try {
      chunk = new Uint8Array(size);
    } catch {
      this.charge(-added);
      return fail('ENOSPC', 'the host has no memory left');
    }
    if (old !== undefined) chunk.set(old);
    this.held += added;
    this.chunks.set(index, chunk);
    return chunk;
  }
}
