// Unpacking gzip (RFC 1952), the same in browser and Node: synchronous, and piece by piece into a sink, so that no
// whole unpacked copy has to exist.
import { crc32 } from './crc32.ts';
import { type ByteSink, InflateError, Inflater } from './inflate.ts';

/** Deflate packs at most 1,032 bytes into one. */
const BEST_RATIO = 1032;

// Section 2.3: offsets and flags of a member's header, bytes of its trailer (CRC32, ISIZE).
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const METHOD = 2;
const METHOD_DEFLATE = 8;
const FLAGS = 3;
const FLAG_HEADER_CRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;
const FLAGS_RESERVED = 0xe0;

/** It is gzipped, but damaged, cut off or more than one member. */
export class GzipError extends Error {
  override readonly name = 'GzipError';
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** What the trailer says the unpacked size is (ISIZE), as far as that can be; unpacking confirms it. */
export function unpackedSize(packed: Uint8Array): number {
  if (packed.length < HEADER_BYTES + TRAILER_BYTES) return 0;
  return Math.min(viewOf(packed).getUint32(packed.length - 4, true), packed.length * BEST_RATIO);
}

/**
 * Unpacks one gzip member into a sink, and checks its length and checksum.
 * @returns bytes unpacked; undefined when the sink had enough before the end
 * @throws {GzipError} when it is damaged or cut off, if only after the sink has taken bytes of it
 */
export function gunzipInto(packed: Uint8Array, sink: ByteSink): number | undefined {
  const size = unpackedSize(packed);
  let length = 0;
  let crc = 0;
  try {
    const end = new Inflater(packed, headerEnd(packed), (bytes) => {
      length += bytes.length;
      if (length > size) throw new InflateError('longer than it says');
      crc = crc32(bytes, crc);
      return sink(bytes);
    }).run();
    if (end === undefined) return undefined;
    if (end + TRAILER_BYTES !== packed.length) throw new InflateError('followed by something else');
    if (viewOf(packed).getUint32(end, true) !== crc) throw new InflateError('not what was packed (checksum)');
    if (length !== size) throw new InflateError('shorter than it says');
    return length;
  } catch (error) {
    throw error instanceof InflateError ? new GzipError(`gzipped data are damaged: ${error.message}`) : error;
  }
}

/**
 * Unpacks one gzip member into a buffer that holds nothing else.
 * @throws {RangeError} beyond `limit` bytes; {GzipError} when it is damaged or cut off
 */
export function gunzip(packed: Uint8Array, limit: number): Uint8Array<ArrayBuffer> {
  const size = unpackedSize(packed);
  if (size > limit) throw new RangeError(`it unpacks to more than ${limit} bytes`);
  const whole = new Uint8Array(size);
  let length = 0;
  gunzipInto(packed, (bytes) => {
    whole.set(bytes, length);
    length += bytes.length;
  });
  return whole;
}

/** The first `limit` bytes of what is packed, or all of it when that is less. Throws GzipError. */
export function gunzipStart(packed: Uint8Array, limit: number): Uint8Array<ArrayBuffer> {
  const start = new Uint8Array(Math.min(limit, unpackedSize(packed)));
  let length = 0;
  gunzipInto(packed, (bytes) => {
    start.set(bytes.subarray(0, start.length - length), length);
    length = Math.min(start.length, length + bytes.length);
    return length < limit;
  });
  return start;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Offset of the deflated data. */
function headerEnd(packed: Uint8Array): number {
  const flags = packed[FLAGS] ?? 0;
  if (!isGzip(packed) || packed[METHOD] !== METHOD_DEFLATE || flags & FLAGS_RESERVED) {
    throw new InflateError('no gzip header');
  }
  let at = HEADER_BYTES;
  if (flags & FLAG_EXTRA) at += 2 + ((packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8));
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if ((flags & flag) === 0) continue;
    const zero = packed.indexOf(0, at);
    if (zero < 0) throw new InflateError('cut off');
    at = zero + 1;
  }
  if (flags & FLAG_HEADER_CRC) at += 2;
  if (at + TRAILER_BYTES > packed.length) throw new InflateError('cut off');
  return at;
}
