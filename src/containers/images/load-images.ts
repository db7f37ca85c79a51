// Archives of images: OCI image layouts (image-layout.md), and what `docker save` has written at any time.
import type { ByteSource } from '../../storage/tree/byte-source.ts';
import type { ContentStore, Lease } from './content-store.ts';
import { type ArchiveFiles, bytesOfSource, readJson, readSmall } from './image-archive.ts';
import { ImageStoreError } from './image-store-error.ts';
import { installImage, makeImage } from './install-image.ts';
import { choosePlatform, type Descriptor, isOurs, type Manifest, parseManifest } from './oci-manifest.ts';
import { formatReference, hexOf, isDigest, parseReference } from './reference.ts';
import type { Digest, ImageTaskOptions } from './types.ts';
import { unpacked } from './unpack-layer.ts';

/** Names of an image in an index: the whole name, or what a layout's writer liked. */
const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];
const IMAGES_MAX = 1000;
const DEPTH_MAX = 4;

interface SavedImage {
  config: string;
  tags: string[];
  layers: string[];
}

interface LoadedImage {
  config: Digest;
  manifest: Digest;
  names: string[];
}

/**
 * Loads all images of an archive; those it has for another platform beside ours are left out.
 * @returns names, or ids of images that have none
 * @throws {ImageStoreError}
 */
export async function loadImages(
  store: ContentStore,
  lease: Lease,
  files: ArchiveFiles,
  options: ImageTaskOptions = {},
): Promise<string[]> {
  const saved = readSaved(await readJson(files, 'manifest.json'));
  const layout = (await readSmall(files, 'oci-layout')) && (await readSmall(files, 'index.json'));
  if (saved === undefined && layout === undefined) {
    throw new ImageStoreError('invalid', 'invalid archive: does not contain a manifest.json');
  }
  const loaded =
    layout === undefined
      ? await loadSaved(store, lease, files, saved!, options)
      : await loadLayout(store, lease, files, layout, saved ?? [], options);
  const words = new Set<string>();
  for (const { config, manifest, names } of loaded) {
    for (const name of names) {
      await store.putName(name, manifest);
      words.add(name);
      options.onProgress?.({ stream: `Loaded image: ${name}\n` });
    }
    if (names.length > 0) continue;
    words.add(config);
    options.onProgress?.({ stream: `Loaded image ID: ${config}\n` });
  }
  return [...words];
}

function readSaved(json: unknown): SavedImage[] | undefined {
  if (json === undefined) return undefined;
  const bad = () =>
    new ImageStoreError('invalid', 'invalid archive: manifest.json is not one of docker save');
  const isTexts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (!Array.isArray(json) || json.length > IMAGES_MAX) throw bad();
  return json.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) throw bad();
    const { Config, RepoTags, Layers } = entry as Record<string, unknown>;
    if (typeof Config !== 'string' || !isTexts(Layers) || !(RepoTags == null || isTexts(RepoTags)))
      throw bad();
    return { config: Config, tags: RepoTags ?? [], layers: Layers };
  });
}

/**
 * Names as they are used here. Some tools write out the registry that docker leaves out of the names of its official
 * images, which are those in the namespace library.
 */
const checkedNames = (names: readonly string[]) =>
  names.map((name) => {
    const reference = parseReference(name);
    const official = reference.domain === '' ? undefined : /^library\/([^/]+)$/.exec(reference.path)?.[1];
    return formatReference(official === undefined ? reference : { ...reference, domain: '', path: official });
  });

async function loadSaved(
  store: ContentStore,
  lease: Lease,
  files: ArchiveFiles,
  images: readonly SavedImage[],
  options: ImageTaskOptions,
): Promise<LoadedImage[]> {
  const loaded: LoadedImage[] = [];
  for (const image of images) {
    const names = checkedNames(image.tags);
    const config = await readSmall(files, image.config);
    if (config === undefined) throw missing(image.config);
    const layers: { digest: Digest; size: number }[] = [];
    for (const path of image.layers) {
      const source = await files.file(path);
      if (source === undefined) throw missing(path);
      const layer = { lease, what: `layer ${path}`, signal: options.signal };
      // As docker does: a saved layer is its archive, however it is packed.
      layers.push(await store.ingest(unpacked(store.files, bytesOfSource(source), path), layer));
    }
    const record = await makeImage(store, lease, config, layers, { signal: options.signal });
    loaded.push({ config: record.config, manifest: record.manifest, names });
  }
  return loaded;
}

async function loadLayout(
  store: ContentStore,
  lease: Lease,
  files: ArchiveFiles,
  bytes: Uint8Array,
  saved: readonly SavedImage[],
  options: ImageTaskOptions,
): Promise<LoadedImage[]> {
  const index = parseManifest(bytes, 'index.json');
  if (index.kind !== 'index') throw new ImageStoreError('invalid', 'invalid archive: index.json is no index');
  const ours = index.manifests.some(({ platform }) => platform !== undefined && isOurs(platform));
  const entries = index.manifests.filter(
    ({ platform }) => !ours || platform === undefined || isOurs(platform),
  );
  const loaded: LoadedImage[] = [];
  for (const entry of entries) {
    const { digest, manifest } = await findManifest(store, lease, files, entry);
    const blobs = [manifest.config, ...manifest.layers];
    await store.claim(
      lease,
      blobs.map((blob) => blob.digest),
    );
    for (const blob of blobs) await copyBlob(store, lease, files, blob, options.signal);
    const record = await installImage(store, lease, digest, manifest, { signal: options.signal });
    const tags = saved.find((image) => image.config === `blobs/sha256/${hexOf(record.config)}`)?.tags;
    loaded.push({
      config: record.config,
      manifest: digest,
      names: checkedNames(tags ?? annotatedName(entry)),
    });
  }
  return loaded;
}

/** A name from annotations; a bare tag is none, because nobody knows of what. */
function annotatedName(entry: Descriptor): string[] {
  for (const key of NAME_ANNOTATIONS) {
    const name = entry.annotations?.[key];
    if (name !== undefined && /[/:]/.test(name)) return [name];
  }
  return [];
}

async function findManifest(
  store: ContentStore,
  lease: Lease,
  files: ArchiveFiles,
  entry: Descriptor,
): Promise<{ digest: Digest; manifest: Manifest }> {
  let wanted = entry;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    await copyBlob(store, lease, files, wanted, undefined);
    const found = parseManifest(
      await store.document(wanted.digest),
      `manifest ${wanted.digest}`,
      wanted.mediaType,
    );
    if (found.kind === 'manifest') return { digest: wanted.digest, manifest: found };
    wanted = choosePlatform(found);
  }
  throw new ImageStoreError('invalid', `invalid archive: index ${entry.digest} leads to indexes only`);
}

/** Puts a blob of an archive into the store, checked. */
async function copyBlob(
  store: ContentStore,
  lease: Lease,
  files: ArchiveFiles,
  { digest, size }: Descriptor,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!isDigest(digest)) throw new ImageStoreError('invalid', `unsupported digest ${String(digest)}`);
  await store.claim(lease, [digest]);
  if ((await store.size(digest)) === size) return;
  const path = `blobs/sha256/${hexOf(digest)}`;
  const source: ByteSource | undefined = await files.file(path);
  if (source === undefined) throw missing(path);
  await store.ingest(bytesOfSource(source), { lease, digest, size, what: `blob ${digest}`, signal });
}

function missing(path: string): ImageStoreError {
  return new ImageStoreError('invalid', `invalid archive: ${path} is not in it`);
}
