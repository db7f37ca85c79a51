import { BlobBackend } from './blob-backend.ts';
import type { BlockBackend } from './block-backend.ts';
import type { DriveRestore } from './drive-layers.ts';
import { type DriveSource, type DriveSpec, describeSource } from './drive-spec.ts';
import { FileBackend } from './file-backend-node.ts';
import { folderCache } from './folder-cache-node.ts';
import { HttpBackend } from './http-backend.ts';
import { MemoryBackend } from './memory-backend.ts';
import { openDriveWith } from './open-drive.ts';
import { StorageError } from './storage-error.ts';

/**
 * Opens a drive in Node.
 * @throws {StorageError} also for kinds that only browsers have
 */
export function openDriveNode(spec: DriveSpec, restore?: DriveRestore): Promise<BlockBackend> {
  return openDriveWith(openSource, spec, restore);
}

async function openSource(source: DriveSource, readonly: boolean): Promise<BlockBackend> {
  switch (source.kind) {
    case 'memory':
      return new MemoryBackend({ ...source, readonly });
    case 'file':
      return FileBackend.open(source.path, { readonly, create: source.create });
    case 'blob':
      return new BlobBackend(source.blob, describeSource(source));
    case 'http':
      return HttpBackend.open(source.url, {
        digests: source.digests,
        first: source.first,
        cache: source.cache === undefined ? undefined : folderCache(source.cache, source.url),
      });
    default:
      throw new StorageError('io', `${describeSource(source)}: drives of kind ${source.kind} need a browser`);
  }
}
