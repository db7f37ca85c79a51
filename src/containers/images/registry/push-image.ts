import { readBytes } from '../../../storage/tree/byte-source.ts';
import { type ContentStore, cancelled, type ImageRecord } from '../content-store.ts';
import { ImageCatalogue } from '../image-catalogue.ts';
import { ImageStoreError } from '../image-store-error.ts';
import { formatReference, parseReference, repositoryOf, shortId } from '../reference.ts';
import type { Digest, RegistryTaskOptions } from '../types.ts';
import { inParallel } from './in-parallel.ts';
import { RegistryClient } from './registry-client.ts';
import { type RegistrySettings, type Repository, repositoryFor } from './registry-settings.ts';

const PARALLEL = 3;
const CHUNK_BYTES = 8 * 1024 ** 2;
const ATTEMPTS = 5;
const PAUSE_MS = 200;

/**
 * Sends an image to its registry as it is in the store, so that it keeps its digest.
 * @returns digest of its manifest
 * @throws {ImageStoreError}
 */
export async function pushImage(
  store: ContentStore,
  name: string,
  settings: RegistrySettings,
  options: RegistryTaskOptions = {},
): Promise<Digest> {
  const reference = parseReference(name);
  if (reference.digest !== undefined) {
    throw new ImageStoreError('invalid', 'cannot push a digest reference');
  }
  const formatted = formatReference(reference);
  const names = await store.names();
  const manifest = names.find((other) => other.name === formatted)?.manifest;
  const record = manifest === undefined ? undefined : await store.image(manifest);
  if (record === undefined) {
    throw new ImageStoreError(
      'not-found',
      `An image does not exist locally with the tag: ${repositoryOf(reference)}`,
    );
  }
  const repository = repositoryFor(reference, settings);
  const { credentials, signal } = options;
  const connect = () => new RegistryClient(repository, settings, { action: 'push', credentials, signal });
  const client = connect();
  options.onProgress?.({ status: `The push refers to repository [${repository.name}]` });
  const blobs = blobsToSend(record);
  for (const { digest } of blobs)
    options.onProgress?.({ status: 'Preparing', id: shortId(digest), progressDetail: {} });
  const mounts = await mountSources(store, repository, settings);
  // The first request brings the token that the others use.
  let authorized: Promise<unknown> | undefined;
  await inParallel(blobs, settings.parallel ?? PARALLEL, async ({ digest, size }) => {
    const tell = (status: string, current?: number) =>
      options.onProgress?.({
        status,
        id: shortId(digest),
        progressDetail: current === undefined ? {} : { current, total: size },
      });
    authorized ??= client.hasBlob(digest);
    await authorized;
    if (await client.hasBlob(digest)) {
      tell('Layer already exists');
      return;
    }
    const from = mounts.get(digest);
    // Rights to mount are asked for with a client of its own: a token is for what it was asked for.
    const sender = from === undefined ? client : connect();
    const location = await sender.startUpload(from === undefined ? undefined : { digest, from });
    if (location === undefined) {
      tell(`Mounted from ${from}`);
      return;
    }
    await sendBlob(store, sender, location, { digest, size }, settings, signal, (done) =>
      tell('Pushing', done),
    );
    tell('Pushed');
  });
  const bytes = await store.document(record.manifest);
  await client.putManifest(reference.tag ?? 'latest', record.mediaType, bytes);
  await store.putName(`${repositoryOf(reference)}@${record.manifest}`, record.manifest);
  options.onProgress?.({ status: `${reference.tag}: digest: ${record.manifest} size: ${bytes.length}` });
  return record.manifest;
}

function blobsToSend(record: ImageRecord): { digest: Digest; size: number | undefined }[] {
  const layers = record.layers.map(({ digest, size }) => ({ digest, size: size as number | undefined }));
  const blobs = [...layers, { digest: record.config, size: undefined }];
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

/** Other repositories of the same registry that blobs came from or went to. */
async function mountSources(
  store: ContentStore,
  { host, path }: Repository,
  settings: RegistrySettings,
): Promise<Map<Digest, string>> {
  const sources = new Map<Digest, string>();
  const catalogue = await ImageCatalogue.read(store);
  for (const image of catalogue.images.values()) {
    for (const name of image.names.filter((other) => other.includes('@'))) {
      let other: Repository;
      try {
        other = repositoryFor(parseReference(name), settings);
      } catch {
        continue;
      }
      if (other.host !== host || other.path === path) continue;
      for (const layer of image.records.flatMap((record) => record.layers))
        sources.set(layer.digest, other.path);
    }
  }
  return sources;
}

/** Sends a blob in as many requests as it takes; after a break it goes on where the registry says. */
async function sendBlob(
  store: ContentStore,
  client: RegistryClient,
  start: string,
  blob: { digest: Digest; size: number | undefined },
  settings: RegistrySettings,
  signal: AbortSignal | undefined,
  onBytes: (done: number) => void,
): Promise<void> {
  const source = await store.open(blob.digest);
  const chunkBytes = settings.chunkBytes ?? CHUNK_BYTES;
  let location = start;
  let failures = 0;
  try {
    for (let done = 0; ; ) {
      onBytes(done);
      const bytes = Uint8Array.from(await readBytes(source, done, chunkBytes));
      const isLast = done + bytes.length >= source.size;
      try {
        if (isLast) {
          await client.finishUpload(location, blob.digest, bytes);
          onBytes(source.size);
          return;
        }
        location = await client.sendChunk(location, done, bytes);
        done += bytes.length;
        failures = 0;
      } catch (error) {
        if (!(error instanceof ImageStoreError) || error.code !== 'network' || ++failures >= ATTEMPTS)
          throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * failures));
        if (signal?.aborted) throw cancelled();
        // The end may have got there although its answer did not come back.
        if (isLast && (await client.hasBlob(blob.digest).catch(() => false))) return;
        const status = await client.uploadStatus(location).catch(() => undefined);
        if (status === undefined) {
          location = (await client.startUpload()) ?? location;
          done = 0;
        } else {
          ({ location } = status);
          done = Math.min(status.done, source.size);
        }
      }
    }
  } finally {
    source.close();
  }
}
