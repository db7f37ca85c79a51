import { type ContentStore, cancelled, type Lease } from '../content-store.ts';
import { ImageStoreError } from '../image-store-error.ts';
import type { Descriptor } from '../oci-manifest.ts';
import type { RegistryClient } from './registry-client.ts';

/** How often a transfer that brings nothing more is begun again, and the pause before that, in ms. */
const ATTEMPTS = 5;
const PAUSE_MS = 200;

export interface DownloadBlobOptions {
  signal?: AbortSignal;
  /** Called when the first byte is due, and as more arrive. */
  onBytes?: (done: number, total: number) => void;
  /** Called when all has come and is about to be checked. */
  onVerify?: () => void;
}

/**
 * Fetches a blob into the store, going on where this or an earlier transfer has broken off.
 * @returns false when it was there already
 * @throws {ImageStoreError} digest, network, full, cancelled and others
 */
export async function downloadBlob(
  store: ContentStore,
  lease: Lease,
  client: RegistryClient,
  descriptor: Descriptor,
  options: DownloadBlobOptions = {},
): Promise<boolean> {
  const { digest, size } = descriptor;
  await store.claim(lease, [digest]);
  if ((await store.size(digest)) === size) return false;
  try {
    await attempt(store, lease, client, descriptor, options);
  } catch (error) {
    // What an earlier attempt has left may be no good.
    const again = error instanceof ResumedWrongly;
    if (!again) throw error;
    await attempt(store, lease, client, descriptor, options);
  }
  return true;
}

/** A draft that was gone on with did not come out right. */
class ResumedWrongly extends Error {}

async function attempt(
  store: ContentStore,
  lease: Lease,
  client: RegistryClient,
  { digest, size }: Descriptor,
  options: DownloadBlobOptions,
): Promise<void> {
  const draft = await store.draft(lease, digest);
  const what = `blob ${digest}`;
  try {
    const hash = store.files.newHash();
    let done = draft.resumed;
    if (done > size) throw new ResumedWrongly();
    if (done > 0) for await (const bytes of draft.earlier()) hash.update(bytes);
    options.onBytes?.(done, size);
    for (let failures = 0; done < size; ) {
      const before = done;
      try {
        for await (const bytes of client.blob(digest, done)) {
          done += bytes.length;
          if (done > size) {
            throw new ImageStoreError('digest', `${what}: size mismatch: expected ${size}, got more`);
          }
          hash.update(bytes);
          await draft.write(bytes);
          options.onBytes?.(done, size);
        }
        if (done < size) throw new ImageStoreError('network', `${what}: unexpected EOF`);
      } catch (error) {
        if (!(error instanceof ImageStoreError) || error.code !== 'network') throw error;
        failures = done > before ? 1 : failures + 1;
        if (failures >= ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * failures));
        if (options.signal?.aborted) throw cancelled();
      }
    }
    options.onVerify?.();
    try {
      await store.finish(draft, `sha256:${hash.hex()}`, done, { lease, digest, size, what });
    } catch (error) {
      const isWrong = error instanceof ImageStoreError && error.code === 'digest';
      throw isWrong && draft.resumed > 0 ? new ResumedWrongly() : error;
    }
  } catch (error) {
    const canGoOn =
      error instanceof ImageStoreError && (error.code === 'network' || error.code === 'cancelled');
    await (canGoOn ? draft.keep() : draft.discard());
    throw error;
  }
}
