// Files of an archive of images: a tar archive, or a directory.
import { StorageError } from '../../storage/storage-error.ts';
import {
  BlobSource,
  type ByteSource,
  MemorySource,
  readBytes,
  SourceSlice,
} from '../../storage/tree/byte-source.ts';
import { indexTar, type TarRecord } from '../../storage/tree/tar-index.ts';
import type { ContentStore, Lease } from './content-store.ts';
import { DOCUMENT_MAX } from './content-store.ts';
import { ImageStoreError } from './image-store-error.ts';
import { streamOf } from './stream-of.ts';
import type { ArchiveInput } from './types.ts';
import { packingOf, UNPACKED_MAX, unpacked } from './unpack-layer.ts';

/** Where the files of an image layout are. */
export interface ArchiveFiles {
  /** A file by its path; undefined when there is none. */
  file(path: string): Promise<ByteSource | undefined>;
}

/** Bytes of a source from first to last. */
export async function* bytesOfSource(source: ByteSource): AsyncGenerator<Uint8Array> {
  const piece = 1 << 20;
  for (let at = 0; at < source.size; at += piece) yield await readBytes(source, at, piece);
}

/** The JSON of a small file; undefined when there is no such file. */
export async function readJson(files: ArchiveFiles, path: string): Promise<unknown> {
  const bytes = await readSmall(files, path);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new ImageStoreError('invalid', `invalid archive: ${path} is no JSON`, { cause: error });
  }
}

/** A file that is small enough to be a document; undefined when there is none. */
export async function readSmall(files: ArchiveFiles, path: string): Promise<Uint8Array | undefined> {
  const source = await files.file(path);
  if (source === undefined) return undefined;
  if (source.size > DOCUMENT_MAX) {
    throw new ImageStoreError('invalid', `invalid archive: ${path} has ${source.size} bytes`);
  }
  return readBytes(source, 0, source.size);
}

function isByteSource(input: ArchiveInput | ByteSource): input is ByteSource {
  return 'read' in input && 'size' in input && !(input instanceof Blob);
}

/**
 * Runs an action on the files of a tar archive. What cannot be read in place (streams, packed archives) is written to
 * the store first, and removed again.
 * @throws {ImageStoreError} invalid
 */
export async function withArchive<T>(
  store: ContentStore,
  lease: Lease,
  input: ArchiveInput | ByteSource,
  signal: AbortSignal | undefined,
  action: (files: ArchiveFiles) => Promise<T>,
): Promise<T> {
  return withSource(store, lease, input, signal, async (source) => action(await tarFiles(source)));
}

/** The bytes of an archive from first to last. */
export function inputStream(input: ArchiveInput | ByteSource): AsyncIterable<Uint8Array> {
  const direct = directSource(input);
  return direct === undefined ? streamOf(input as AsyncIterable<Uint8Array>) : bytesOfSource(direct);
}

async function withSource<T>(
  store: ContentStore,
  lease: Lease,
  input: ArchiveInput | ByteSource,
  signal: AbortSignal | undefined,
  action: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const direct = directSource(input);
  if (direct !== undefined && packingOf(await readBytes(direct, 0, 4)) === 'none') return action(direct);
  const stream = inputStream(input);
  const draft = await store.files.draft(lease.sign, 'archive');
  const path = `drafts/${lease.sign.id}.archive-whole`;
  try {
    let size = 0;
    for await (const bytes of unpacked(store.files, stream, 'the archive')) {
      signal?.throwIfAborted();
      size += bytes.length;
      if (size > UNPACKED_MAX) throw new ImageStoreError('invalid', 'the archive is too large');
      await draft.write(bytes);
    }
    await draft.commit(path);
  } catch (error) {
    await draft.discard();
    throw signal?.aborted ? new ImageStoreError('cancelled', 'context canceled', { cause: error }) : error;
  }
  try {
    const source = await store.files.open(path);
    try {
      return await action(source);
    } finally {
      source.close();
    }
  } finally {
    await store.files.remove(path);
  }
}

function directSource(input: ArchiveInput | ByteSource): ByteSource | undefined {
  if (input instanceof Uint8Array) return new MemorySource(input);
  if (input instanceof Blob) return new BlobSource(input);
  return isByteSource(input) ? input : undefined;
}

async function tarFiles(source: ByteSource): Promise<ArchiveFiles> {
  let records: TarRecord[];
  try {
    records = await indexTar(source, 'the archive');
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new ImageStoreError('invalid', `invalid archive: ${error.message}`, { cause: error });
  }
  const byPath = new Map(records.map((record) => [record.path, record]));
  return {
    file: async (path) => {
      let record = byPath.get(path);
      // Older archives have a layer once and links to it.
      for (let links = 0; record !== undefined && links < 4; links++) {
        if (record.type === 'hardlink') record = byPath.get(record.link);
        else if (record.type === 'symlink') record = byPath.get(beside(record.path, record.link));
        else break;
      }
      return record?.type === 'file' ? new SourceSlice(source, record.offset, record.size) : undefined;
    },
  };
}

/** The path that a relative link means. */
function beside(path: string, link: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of link.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
