import type { ByteSource } from '../../storage/tree/byte-source.ts';
import { openTree, type TreeOpener } from '../../storage/tree/open-tree.ts';
import { buildImage } from './build/build-image.ts';
import type { BuildOptions } from './build/build-types.ts';
import { blobsOf, ContentStore, type Lease } from './content-store.ts';
import { type ArchiveFiles, inputStream, withArchive } from './image-archive.ts';
import { configOf, historyOf, ImageCatalogue, inspectImage, rootfsOf, summarize } from './image-catalogue.ts';
import { ImageStoreError } from './image-store-error.ts';
import { makeImage } from './install-image.ts';
import { loadImages } from './load-images.ts';
import { formatReference, isDigest, parseReference } from './reference.ts';
import { pullImage } from './registry/pull-image.ts';
import { pushImage } from './registry/push-image.ts';
import type { RegistrySettings } from './registry/registry-settings.ts';
import { pruneImages, removeImage } from './remove-images.ts';
import { saveImages } from './save-images.ts';
import type { StoreFiles } from './store-files.ts';
import {
  type ArchiveInput,
  type CommitOptions,
  type ContainerConfig,
  type Digest,
  type ImageConfig,
  type ImageDeleteItem,
  type ImageHistoryItem,
  type ImageInspect,
  type ImagePruneReport,
  type ImageRootfs,
  type ImageSummary,
  type Images,
  type ImageTaskOptions,
  PLATFORM,
  type RegistryTaskOptions,
  type RemoveOptions,
} from './types.ts';
import { UNPACKED_MAX, unpacked } from './unpack-layer.ts';

/** Images in a store of the platform. Errors are ImageStoreError. */
export class ImageStore implements Images {
  readonly content: ContentStore;

  /** May be changed at any time; what is under way goes on as it began. */
  registries: RegistrySettings;

  private readonly openContext: TreeOpener;

  /** @param openContext opens what builds take files from */
  constructor(files: StoreFiles, registries: RegistrySettings = {}, openContext: TreeOpener = openTree) {
    this.content = new ContentStore(files);
    this.registries = registries;
    this.openContext = openContext;
  }

  async list(options: { all?: boolean; reference?: string } = {}): Promise<ImageSummary[]> {
    const catalogue = await this.catalogue();
    const all = await summarize(this.content, catalogue);
    const parents = new Set(all.map((image) => image.ParentId));
    const wanted = options.reference === undefined ? undefined : matcherOf(options.reference);
    return all.filter(({ Id, RepoTags, RepoDigests }) => {
      const names = [...RepoTags, ...RepoDigests];
      if (wanted !== undefined) return names.some(wanted);
      // Steps on the way to another image are shown when they are asked for.
      return options.all || names.length > 0 || !parents.has(Id);
    });
  }

  async inspect(name: string): Promise<ImageInspect> {
    return inspectImage(this.content, await this.catalogue(), name);
  }

  async history(name: string): Promise<ImageHistoryItem[]> {
    return historyOf(this.content, await this.catalogue(), name);
  }

  async rootfs(name: string): Promise<ImageRootfs> {
    return rootfsOf(this.content, await this.catalogue(), name);
  }

  async hold(id: Digest): Promise<() => Promise<void>> {
    const lease: Lease = { sign: await this.content.files.sign(), claimed: new Set() };
    try {
      const records = async () => (await this.catalogue()).find(id).image.records;
      await this.content.claim(lease, (await records()).flatMap(blobsOf));
      // It may have gone before it was claimed.
      await records();
    } catch (error) {
      await lease.sign.release();
      throw error;
    }
    return () => lease.sign.release();
  }

  async tag(name: string, reference: string): Promise<void> {
    const target = tagReference(reference);
    const { image } = (await this.catalogue()).find(name);
    await this.content.putName(target, image.records[0]!.manifest);
  }

  remove(name: string, options?: RemoveOptions): Promise<ImageDeleteItem[]> {
    return removeImage(this.content, name, options);
  }

  prune(options?: { all?: boolean; usedBy?: RemoveOptions['usedBy'] }): Promise<ImagePruneReport> {
    return pruneImages(this.content, options);
  }

  load(archive: ArchiveInput | ByteSource, options: ImageTaskOptions = {}): Promise<string[]> {
    return this.working((lease) =>
      withArchive(this.content, lease, archive, options.signal, (files) =>
        loadImages(this.content, lease, files, options),
      ),
    );
  }

  /** The same of an image layout whose files are somewhere else than in an archive. */
  loadFiles(files: ArchiveFiles, options: ImageTaskOptions = {}): Promise<string[]> {
    return this.working((lease) => loadImages(this.content, lease, files, options));
  }

  save(names: readonly string[], options: ImageTaskOptions = {}): ReadableStream<Uint8Array> {
    const { content } = this;
    const pieces = (async function* () {
      yield* saveImages(content, await ImageCatalogue.read(content), names);
    })();
    return new ReadableStream({
      pull: async (controller) => {
        options.signal?.throwIfAborted();
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => void (await pieces.return(undefined)),
    });
  }

  async import(
    layer: ArchiveInput | ByteSource,
    options: ImageTaskOptions & {
      reference?: string;
      config?: ContainerConfig;
      message?: string;
      created?: string;
    } = {},
  ): Promise<Digest> {
    const name = options.reference === undefined ? undefined : tagReference(options.reference);
    return this.working(async (lease) => {
      const added = await this.ingestLayer(lease, layer, options.signal);
      const created = options.created ?? new Date().toISOString();
      const comment = options.message ?? 'Imported from -';
      const config: ImageConfig = {
        created,
        architecture: PLATFORM.architecture,
        os: PLATFORM.os,
        config: options.config ?? {},
        rootfs: { type: 'layers', diff_ids: [added.digest] },
        history: [{ created, comment }],
      };
      return this.finish(lease, config, [added], name, options);
    });
  }

  async commit(
    name: string,
    layer: ArchiveInput | ByteSource,
    options: ImageTaskOptions & CommitOptions = {},
  ): Promise<Digest> {
    const reference = options.reference === undefined ? undefined : tagReference(options.reference);
    return this.working(async (lease) => {
      const { image } = (await this.catalogue()).find(name);
      const base = image.records[0]!;
      // What the new image stands on must not go while it is made.
      await this.content.claim(
        lease,
        base.layers.flatMap((part) => [part.digest, part.diffId]),
      );
      const from = await configOf(this.content, image.id);
      const added = await this.ingestLayer(lease, layer, options.signal);
      const created = options.created ?? new Date().toISOString();
      const config: ImageConfig = {
        ...from,
        created,
        ...(options.author !== undefined && { author: options.author }),
        config: options.config ?? from.config ?? {},
        rootfs: { type: 'layers', diff_ids: [...from.rootfs.diff_ids, added.digest] },
        history: [
          ...(from.history ?? []),
          {
            created,
            created_by: options.createdBy ?? '',
            ...(options.author !== undefined && { author: options.author }),
            ...(options.comment !== undefined && { comment: options.comment }),
          },
        ],
      };
      return this.finish(lease, config, [...base.layers, added], reference, {
        signal: options.signal,
        parent: image.id,
      });
    });
  }

  pull(reference: string, options?: RegistryTaskOptions): Promise<Digest> {
    return this.working((lease) => pullImage(this.content, lease, reference, this.registries, options));
  }

  push(reference: string, options?: RegistryTaskOptions): Promise<Digest> {
    return pushImage(this.content, reference, this.registries, options);
  }

  build(options: BuildOptions): Promise<Digest> {
    return buildImage(this, options, this.openContext);
  }

  /** What is in the store now. */
  catalogue(): Promise<ImageCatalogue> {
    return ImageCatalogue.read(this.content);
  }

  /** Runs what adds to the store; what a failure leaves is taken away, unless it can be gone on with. */
  async working<T>(action: (lease: Lease) => Promise<T>): Promise<T> {
    try {
      return await this.content.leased(action);
    } catch (error) {
      const resumable =
        error instanceof ImageStoreError && (error.code === 'cancelled' || error.code === 'network');
      if (!resumable) await this.content.collect().catch(() => {});
      throw error;
    }
  }

  /** Puts a layer into the store, unpacked. */
  private ingestLayer(
    lease: Lease,
    layer: ArchiveInput | ByteSource,
    signal: AbortSignal | undefined,
  ): Promise<{ digest: Digest; size: number }> {
    const stream = unpacked(this.content.files, inputStream(layer), 'the layer');
    return this.content.ingest(stream, { lease, what: 'the layer', limit: UNPACKED_MAX, signal });
  }

  private async finish(
    lease: Lease,
    config: ImageConfig,
    layers: readonly { mediaType?: string; digest: Digest; size: number }[],
    name: string | undefined,
    options: { signal?: AbortSignal; parent?: Digest },
  ): Promise<Digest> {
    const record = await makeImage(this.content, lease, config, layers, options);
    if (name !== undefined) await this.content.putName(name, record.manifest);
    return record.config;
  }
}

/** A name that may be given to an image. */
function tagReference(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined || isDigest(text)) {
    throw new ImageStoreError('invalid', 'refusing to create a tag with a digest reference');
  }
  return formatReference(reference);
}

/** Whether names fit a filter of `docker images`: a repository, a name, with `*` for anything but a slash. */
function matcherOf(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '[^/]*');
  const matches = new RegExp(`^${source}(?:[:@].*)?$`);
  return (name) => matches.test(name);
}
