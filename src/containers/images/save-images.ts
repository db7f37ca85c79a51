// What `docker save` writes: one tar archive that is an OCI image layout and has the older manifest.json beside it.
import { blobsOf, type ContentStore, type ImageRecord } from './content-store.ts';
import { configOf, type ImageCatalogue } from './image-catalogue.ts';
import { OCI_INDEX } from './oci-manifest.ts';
import { hexOf, parseReference } from './reference.ts';
import { tarEnd, tarHeader, tarPad } from './tar-writer.ts';
import type { Digest } from './types.ts';

const encoder = new TextEncoder();

/**
 * Yields the archive; equal images give equal bytes.
 * @throws {ImageStoreError} not-found, at the first piece
 */
export async function* saveImages(
  store: ContentStore,
  catalogue: ImageCatalogue,
  names: readonly string[],
): AsyncGenerator<Uint8Array> {
  const chosen = new Map<ImageRecord, string[]>();
  for (const name of names) {
    const { image, reference } = catalogue.find(name);
    const record = image.records[0]!;
    const tags = chosen.get(record) ?? [];
    if (reference !== undefined && !reference.includes('@') && !tags.includes(reference))
      tags.push(reference);
    chosen.set(record, tags);
  }
  const manifests: unknown[] = [];
  const saved: unknown[] = [];
  const blobs = new Set<Digest>();
  for (const [record, tags] of chosen) {
    const size = (await store.document(record.manifest)).length;
    const { os, architecture } = await configOf(store, record.config);
    const common = {
      mediaType: record.mediaType,
      digest: record.manifest,
      size,
      platform: { os, architecture },
    };
    if (tags.length === 0) manifests.push(common);
    for (const tag of tags) {
      const annotations = {
        'io.containerd.image.name': tag,
        'org.opencontainers.image.ref.name': parseReference(tag).tag,
      };
      manifests.push({ ...common, annotations });
    }
    const path = (digest: Digest) => `blobs/sha256/${hexOf(digest)}`;
    saved.push({
      Config: path(record.config),
      RepoTags: tags.length > 0 ? tags : null,
      Layers: record.layers.map((layer) => path(layer.digest)),
    });
    const unpackedOnly = new Set(record.layers.filter((l) => l.digest !== l.diffId).map((l) => l.diffId));
    for (const digest of blobsOf(record)) if (!unpackedOnly.has(digest)) blobs.add(digest);
  }
  yield* file('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield* file('index.json', { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  yield* file('manifest.json', saved);
  yield tarHeader({ path: 'blobs', type: 'directory', mode: 0o755 });
  yield tarHeader({ path: 'blobs/sha256', type: 'directory', mode: 0o755 });
  for (const digest of [...blobs].sort()) {
    const size = (await store.size(digest)) ?? 0;
    yield tarHeader({ path: `blobs/sha256/${hexOf(digest)}`, type: 'file', mode: 0o444, size });
    yield* store.stream(digest);
    yield tarPad(size);
  }
  yield tarEnd();
}

function* file(path: string, json: unknown): Generator<Uint8Array> {
  const bytes = encoder.encode(JSON.stringify(json));
  yield tarHeader({ path, type: 'file', mode: 0o444, size: bytes.length });
  yield bytes;
  yield tarPad(bytes.length);
}
