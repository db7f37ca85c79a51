// gzip as browsers and Node have it natively, for whole pieces in memory; asynchronous, unlike ../gzip.ts.
import { HtvmError } from './htvm-error.ts';

export async function gzipNative(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * Unpacks a piece that must give exactly `length` bytes; no more than that is ever held.
 * @throws {HtvmError} damaged
 */
export async function gunzipNative(bytes: Uint8Array, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const result = new Uint8Array(length);
  const stream = new DecompressionStream('gzip');
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes as Uint8Array<ArrayBuffer>).then(() => writer.close());
  written.catch(() => {});
  const reader = stream.readable.getReader();
  let at = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (at + value.length > length) throw new RangeError(`more than ${length} bytes`);
      result.set(value, at);
      at += value.length;
    }
    await written;
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw new HtvmError(
      'damaged',
      `gzipped contents are damaged: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
  if (at !== length) throw new HtvmError('damaged', `gzipped contents give ${at} bytes instead of ${length}`);
  return result;
}
