import { BlobBackend } from './blob-backend.ts';
import type { BlockBackend } from './block-backend.ts';
import type { DriveRestore } from './drive-layers.ts';
import { type DriveSource, type DriveSpec, describeSource } from './drive-spec.ts';
import { HttpBackend } from './http-backend.ts';
import { openIndexedDbDisk } from './indexeddb-backend.ts';
import { MemoryBackend } from './memory-backend.ts';
import { openDriveWith } from './open-drive.ts';
import { OpfsBackend } from './opfs-backend.ts';
import { opfsCache } from './opfs-cache.ts';
import { hasSyncFiles } from './opfs-files.ts';
import { StorageError } from './storage-error.ts';

/**
 * Opens a drive in a browser's worker.
 * @throws {StorageError} also for kinds that only Node has
 */
export function openDriveBrowser(spec: DriveSpec, restore?: DriveRestore): Promise<BlockBackend> {
  return openDriveWith(openSource, spec, restore);
}

async function openSource(source: DriveSource, readonly: boolean): Promise<BlockBackend> {
  switch (source.kind) {
    case 'memory':
      return new MemoryBackend({ ...source, readonly });
    case 'blob':
      return new BlobBackend(source.blob, describeSource(source));
    case 'http':
      return HttpBackend.open(source.url, {
        digests: source.digests,
        first: source.first,
        cache: source.cache === undefined ? undefined : opfsCache(source.cache),
      });
    case 'opfs':
      return OpfsBackend.open(source.name, { create: source.create, readonly });
    case 'indexeddb':
      return openIndexedDbDisk(source.name, { create: source.create, readonly });
    case 'browser':
      return hasSyncFiles()
        ? OpfsBackend.open(source.name, { create: source.create, readonly })
        : openIndexedDbDisk(source.name, { create: source.create, readonly });
    default:
      throw new StorageError('io', `${describeSource(source)}: drives of kind ${source.kind} need Node`);
  }
}
