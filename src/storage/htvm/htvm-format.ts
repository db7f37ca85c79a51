// The outermost layer of an .htvm file, as docs/snapshots.md describes it: header, manifest, contents, end mark.
import { HtvmError } from './htvm-error.ts';

/** The newest format that this version reads: 2 has sections packed with LZ4, 1 has none. */
export const HTVM_VERSION = 2;
/** `HTVM` between bytes that a transfer as text or through seven bits would change. */
const MAGIC = Uint8Array.of(0x89, 0x48, 0x54, 0x56, 0x4d, 0x0d, 0x0a, 0x1a);
/** The last bytes of a whole file. */
export const END_MARK = new TextEncoder().encode('HTVM-END');
export const HEADER_BYTES = 64;
/** Far above what 3 GiB of RAM need. */
export const MANIFEST_LIMIT = 16 * 1024 ** 2;
const DIGEST_BYTES = 32;

/** The header's fields; all numbers are little-endian. */
export interface HtvmHeader {
  /** The oldest format that has all that is in it. */
  format: number;
  /** Bytes of the manifest, which follows the header. */
  manifestBytes: number;
  /** Bytes of the whole file. */
  fileBytes: number;
  /** SHA-256 of the manifest. */
  manifestDigest: Uint8Array;
}

export function encodeHeader({
  format,
  manifestBytes,
  fileBytes,
  manifestDigest,
}: HtvmHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, format, true);
  view.setUint32(12, manifestBytes, true);
  view.setBigUint64(16, BigInt(fileBytes), true);
  bytes.set(manifestDigest.subarray(0, DIGEST_BYTES), 24);
  return bytes;
}

/**
 * @param bytes the first HEADER_BYTES of the file, fewer when it has no more
 * @throws {HtvmError} format, version, truncated or damaged
 */
export function decodeHeader(bytes: Uint8Array, name: string): HtvmHeader {
  const known = Math.min(MAGIC.length, bytes.length);
  if (known === 0) throw new HtvmError('truncated', `${name} is empty; give a saved machine (.htvm)`);
  if (MAGIC.some((byte, index) => index < known && bytes[index] !== byte)) {
    throw new HtvmError('format', `${name} is no saved machine; give an .htvm file`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 12 && view.getUint32(8, true) > HTVM_VERSION) {
    throw new HtvmError(
      'version',
      `${name} has .htvm format ${view.getUint32(8, true)}, and this version of Hypertab reads up to ` +
        `${HTVM_VERSION}; use a newer one`,
    );
  }
  if (bytes.length < HEADER_BYTES) throw new HtvmError('truncated', `${name} is cut off in its header`);
  const version = view.getUint32(8, true);
  if (version < 1) throw new HtvmError('damaged', `${name} is damaged: it has .htvm format ${version}`);
  const manifestBytes = view.getUint32(12, true);
  const fileBytes = Number(view.getBigUint64(16, true));
  const least = HEADER_BYTES + manifestBytes + END_MARK.length;
  if (manifestBytes < 2 || manifestBytes > MANIFEST_LIMIT || !(fileBytes >= least)) {
    throw new HtvmError('damaged', `${name} is damaged: the lengths in its header cannot be`);
  }
  return { format: version, manifestBytes, fileBytes, manifestDigest: bytes.slice(24, 24 + DIGEST_BYTES) };
}

/**
 * SHA-256.
 * @throws {HtvmError} where the browser has none: pages over plain HTTP
 */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { subtle } = globalThis.crypto as { subtle?: SubtleCrypto };
  if (subtle === undefined) {
    throw new HtvmError(
      'format',
      'saved machines need SHA-256, which browsers give pages over HTTPS or localhost',
    );
  }
  return new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
