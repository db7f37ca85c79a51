// Images of a store as their users name and see them.
import type { TreeSource } from '../../storage/tree/tree-spec.ts';
import type { ContentStore, ImageRecord, NameRecord } from './content-store.ts';
import { ImageStoreError } from './image-store-error.ts';
import { parseConfig } from './oci-manifest.ts';
import { formatReference, hexOf, isDigest, parseReference, shortId } from './reference.ts';
import type {
  Digest,
  ImageConfig,
  ImageHistoryItem,
  ImageInspect,
  ImageRootfs,
  ImageSummary,
} from './types.ts';

/** An image: its records (one for each manifest that leads to the same configuration) and its names. */
export interface KnownImage {
  id: Digest;
  records: ImageRecord[];
  /** Formatted references, sorted. */
  names: string[];
}

/** What is in the store, read once. */
export class ImageCatalogue {
  readonly images: ReadonlyMap<Digest, KnownImage>;
  private readonly names: ReadonlyMap<string, Digest>;

  private constructor(records: readonly ImageRecord[], names: readonly NameRecord[]) {
    const images = new Map<Digest, KnownImage>();
    const ids = new Map<Digest, Digest>();
    for (const record of records) {
      const image = images.get(record.config) ?? { id: record.config, records: [], names: [] };
      image.records.push(record);
      images.set(record.config, image);
      ids.set(record.manifest, record.config);
    }
    const byName = new Map<string, Digest>();
    for (const { name, manifest } of names) {
      const id = ids.get(manifest)!;
      byName.set(name, id);
      images.get(id)!.names.push(name);
    }
    this.images = images;
    this.names = byName;
  }

  static async read(store: ContentStore): Promise<ImageCatalogue> {
    const [records, names] = [await store.images(), await store.names()];
    const there = new Set(records.map((record) => record.manifest));
    return new ImageCatalogue(
      records,
      names.filter(({ manifest }) => there.has(manifest)),
    );
  }

  /**
   * The image of a reference, an id, or the beginning of an id.
   * @returns the image, and the formatted reference when it was found by that
   * @throws {ImageStoreError} not-found, in docker's words; invalid
   */
  find(name: string): { image: KnownImage; reference?: string } {
    const missing = () => new ImageStoreError('not-found', `No such image: ${withTag(name)}`);
    if (isDigest(name)) {
      const image = this.images.get(name);
      if (image === undefined) throw missing();
      return { image };
    }
    const hex = name.startsWith('sha256:') ? name.slice('sha256:'.length) : name;
    const mayBeId = /^[0-9a-f]{1,64}$/.test(hex);
    if (!mayBeId || hex.length < 64) {
      if (!name.startsWith('sha256:')) {
        const reference = formatReference(parseReference(name));
        const id = this.names.get(reference);
        if (id !== undefined) return { image: this.images.get(id)!, reference };
      }
    }
    if (mayBeId) {
      const found = [...this.images.values()].filter((image) => hexOf(image.id).startsWith(hex));
      if (found.length === 1) return { image: found[0]! };
      if (found.length > 1) {
        throw new ImageStoreError('invalid', `ambiguous image ID: ${found.length} images begin with ${name}`);
      }
    }
    throw missing();
  }
}

function withTag(name: string): string {
  try {
    return formatReference(parseReference(name));
  } catch {
    return name;
  }
}

/** Bytes of an image's layers, unpacked. */
export const sizeOf = (image: KnownImage) =>
  image.records[0]!.layers.reduce((sum, layer) => sum + layer.diffSize, 0);

export async function configOf(store: ContentStore, id: Digest): Promise<ImageConfig> {
  return parseConfig(await store.document(id), `configuration ${id}`);
}

const isTag = (name: string) => !name.includes('@');
const secondsOf = (date: string | undefined) => Math.max(0, Math.floor(Date.parse(date ?? '') / 1000) || 0);

/** What `GET /images/json` tells of all images, the newest first. */
export async function summarize(store: ContentStore, catalogue: ImageCatalogue): Promise<ImageSummary[]> {
  const users = new Map<Digest, number>();
  for (const { records } of catalogue.images.values()) {
    for (const diffId of new Set(records[0]!.layers.map((layer) => layer.diffId))) {
      users.set(diffId, (users.get(diffId) ?? 0) + 1);
    }
  }
  const list: ImageSummary[] = [];
  for (const image of catalogue.images.values()) {
    const config = await configOf(store, image.id);
    const shared = image.records[0]!.layers.filter((layer) => users.get(layer.diffId)! > 1);
    list.push({
      Id: image.id,
      ParentId: parentOf(image, catalogue),
      RepoTags: image.names.filter(isTag),
      RepoDigests: image.names.filter((name) => !isTag(name)),
      Created: secondsOf(config.created),
      Size: sizeOf(image),
      SharedSize: shared.reduce((sum, layer) => sum + layer.diffSize, 0),
      Labels: config.config?.Labels ?? {},
      Containers: -1,
    });
  }
  return list.sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
}

function parentOf(image: KnownImage, catalogue: ImageCatalogue): string {
  const { parent } = image.records[0]!;
  return parent !== undefined && catalogue.images.has(parent) ? parent : '';
}

export async function inspectImage(
  store: ContentStore,
  catalogue: ImageCatalogue,
  name: string,
): Promise<ImageInspect> {
  const { image } = catalogue.find(name);
  const config = await configOf(store, image.id);
  return {
    Id: image.id,
    RepoTags: image.names.filter(isTag),
    RepoDigests: image.names.filter((other) => !isTag(other)),
    Parent: parentOf(image, catalogue),
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Architecture: config.architecture,
    ...(config.variant !== undefined && { Variant: config.variant }),
    Os: config.os,
    Size: sizeOf(image),
    Config: config.config ?? {},
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: new Date(Math.max(...image.records.map(({ tagged }) => tagged))).toISOString() },
  };
}

export async function historyOf(
  store: ContentStore,
  catalogue: ImageCatalogue,
  name: string,
): Promise<ImageHistoryItem[]> {
  const { image } = catalogue.find(name);
  const config = await configOf(store, image.id);
  const { layers } = image.records[0]!;
  const items: ImageHistoryItem[] = [];
  let layer = 0;
  for (const entry of config.history ?? []) {
    items.push({
      Id: '<missing>',
      Created: secondsOf(entry.created),
      CreatedBy: entry.created_by ?? '',
      Tags: [],
      Size: entry.empty_layer ? 0 : (layers[layer++]?.diffSize ?? 0),
      Comment: entry.comment ?? '',
    });
  }
  // Images need not tell how they were made.
  for (; layer < layers.length; layer++) {
    const Size = layers[layer]!.diffSize;
    items.push({
      Id: '<missing>',
      Created: secondsOf(config.created),
      CreatedBy: '',
      Tags: [],
      Size,
      Comment: '',
    });
  }
  items.reverse();
  const newest = items[0] ?? {
    Created: secondsOf(config.created),
    CreatedBy: '',
    Size: 0,
    Comment: '',
  };
  return [{ ...newest, Id: image.id, Tags: image.names.filter(isTag) }, ...items.slice(1)];
}

export async function rootfsOf(
  store: ContentStore,
  catalogue: ImageCatalogue,
  name: string,
): Promise<ImageRootfs> {
  const { image } = catalogue.find(name);
  const config = await configOf(store, image.id);
  const diffIds = [...config.rootfs.diff_ids].reverse();
  const layers: TreeSource[] = [];
  for (const diffId of diffIds) {
    if ((await store.size(diffId)) === undefined) {
      throw new ImageStoreError(
        'storage',
        `layer ${diffId} of ${name} is not in the store; pull the image again`,
      );
    }
    const archive = await store.source(diffId);
    layers.push({ kind: 'archive', archive, name: `layer ${shortId(diffId)} of ${name}`, whiteouts: true });
  }
  return { id: image.id, config, layers, diffIds };
}
