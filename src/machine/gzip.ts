// Unpacks gzipped kernels and disks before a machine is built; machines themselves are synchronous.
import { LoadError } from './errors.ts';

/** A damaged or hostile archive must not fill the host's memory. */
const LIMIT_BYTES = 1 << 30;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The bytes themselves, or what they unpack to when they are gzipped.
 * @throws LoadError when the archive is damaged or unpacks to more than 1 GiB
 */
export async function decompressIfGzip(bytes: Uint8Array, what = 'kernel'): Promise<Uint8Array> {
  if (!isGzip(bytes)) return bytes;
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
    const reader = source.pipeThrough(new DecompressionStream('gzip')).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > LIMIT_BYTES) {
        await reader.cancel();
        break;
      }
      chunks.push(value);
    }
  } catch {
    throw new LoadError(`${what}: the gzip data is damaged or cut off; get the file again`);
  }
  if (length > LIMIT_BYTES) throw new LoadError(`${what}: unpacks to more than 1 GiB; this is no kernel`);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
