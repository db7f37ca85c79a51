// From a layer as it comes to the tar archive that machines read in place.
import { Decompress } from 'fzstd';
import { StorageError } from '../../storage/storage-error.ts';
import { readBytes } from '../../storage/tree/byte-source.ts';
import { openLayer } from '../../storage/tree/layer-tree.ts';
import { type ContentStore, cancelled, type Lease, wrongDigest } from './content-store.ts';
import { ImageStoreError } from './image-store-error.ts';
import type { StoreFiles } from './store-files.ts';
import type { Digest } from './types.ts';

/** Most bytes that a layer may unpack to: more is no layer but a bomb. */
export const UNPACKED_MAX = 2 ** 34;

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
/** A skippable frame (RFC 8878, 3.1.2), with which zstd:chunked layers may begin; the low nibble is free. */
const isSkippable = (bytes: Uint8Array) =>
  bytes[0] !== undefined &&
  (bytes[0] & 0xf0) === 0x50 &&
  [0x2a, 0x4d, 0x18].every((byte, i) => bytes[i + 1] === byte);
const startsWith = (bytes: Uint8Array, magic: readonly number[]) =>
  magic.every((byte, index) => bytes[index] === byte);

/** What an archive is packed with, by its first bytes. */
export function packingOf(start: Uint8Array): 'gzip' | 'zstd' | 'none' {
  if (startsWith(start, GZIP)) return 'gzip';
  return startsWith(start, ZSTD) || isSkippable(start) ? 'zstd' : 'none';
}

/**
 * Unpacks gzip and zstd; other bytes pass as they are.
 * @throws {ImageStoreError} invalid, from the iteration
 */
export async function* unpacked(
  files: StoreFiles,
  packed: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array> {
  const { start, all } = await peek(packed, 4);
  const packing = packingOf(start);
  if (packing === 'none') {
    yield* all;
    return;
  }
  try {
    yield* packing === 'gzip' ? files.gunzip(all) : unzstd(all);
  } catch (error) {
    if (error instanceof ImageStoreError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new ImageStoreError('invalid', `${what} is packed with ${packing}, but damaged: ${why}`, {
      cause: error,
    });
  }
}

/** The first bytes of a stream, and all of it. */
async function peek(
  stream: AsyncIterable<Uint8Array>,
  count: number,
): Promise<{ start: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const iterator = stream[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let start: Uint8Array = new Uint8Array();
  while (start.length < count) {
    const next = await iterator.next();
    if (next.done) break;
    held.push(next.value);
    start = Uint8Array.from([...start, ...next.value.subarray(0, count - start.length)]);
  }
  async function* all() {
    try {
      yield* held;
      for (;;) {
        const next = await iterator.next();
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { start, all: all() };
}

/** Packed bytes at a time: as much as they may unpack to at once stays bounded. */
const PIECE = 1 << 16;

async function* unzstd(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const unpacking = new Decompress((bytes) => void ready.push(bytes));
  for await (const bytes of packed) {
    for (let at = 0; at < bytes.length; at += PIECE) {
      // It keeps what it is given.
      unpacking.push(bytes.slice(at, at + PIECE));
      yield* ready.splice(0);
    }
  }
  unpacking.push(new Uint8Array(), true);
  yield* ready.splice(0);
}

/**
 * Unpacks a layer that is in the store, checks that it is what the configuration says and that machines can serve it.
 * @returns bytes of the archive
 * @throws {ImageStoreError} digest, invalid, full, cancelled
 */
export async function unpackLayer(
  store: ContentStore,
  lease: Lease,
  layer: { digest: Digest; diffId: Digest },
  options: { limit?: number; signal?: AbortSignal; onBytes?: (done: number) => void } = {},
): Promise<number> {
  const { digest, diffId } = layer;
  await store.claim(lease, [digest, diffId]);
  const there = await store.size(diffId);
  const what = `layer ${digest}`;
  let size = there;
  if (size === undefined) {
    size = await unpackInto(store, lease, digest, { ...options, diffId, what });
  } else if (digest === diffId && (await packingOfBlob(store, digest)) !== 'none') {
    throw new ImageStoreError('invalid', `${what} is packed, but its diff id says that it is not`);
  }
  await checkArchive(store, diffId, what);
  if (options.signal?.aborted) throw cancelled();
  return size;
}

async function unpackInto(
  store: ContentStore,
  lease: Lease,
  digest: Digest,
  options: {
    diffId: Digest;
    what: string;
    limit?: number;
    signal?: AbortSignal;
    onBytes?: (done: number) => void;
  },
): Promise<number> {
  const { diffId, what } = options;
  if ((await packingOfBlob(store, digest)) === 'none') throw wrongDigest(what, diffId, digest);
  const { size } = await store.ingest(unpacked(store.files, store.stream(digest), what), {
    lease,
    digest: diffId,
    limit: options.limit ?? UNPACKED_MAX,
    what,
    signal: options.signal,
    onBytes: options.onBytes,
  });
  return size;
}

async function packingOfBlob(store: ContentStore, digest: Digest): Promise<'gzip' | 'zstd' | 'none'> {
  const source = await store.open(digest);
  try {
    return packingOf(await readBytes(source, 0, 4));
  } finally {
    source.close();
  }
}

/**
 * Refuses an archive that leads out of itself or is damaged, before a machine would.
 * @throws {ImageStoreError} invalid
 */
export async function checkArchive(store: ContentStore, diffId: Digest, what: string): Promise<void> {
  const source = await store.open(diffId);
  try {
    const tree = await openLayer(source, { name: what, whiteouts: true });
    await tree.close();
  } catch (error) {
    if (!(error instanceof StorageError) || error.kind !== 'corrupt') throw error;
    throw new ImageStoreError('invalid', error.message, { cause: error });
  } finally {
    source.close();
  }
}
