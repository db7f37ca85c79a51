// Unpacking gzip (RFC 1952) in browser and Node.

/** Bytes given to the decompressor at a time. */
const PIECE = 1 << 16;
/** Deflate packs at most 1,032 bytes into one. */
const BEST_RATIO = 1032;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks one gzip member into a buffer that holds nothing else.
 * @throws {RangeError} beyond `limit` bytes; {TypeError} when it is damaged or cut off
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let offset = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (offset < bytes.length) controller.enqueue(bytes.subarray(offset, offset + PIECE));
      else controller.close();
      offset += PIECE;
    },
  });
  const reader = source.pipeThrough(new DecompressionStream('gzip')).getReader();
  // Written where it will stay: pieces kept until the end would be a second copy of a kernel.
  let whole = new Uint8Array(Math.min(limit, announcedSize(bytes)));
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (length + value.length > limit) {
      await reader.cancel();
      throw new RangeError(`it unpacks to more than ${limit} bytes`);
    }
    if (length + value.length > whole.length) {
      const larger = new Uint8Array(Math.min(limit, Math.max(2 * whole.length, length + value.length)));
      larger.set(whole.subarray(0, length));
      whole = larger;
    }
    whole.set(value, length);
    length += value.length;
  }
  return length === whole.length ? whole : whole.slice(0, length);
}

/** What the trailer says the size is (ISIZE, section 2.3.1), as far as that can be. */
function announcedSize(bytes: Uint8Array): number {
  if (bytes.length < 4) return 0;
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(
    bytes.length - 4,
    true,
  );
  return Math.min(size, bytes.length * BEST_RATIO);
}
