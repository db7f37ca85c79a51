import { cancelled } from '../content-store.ts';
import { inputStream } from '../image-archive.ts';
import { ImageStoreError } from '../image-store-error.ts';
import { concat } from '../tar-writer.ts';

const FETCHED_MAX = 2 ** 30;

/**
 * Fetches what ADD names by its address.
 * @throws {ImageStoreError} network, invalid
 */
export async function addedUrl(
  url: string,
  signal: AbortSignal | undefined,
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    if (signal?.aborted) throw cancelled();
    throw new ImageStoreError('network', `ADD failed: Get "${url}": ${String(error)}`, { cause: error });
  });
  if (!response.ok) {
    throw new ImageStoreError('network', `ADD failed: ${url}: ${response.status} ${response.statusText}`);
  }
  const name = new URL(url).pathname.split('/').at(-1);
  if (!name) throw new ImageStoreError('invalid', `ADD failed: cannot determine filename for source ${url}`);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of inputStream(response.body ?? new Uint8Array())) {
    size += bytes.length;
    if (size > FETCHED_MAX) {
      throw new ImageStoreError('invalid', `ADD failed: ${url} is larger than ${FETCHED_MAX} bytes`);
    }
    parts.push(bytes);
  }
  return { name, bytes: concat(parts) };
}
