import { gather, lengthOf } from './byte-source.ts';

const CHUNK = 1 << 16;

/** Changes to a Blob, in memory until they are written to where it came from. */
export class BlobEdit {
  private readonly base: Blob;
  private readonly chunks = new Map<number, Uint8Array<ArrayBuffer>>();
  /** Bytes of the base that still show: it is cut off where the file has been shorter. */
  private baseBytes: number;
  private length: number;

  constructor(base: Blob) {
    this.base = base;
    this.baseBytes = base.size;
    this.length = base.size;
  }

  get size(): number {
    return this.length;
  }

  /** Bytes of memory taken. */
  get held(): number {
    return this.chunks.size * CHUNK;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(this.length, offset + length);
    const whole = new Uint8Array(Math.max(0, end - offset));
    for (let at = offset; at < end; ) {
      const within = at % CHUNK;
      const count = Math.min(CHUNK - within, end - at);
      const chunk = this.chunks.get((at - within) / CHUNK) ?? (await this.fromBase(at - within));
      whole.set(chunk.subarray(within, within + count), at - offset);
      at += count;
    }
    return whole;
  }

  async write(offset: number, sources: readonly Uint8Array[]): Promise<void> {
    const bytes = sources.length === 1 ? sources[0]! : gather(sources);
    for (let done = 0; done < lengthOf(sources); ) {
      const at = offset + done;
      const within = at % CHUNK;
      const index = (at - within) / CHUNK;
      const part = bytes.subarray(done, done + CHUNK - within);
      const chunk = this.chunks.get(index) ?? (await this.fromBase(at - within));
      chunk.set(part, within);
      this.chunks.set(index, chunk);
      done += part.length;
      this.length = Math.max(this.length, at + part.length);
    }
  }

  resize(size: number): void {
    if (size < this.length) {
      this.baseBytes = Math.min(this.baseBytes, size);
      for (const [index, chunk] of this.chunks) {
        const start = index * CHUNK;
        if (start >= size) this.chunks.delete(index);
        else if (start + CHUNK > size) chunk.fill(0, size - start);
      }
    }
    this.length = size;
  }

  /** Writes what has changed to a stream that began with the base's contents. */
  async writeTo(stream: FileSystemWritableFileStream): Promise<void> {
    // What was cut off and grown again reads as zeroes.
    if (this.baseBytes < this.base.size) await stream.truncate(this.baseBytes);
    await stream.truncate(this.length);
    for (const [index, chunk] of this.chunks) {
      const position = index * CHUNK;
      const data = chunk.subarray(0, Math.min(CHUNK, this.length - position));
      await stream.write({ type: 'write', position, data });
    }
  }

  private async fromBase(start: number): Promise<Uint8Array<ArrayBuffer>> {
    const chunk = new Uint8Array(CHUNK);
    const end = Math.min(this.baseBytes, start + CHUNK);
    if (start < end) chunk.set(new Uint8Array(await this.base.slice(start, end).arrayBuffer()));
    return chunk;
  }
}
