import type { ContentStore, Lease } from '../content-store.ts';
import { wrongDigest } from '../content-store.ts';
import { ImageStoreError } from '../image-store-error.ts';
import { installImage } from '../install-image.ts';
import {
  choosePlatform,
  type Descriptor,
  isOurs,
  type Manifest,
  type ManifestIndex,
  parseConfig,
  parseManifest,
} from '../oci-manifest.ts';
import { formatReference, isDigest, parseReference, repositoryOf, shortId } from '../reference.ts';
import { type Digest, PLATFORM, type RegistryTaskOptions } from '../types.ts';
import { downloadBlob } from './download-blob.ts';
import { inParallel } from './in-parallel.ts';
import { RegistryClient } from './registry-client.ts';
import { type RegistrySettings, repositoryFor } from './registry-settings.ts';

/** Layers fetched at once where nothing else is asked for, as docker does. */
const PARALLEL = 3;

/**
 * Fetches an image for linux/riscv64 and gives it its name.
 * @returns its id
 * @throws {ImageStoreError}
 */
export async function pullImage(
  store: ContentStore,
  lease: Lease,
  name: string,
  settings: RegistrySettings,
  options: RegistryTaskOptions = {},
): Promise<Digest> {
  const reference = parseReference(name);
  const repository = repositoryFor(reference, settings);
  const { credentials, signal } = options;
  const client = new RegistryClient(repository, settings, { action: 'pull', credentials, signal });
  const formatted = formatReference(reference);
  const tell = (status: string, id?: string, progressDetail?: { current?: number; total?: number }) =>
    options.onProgress?.({
      status,
      ...(id !== undefined && { id }),
      ...(progressDetail && { progressDetail }),
    });
  const tag = reference.digest ?? reference.tag ?? 'latest';
  tell(`Pulling from ${repository.path}`, tag);

  const first = await fetchManifest(store, client, tag, formatted);
  const chosen = first.parsed.kind === 'index' ? choosePlatform(first.parsed) : undefined;
  const { digest, bytes, parsed } =
    chosen === undefined ? first : await fetchManifest(store, client, chosen.digest, formatted);
  if (parsed.kind === 'index') {
    throw new ImageStoreError('invalid', `manifest ${digest} of ${formatted} is an index within an index`);
  }
  await store.claim(lease, [digest, parsed.config.digest, ...parsed.layers.map((layer) => layer.digest)]);
  await store.put(lease, bytes);
  await downloadBlob(store, lease, client, parsed.config, { signal });
  await checkPlatform(store, parsed, formatted);

  const layers = [...new Map(parsed.layers.map((layer) => [layer.digest, layer])).values()];
  for (const layer of layers) tell('Pulling fs layer', shortId(layer.digest), {});
  const there = new Set<Digest>();
  await inParallel(layers, settings.parallel ?? PARALLEL, async (layer) => {
    if (!(await downloadLayer(store, lease, client, layer, tell, signal))) there.add(layer.digest);
  });
  let reported = 0;
  await installImage(store, lease, digest, parsed, {
    signal,
    onLayer: (layer, event) => {
      if (event.kind === 'done') {
        tell(there.has(layer) ? 'Already exists' : 'Pull complete', shortId(layer), {});
      } else if (event.done - reported > 1 << 20 || event.done < reported) {
        reported = event.done;
        tell('Extracting', shortId(layer), { current: event.done });
      }
    },
  });

  const before = (await store.names()).find((other) => other.name === formatted)?.manifest;
  await store.putName(`${repositoryOf(reference)}@${first.digest}`, digest);
  if (reference.digest === undefined) await store.putName(formatted, digest);
  tell(`Digest: ${first.digest}`);
  const isSame = before === digest;
  tell(`Status: ${isSame ? 'Image is up to date' : 'Downloaded newer image'} for ${formatted}`);
  return parsed.config.digest;
}

async function fetchManifest(
  store: ContentStore,
  client: RegistryClient,
  tagOrDigest: string,
  what: string,
): Promise<{ digest: Digest; bytes: Uint8Array<ArrayBuffer>; parsed: Manifest | ManifestIndex }> {
  const found = await client.manifest(tagOrDigest, what);
  const digest = store.digestOf(found.bytes);
  const wanted = isDigest(tagOrDigest) ? tagOrDigest : found.digest;
  if (isDigest(wanted) && wanted !== digest) throw wrongDigest(`manifest ${what}`, wanted, digest);
  return {
    digest,
    bytes: found.bytes,
    parsed: parseManifest(found.bytes, `manifest of ${what}`, found.mediaType),
  };
}

/** An image that is not in a list of platforms says only in its configuration what it is for. */
async function checkPlatform(store: ContentStore, manifest: Manifest, name: string): Promise<void> {
  const { digest } = manifest.config;
  const config = parseConfig(await store.document(digest), `configuration ${digest}`);
  if (config.architecture === '' || isOurs(config)) return;
  throw new ImageStoreError(
    'platform',
    `image with reference ${name} was found but does not match the specified platform: wanted ${PLATFORM.os}/${PLATFORM.architecture}, actual: ${config.os}/${config.architecture}`,
  );
}

async function downloadLayer(
  store: ContentStore,
  lease: Lease,
  client: RegistryClient,
  layer: Descriptor,
  tell: (status: string, id: string, detail: { current?: number; total?: number }) => void,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const id = shortId(layer.digest);
  const isNew = await downloadBlob(store, lease, client, layer, {
    signal,
    onBytes: (current, total) => tell('Downloading', id, { current, total }),
    onVerify: () => tell('Verifying Checksum', id, {}),
  });
  if (isNew) tell('Download complete', id, {});
  return isNew;
}
