// `docker rmi` and `docker image prune`, with docker's rules of what may go and its words for what may not.
import type { ContentStore } from './content-store.ts';
import { ImageCatalogue, type KnownImage } from './image-catalogue.ts';
import { ImageStoreError } from './image-store-error.ts';
import { isDigest, parseReference, repositoryOf, shortId } from './reference.ts';
import type { Digest, ImageDeleteItem, ImagePruneReport, RemoveOptions } from './types.ts';

/** Removes a name of an image, and the image when that was its last. */
export async function removeImage(
  store: ContentStore,
  name: string,
  options: RemoveOptions = {},
): Promise<ImageDeleteItem[]> {
  const catalogue = await ImageCatalogue.read(store);
  const { image, reference } = catalogue.find(name);
  const { force = false } = options;
  const tags = image.names.filter((other) => !other.includes('@'));
  if (reference !== undefined) {
    const repository = repositoryOf(parseReference(reference));
    const gone = [reference];
    // With a repository's last tag its digests go too.
    const isLast = !image.names.some((other) => other !== reference && other.startsWith(`${repository}:`));
    if (isLast) gone.push(...image.names.filter((other) => other.startsWith(`${repository}@`)));
    const left = image.names.filter((other) => !gone.includes(other));
    if (left.length > 0) return untag(store, [...new Set(gone)]);
    const user = options.usedBy?.(image.id);
    if (user !== undefined && (user.running || !force)) {
      throw new ImageStoreError(
        'conflict',
        `conflict: unable to remove repository reference "${name}" (must force) - container ${user.container} is using its referenced image ${shortId(image.id)}`,
      );
    }
    return [...(await untag(store, [...new Set(gone)])), ...(await drop(store, catalogue, image, options))];
  }
  const shown = shortId(image.id);
  const user = options.usedBy?.(image.id);
  if (user?.running) {
    throw new ImageStoreError(
      'conflict',
      `conflict: unable to delete ${shown} (cannot be forced) - image is being used by running container ${user.container}`,
    );
  }
  if (!force && user !== undefined) {
    throw new ImageStoreError(
      'conflict',
      `conflict: unable to delete ${shown} (must be forced) - image is being used by stopped container ${user.container}`,
    );
  }
  const repositories = new Set(tags.map((tag) => repositoryOf(parseReference(tag))));
  if (!force && repositories.size > 1) {
    throw new ImageStoreError(
      'conflict',
      `conflict: unable to delete ${shown} (must be forced) - image is referenced in multiple repositories`,
    );
  }
  return [...(await untag(store, image.names)), ...(await drop(store, catalogue, image, options))];
}

async function untag(store: ContentStore, names: readonly string[]): Promise<ImageDeleteItem[]> {
  for (const name of names) await store.removeName(name);
  return names.map((Untagged) => ({ Untagged }));
}

async function drop(
  store: ContentStore,
  catalogue: ImageCatalogue,
  image: KnownImage,
  options: RemoveOptions,
): Promise<ImageDeleteItem[]> {
  for (const { manifest } of image.records) await store.removeImage(manifest);
  const parent = image.records[0]!.parent;
  const { removed } = await store.collect();
  const gone = new Set<Digest>(removed);
  const layers = new Set(image.records.flatMap((record) => record.layers.map((layer) => layer.diffId)));
  const deleted: Digest[] = [image.id, ...[...layers].reverse().filter((diffId) => gone.has(diffId))];
  const items: ImageDeleteItem[] = deleted.map((Deleted) => ({ Deleted }));
  // Nameless images that this one was made from go with it, as nobody else can want them.
  if (options.noprune || parent === undefined) return items;
  const above = catalogue.images.get(parent);
  const hasOthers = [...catalogue.images.values()].some(
    (other) => other !== image && other.records.some((record) => record.parent === parent),
  );
  if (above === undefined || above.names.length > 0 || hasOthers || options.usedBy?.(parent) !== undefined) {
    return items;
  }
  return [...items, ...(await drop(store, catalogue, above, options))];
}

/** Removes what has no name and is used by nothing, what broken-off downloads left, and unneeded blobs. */
export async function pruneImages(
  store: ContentStore,
  options: { all?: boolean; usedBy?: RemoveOptions['usedBy'] } = {},
): Promise<ImagePruneReport> {
  const catalogue = await ImageCatalogue.read(store);
  const parents = new Set([...catalogue.images.values()].map(({ records }) => records[0]!.parent));
  const deleted: ImageDeleteItem[] = [];
  for (const image of catalogue.images.values()) {
    const isNamed = image.names.length > 0 || parents.has(image.id);
    if (options.usedBy?.(image.id) !== undefined || (isNamed && !options.all)) continue;
    deleted.push(...(await untag(store, image.names)));
    for (const { manifest } of image.records) await store.removeImage(manifest);
    deleted.push({ Deleted: image.id });
  }
  const { bytes, removed } = await store.collect(true);
  const ids = new Set(catalogue.images.keys());
  const layers = removed.filter((digest) => isDigest(digest) && !ids.has(digest));
  return {
    ImagesDeleted: deleted.length > 0 ? [...deleted, ...layers.map((Deleted) => ({ Deleted }))] : [],
    SpaceReclaimed: bytes,
  };
}
