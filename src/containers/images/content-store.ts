// Blobs by their digests, names of images, and what may be thrown away. Layout, in the store's folder:
//   blobs/sha256/HEX   manifests, configurations, layers as they came, and layers unpacked (under their diff ids)
//   images/HEX         a record for each image, named after its manifest (ImageRecord)
//   names/HEX          a record for each name, named after the name's SHA-256 (NameRecord)
//   leases/ID          digests that someone who is at work counts on
//   drafts/ID.NAME     files that are being written
// A blob stays as long as an image or a living lease names it. A record is written once all its blobs are there.
import { ImageStoreError } from './image-store-error.ts';
import { hexOf, isDigest } from './reference.ts';
import type { Draft, Sign, StoreFiles } from './store-files.ts';
import type { Digest } from './types.ts';

/** A layer in the store. */
export interface LayerRecord {
  mediaType: string;
  /** As it came, and is pushed. */
  digest: Digest;
  size: number;
  /** Unpacked. */
  diffId: Digest;
  diffSize: number;
}

/** An image in the store. */
export interface ImageRecord {
  manifest: Digest;
  mediaType: string;
  /** Its id. */
  config: Digest;
  /** The lowest first. */
  layers: LayerRecord[];
  /** Image that it was made from, if here. */
  parent?: Digest;
  /** Step of a build that has made it. */
  build?: string;
  /** When it got here or was named last; milliseconds since 1970. */
  tagged: number;
}

/** A name, formatted, and the manifest of the image that has it. */
export interface NameRecord {
  name: string;
  manifest: Digest;
}

/** Someone at work: what he claims is not thrown away until he is done. */
export interface Lease {
  readonly sign: Sign;
  readonly claimed: Set<Digest>;
}

export interface IngestOptions {
  /** Whose draft it is. */
  lease: Lease;
  /** What it must be; otherwise whatever it is. */
  digest?: Digest;
  /** Bytes it must have. */
  size?: number;
  /** Most bytes it may have. */
  limit?: number;
  /** Names it in errors. */
  what: string;
  signal?: AbortSignal;
  onBytes?: (done: number) => void;
}

/** Manifests and configurations larger than this are none (registries stop at 4 MiB too). */
export const DOCUMENT_MAX = 4 * 1024 ** 2;

const blobPath = (digest: Digest) => `blobs/sha256/${hexOf(digest)}`;
const encoder = new TextEncoder();
let drafts = 0;

/** Blobs and records of images in a folder. Errors are ImageStoreError. */
export class ContentStore {
  readonly files: StoreFiles;

  constructor(files: StoreFiles) {
    this.files = files;
  }

  /** Digest of bytes in memory. */
  digestOf(bytes: Uint8Array): Digest {
    const hash = this.files.newHash();
    hash.update(bytes);
    return `sha256:${hash.hex()}`;
  }

  /** Runs an action whose claims hold until it ends, or whoever runs it is gone. */
  async leased<T>(action: (lease: Lease) => Promise<T>): Promise<T> {
    const sign = await this.files.sign();
    try {
      return await action({ sign, claimed: new Set() });
    } finally {
      await sign.release();
    }
  }

  /** Claims blobs; from then on those that are there stay. */
  async claim(lease: Lease, digests: Iterable<Digest>): Promise<void> {
    const before = lease.claimed.size;
    for (const digest of digests) lease.claimed.add(digest);
    if (lease.claimed.size === before) return;
    const text = JSON.stringify([...lease.claimed]);
    const bytes = encoder.encode(text);
    await this.files.exclusively(() => this.files.write(`leases/${lease.sign.id}`, bytes, true));
  }

  /** Bytes of a blob; undefined when it is not there. An empty one is what a crash has left of another. */
  async size(digest: Digest): Promise<number | undefined> {
    return (await this.files.size(blobPath(digest))) || undefined;
  }

  /** A blob as machines open it. */
  source(digest: Digest) {
    return this.files.source(blobPath(digest));
  }

  /** A blob to be read here and there. */
  open(digest: Digest) {
    return this.files.open(blobPath(digest));
  }

  stream(digest: Digest): AsyncIterable<Uint8Array> {
    return this.files.stream(blobPath(digest));
  }

  /**
   * A manifest or configuration, checked against its digest.
   * @throws {ImageStoreError} not-found, digest
   */
  async document(digest: Digest): Promise<Uint8Array<ArrayBuffer>> {
    const size = await this.size(digest);
    const bytes =
      size !== undefined && size <= DOCUMENT_MAX ? await this.files.read(blobPath(digest)) : undefined;
    if (bytes === undefined) throw new ImageStoreError('not-found', `blob ${digest}: not found`);
    if (this.digestOf(bytes) !== digest) throw wrongDigest(`blob ${digest}`, digest, this.digestOf(bytes));
    return bytes;
  }

  /** Puts bytes into the store, where they are not there yet. */
  async put(lease: Lease, bytes: Uint8Array): Promise<Digest> {
    const digest = this.digestOf(bytes);
    await this.claim(lease, [digest]);
    if ((await this.size(digest)) !== bytes.length) await this.files.write(blobPath(digest), bytes);
    return digest;
  }

  /** Begins a blob whose digest is known, going on where an earlier attempt has broken off. */
  draft(lease: Lease, digest: Digest): Promise<Draft> {
    return this.files.draft(lease.sign, hexOf(digest));
  }

  /**
   * Puts a stream into the store: nothing of it is there unless all of it is, and is right.
   * @throws {ImageStoreError} digest, invalid (too large), full, storage, cancelled
   */
  async ingest(
    source: AsyncIterable<Uint8Array>,
    options: IngestOptions,
  ): Promise<{ digest: Digest; size: number }> {
    const draft = await this.files.draft(options.lease.sign, `new-${drafts++}`);
    try {
      if (draft.resumed > 0) throw new Error(`a new draft has ${draft.resumed} bytes`);
      const hash = this.files.newHash();
      let size = 0;
      for await (const bytes of source) {
        if (options.signal?.aborted) throw cancelled();
        size += bytes.length;
        if (size > (options.size ?? options.limit ?? Number.POSITIVE_INFINITY)) {
          throw new ImageStoreError(
            'invalid',
            `${options.what} has more than ${options.size ?? options.limit} bytes`,
          );
        }
        hash.update(bytes);
        await draft.write(bytes);
        options.onBytes?.(size);
      }
      const digest: Digest = `sha256:${hash.hex()}`;
      await this.finish(draft, digest, size, options);
      return { digest, size };
    } catch (error) {
      await draft.discard();
      throw error;
    }
  }

  /** Checks a complete draft and gives it its name. */
  async finish(draft: Draft, digest: Digest, size: number, wanted: IngestOptions): Promise<void> {
    if (wanted.signal?.aborted) throw cancelled();
    if (wanted.size !== undefined && size !== wanted.size) {
      throw new ImageStoreError(
        'digest',
        `${wanted.what}: size mismatch: expected ${wanted.size}, got ${size}`,
      );
    }
    if (wanted.digest !== undefined && digest !== wanted.digest) {
      throw wrongDigest(wanted.what, wanted.digest, digest);
    }
    await this.claim(wanted.lease, [digest]);
    await draft.commit(blobPath(digest));
  }

  /** All images, in the order of their manifests. */
  async images(): Promise<ImageRecord[]> {
    const records: ImageRecord[] = [];
    for (const name of await this.files.list('images')) {
      const record = await this.image(`sha256:${name}`);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  async image(manifest: Digest): Promise<ImageRecord | undefined> {
    if (!isDigest(manifest)) return undefined;
    const record = await this.json<ImageRecord>(`images/${hexOf(manifest)}`);
    return record?.manifest === manifest && isDigest(record.config) && Array.isArray(record.layers)
      ? record
      : undefined;
  }

  /** Records an image whose blobs are all there. */
  async putImage(record: ImageRecord): Promise<void> {
    await this.files.write(`images/${hexOf(record.manifest)}`, encoder.encode(JSON.stringify(record)));
  }

  /** All names of images that are there, sorted. */
  async names(): Promise<NameRecord[]> {
    const known = new Set(await this.files.list('images'));
    const names: NameRecord[] = [];
    for (const file of await this.files.list('names')) {
      const record = await this.json<NameRecord>(`names/${file}`);
      if (typeof record?.name !== 'string' || !isDigest(record.manifest)) continue;
      if (known.has(hexOf(record.manifest))) names.push(record);
    }
    return names.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Gives an image a name, in place of the image that had it. */
  async putName(name: string, manifest: Digest): Promise<void> {
    await this.files.write(this.namePath(name), encoder.encode(JSON.stringify({ name, manifest })));
  }

  async removeName(name: string): Promise<void> {
    await this.files.remove(this.namePath(name));
  }

  async removeImage(manifest: Digest): Promise<void> {
    await this.files.remove(`images/${hexOf(manifest)}`);
  }

  /**
   * Removes blobs that no image and no one at work needs. Stopped anywhere, it has removed only such.
   * @param abandoned also what broken-off downloads have left
   * @returns bytes that are free now, and the blobs
   */
  async collect(abandoned = false): Promise<{ bytes: number; removed: Digest[] }> {
    return this.files.exclusively(async () => {
      const needed = new Set<string>();
      for (const image of await this.images()) {
        for (const digest of blobsOf(image)) needed.add(hexOf(digest));
      }
      for (const id of await this.files.list('leases')) {
        if (!(await this.files.isAlive(id))) await this.files.remove(`leases/${id}`);
        else
          for (const digest of (await this.json<Digest[]>(`leases/${id}`)) ?? []) needed.add(hexOf(digest));
      }
      const known = new Set((await this.files.list('images')).map((hex) => `sha256:${hex}`));
      for (const file of await this.files.list('names')) {
        const record = await this.json<NameRecord>(`names/${file}`);
        if (record === undefined || !known.has(record.manifest)) await this.files.remove(`names/${file}`);
      }
      let bytes = 0;
      const removed: Digest[] = [];
      const drop = async (path: string) => {
        bytes += (await this.files.size(path)) ?? 0;
        await this.files.remove(path);
      };
      for (const hex of await this.files.list('blobs/sha256')) {
        if (needed.has(hex) || !/^[0-9a-f]{64}$/.test(hex)) continue;
        await drop(`blobs/sha256/${hex}`);
        removed.push(`sha256:${hex}`);
      }
      for (const draft of abandoned ? await this.files.list('drafts') : []) {
        const owner = draft.slice(0, draft.indexOf('.'));
        if (!(await this.files.isAlive(owner))) await drop(`drafts/${draft}`);
      }
      return { bytes, removed };
    });
  }

  private namePath(name: string): string {
    return `names/${hexOf(this.digestOf(encoder.encode(name)))}`;
  }

  /** What our own files say; one that cannot be read counts as none. */
  private async json<T>(path: string): Promise<T | undefined> {
    const bytes = await this.files.read(path);
    if (bytes === undefined) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(bytes)) as T;
    } catch {
      return undefined;
    }
  }
}

/** All blobs that an image needs. */
export function blobsOf(image: ImageRecord): Digest[] {
  return [
    image.manifest,
    image.config,
    ...image.layers.flatMap((layer) =>
      layer.digest === layer.diffId ? [layer.digest] : [layer.digest, layer.diffId],
    ),
  ];
}

export function wrongDigest(what: string, wanted: Digest, got: Digest): ImageStoreError {
  return new ImageStoreError(
    'digest',
    `${what}: filesystem layer verification failed: expected digest ${wanted}, got ${got}`,
  );
}

export function cancelled(): ImageStoreError {
  return new ImageStoreError('cancelled', 'context canceled');
}
