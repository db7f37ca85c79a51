// Bytes that can be read anywhere: in memory, in a Blob, or part of another source.

/** A row of bytes that does not change. */
export interface ByteSource {
  readonly size: number;
  /**
   * Reads from `offset`. An answer at once has filled `targets` in order and is the number of bytes, fewer only at
   * the end. An answer later brings bytes of its own.
   */
  read(offset: number, targets: readonly Uint8Array[]): number | Promise<Uint8Array>;
}

/** How many bytes `targets` take. */
export function lengthOf(targets: readonly Uint8Array[]): number {
  let length = 0;
  for (const target of targets) length += target.length;
  return length;
}

/** Copies as much of `bytes` as there is room for; answers how much. */
export function scatter(bytes: Uint8Array, targets: readonly Uint8Array[]): number {
  let done = 0;
  for (const target of targets) {
    const part = bytes.subarray(done, done + target.length);
    target.set(part);
    done += part.length;
    if (part.length < target.length) break;
  }
  return done;
}

/** All of `parts` as one array of its own. */
export function gather(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A source of the bytes of an array, which must not change. */
export class MemorySource implements ByteSource {
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, targets: readonly Uint8Array[]): number {
    return scatter(this.bytes.subarray(Math.min(offset, this.bytes.length)), targets);
  }
}

/** A source of the bytes of a Blob or File, which are read as they are needed. */
export class BlobSource implements ByteSource {
  private readonly blob: Blob;

  constructor(blob: Blob) {
    this.blob = blob;
  }

  get size(): number {
    return this.blob.size;
  }

  async read(offset: number, targets: readonly Uint8Array[]): Promise<Uint8Array> {
    const end = Math.min(this.blob.size, offset + lengthOf(targets));
    return new Uint8Array(await this.blob.slice(Math.min(offset, end), end).arrayBuffer());
  }
}

/** Part of another source. Its bounds were checked to lie inside. */
export class SourceSlice implements ByteSource {
  readonly size: number;
  private readonly source: ByteSource;
  private readonly start: number;

  constructor(source: ByteSource, start: number, size: number) {
    this.source = source;
    this.start = start;
    this.size = size;
  }

  read(offset: number, targets: readonly Uint8Array[]): number | Promise<Uint8Array> {
    let room = Math.max(0, this.size - offset);
    const clipped: Uint8Array[] = [];
    for (const target of targets) {
      if (room === 0) break;
      const part = target.length <= room ? target : target.subarray(0, room);
      clipped.push(part);
      room -= part.length;
    }
    if (clipped.length === 0) return 0;
    return this.source.read(this.start + offset, clipped);
  }
}

/** `length` bytes from `offset`, in an array of their own; fewer at the end of the source. */
export function readBytes(
  source: ByteSource,
  offset: number,
  length: number,
): Uint8Array | Promise<Uint8Array> {
  const size = Math.max(0, Math.min(length, source.size - offset));
  const bytes = new Uint8Array(size);
  const answer = source.read(offset, [bytes]);
  return typeof answer === 'number' ? bytes.subarray(0, answer) : answer;
}
