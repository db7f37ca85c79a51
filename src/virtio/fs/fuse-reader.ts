import { type ByteString, byteString, NAME_MAX } from '../../storage/tree/byte-name.ts';
import { fail } from '../../storage/tree/file-system-error.ts';
import { IN_HEADER, LARGEST_ARGUMENTS } from './fuse-protocol.ts';

const SCRATCH = IN_HEADER + LARGEST_ARGUMENTS;

/** A request as its sender laid it out in memory, read with every bound checked. One is used for all requests. */
export class FuseReader {
  /** Bytes of the request. */
  length = 0;
  private segments: readonly Uint8Array[] = [];
  /** The first bytes in one piece: header and arguments. */
  private readonly scratch = new Uint8Array(SCRATCH);
  private readonly view = new DataView(this.scratch.buffer);

  /** Takes on a new request; false when it is too short to have a header, or its header has another length. */
  open(segments: readonly Uint8Array[]): boolean {
    this.segments = segments;
    this.length = 0;
    let filled = 0;
    for (const segment of segments) {
      if (filled < SCRATCH) {
        const part = segment.length <= SCRATCH - filled ? segment : segment.subarray(0, SCRATCH - filled);
        this.scratch.set(part, filled);
        filled += part.length;
      }
      this.length += segment.length;
    }
    if (filled < SCRATCH) this.scratch.fill(0, filled);
    return this.length >= IN_HEADER && this.view.getUint32(0, true) === this.length;
  }

  /** Stops with EINVAL unless there are `bytes` of arguments behind the header. */
  need(bytes: number): void {
    if (this.length < IN_HEADER + bytes) fail('EINVAL', 'the request is shorter than its arguments');
  }

  get opcode(): number {
    return this.view.getUint32(4, true);
  }
  /** The request's number as it came, to be sent back. */
  get unique(): bigint {
    return this.view.getBigUint64(8, true);
  }
  get node(): number {
    return this.wide(16);
  }
  get uid(): number {
    return this.view.getUint32(24, true);
  }
  get gid(): number {
    return this.view.getUint32(28, true);
  }

  /** An argument of 32 bits; `at` counts from the end of the header. */
  u32(at: number): number {
    return this.view.getUint32(IN_HEADER + at, true);
  }
  /** An argument of 64 bits. EINVAL beyond 2^53: no offset, length or node of ours is that large. */
  u64(at: number): number {
    const value = this.wide(IN_HEADER + at);
    return value <= Number.MAX_SAFE_INTEGER ? value : fail('EINVAL', 'a number in the request is too large');
  }
  /** An argument of 64 bits, whatever it is. */
  bits64(at: number): bigint {
    return this.view.getBigUint64(IN_HEADER + at, true);
  }

  /** The NUL-terminated string at an offset in the arguments, at most `limit` bytes. */
  text(at: number, limit: number): ByteString {
    const bytes = this.bytes(at, Math.min(limit + 1, this.length - IN_HEADER - at));
    const end = bytes.indexOf(0);
    if (end < 0) return fail(bytes.length > limit ? 'ENAMETOOLONG' : 'EINVAL', 'a string has no end');
    return byteString(bytes.subarray(0, end));
  }

  /** The name of a directory entry. */
  name(at: number): ByteString {
    const name = this.text(at, NAME_MAX);
    if (name === '' || name === '.' || name === '..' || name.includes('/')) return fail('EINVAL', 'no name');
    return name;
  }

  /** Bytes of the arguments in one piece. EINVAL when they are not all there. */
  bytes(at: number, length: number): Uint8Array {
    const start = IN_HEADER + at;
    if (length < 0 || start + length > this.length) fail('EINVAL', 'the request is shorter than it says');
    if (start + length <= SCRATCH) return this.scratch.subarray(start, start + length);
    const parts = this.pieces(at, length);
    if (parts.length === 1) return parts[0]!;
    const whole = new Uint8Array(length);
    let done = 0;
    for (const part of parts) {
      whole.set(part, done);
      done += part.length;
    }
    return whole;
  }

  /** The same where they lie. */
  pieces(at: number, length: number): Uint8Array[] {
    if (length < 0 || IN_HEADER + at + length > this.length)
      fail('EINVAL', 'the request is shorter than it says');
    return cut(this.segments, IN_HEADER + at, length);
  }

  private wide(at: number): number {
    return this.view.getUint32(at + 4, true) * 2 ** 32 + this.view.getUint32(at, true);
  }
}

/** The part [start, start + length) of a row of segments, without copying. */
export function cut(segments: readonly Uint8Array[], start: number, length: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let skip = start;
  let left = length;
  for (const segment of segments) {
    if (left === 0) break;
    if (skip >= segment.length) {
      skip -= segment.length;
      continue;
    }
    const count = Math.min(left, segment.length - skip);
    parts.push(count === segment.length ? segment : segment.subarray(skip, skip + count));
    skip = 0;
    left -= count;
  }
  return parts;
}
