// From a manifest whose blobs are in the store to an image.
import type { ContentStore, ImageRecord, LayerRecord, Lease } from './content-store.ts';
import { ImageStoreError } from './image-store-error.ts';
import { type Manifest, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, parseConfig } from './oci-manifest.ts';
import type { Digest, ImageConfig } from './types.ts';
import { unpackLayer } from './unpack-layer.ts';

const encoder = new TextEncoder();

export interface InstallOptions {
  signal?: AbortSignal;
  limit?: number;
  parent?: Digest;
  /** Step of a build that makes it, to be found again by the next build. */
  build?: string;
  /** Called as layers are unpacked, the lowest first. */
  onLayer?: (digest: Digest, event: { kind: 'bytes'; done: number } | { kind: 'done' }) => void;
}

/**
 * Unpacks and checks the layers of a manifest and records the image.
 * @param lease has claimed the manifest, the configuration and the layers
 * @throws {ImageStoreError} invalid, digest, full, cancelled
 */
export async function installImage(
  store: ContentStore,
  lease: Lease,
  digest: Digest,
  manifest: Manifest,
  options: InstallOptions = {},
): Promise<ImageRecord> {
  const config = parseConfig(
    await store.document(manifest.config.digest),
    `configuration ${manifest.config.digest}`,
  );
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new ImageStoreError(
      'invalid',
      `manifest ${digest} has ${manifest.layers.length} layers, its configuration ${diffIds.length}`,
    );
  }
  const known = await knownLayers(store);
  const layers: LayerRecord[] = [];
  for (const [index, layer] of manifest.layers.entries()) {
    const diffId = diffIds[index]!;
    await store.claim(lease, [layer.digest, diffId]);
    const before = known.get(`${layer.digest} ${diffId}`);
    const isThere = before !== undefined && (await store.size(diffId)) === before.diffSize;
    const diffSize = isThere
      ? before.diffSize
      : await unpackLayer(
          store,
          lease,
          { digest: layer.digest, diffId },
          {
            signal: options.signal,
            limit: options.limit,
            onBytes: (done) => options.onLayer?.(layer.digest, { kind: 'bytes', done }),
          },
        );
    options.onLayer?.(layer.digest, { kind: 'done' });
    layers.push({ mediaType: layer.mediaType, digest: layer.digest, size: layer.size, diffId, diffSize });
  }
  const record: ImageRecord = {
    manifest: digest,
    mediaType: manifest.mediaType,
    config: manifest.config.digest,
    layers,
    ...(options.parent !== undefined && { parent: options.parent }),
    ...(options.build !== undefined && { build: options.build }),
    tagged: Date.now(),
  };
  await store.putImage(record);
  return record;
}

/** Layers of images that are there, which have been unpacked and checked. */
async function knownLayers(store: ContentStore): Promise<Map<string, LayerRecord>> {
  const layers = new Map<string, LayerRecord>();
  for (const image of await store.images()) {
    for (const layer of image.layers) layers.set(`${layer.digest} ${layer.diffId}`, layer);
  }
  return layers;
}

/**
 * Makes an image of a configuration (bytes stay as they are) and layers that are in the store: an OCI manifest with them as they are.
 * @throws {ImageStoreError}
 */
export async function makeImage(
  store: ContentStore,
  lease: Lease,
  config: ImageConfig | Uint8Array,
  layers: readonly { mediaType?: string; digest: Digest; size: number }[],
  options: InstallOptions = {},
): Promise<ImageRecord> {
  const configBytes = config instanceof Uint8Array ? config : encoder.encode(JSON.stringify(config));
  const configDigest = await store.put(lease, configBytes);
  const manifest: Manifest = {
    kind: 'manifest',
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: configDigest, size: configBytes.length },
    layers: layers.map(({ mediaType = OCI_LAYER, digest, size }) => ({ mediaType, digest, size })),
  };
  const { kind: _, ...document } = manifest;
  const digest = await store.put(lease, encoder.encode(JSON.stringify({ schemaVersion: 2, ...document })));
  return installImage(store, lease, digest, manifest, options);
}
