import { isGzip } from '../gzip.ts';
import { BlobSource, type ByteSource, MemorySource, readBytes } from './byte-source.ts';
import { treeOfFiles } from './file-set.ts';
import type { FileSystem } from './file-system.ts';
import { fail } from './file-system-error.ts';
import { inflate } from './inflated-source.ts';
import { openLayer } from './layer-tree.ts';
import { MemoryTree } from './memory-tree.ts';
import { MountTree } from './mount-tree.ts';
import { OverlayTree } from './overlay-tree.ts';
import { PickedDirectory } from './picked-directory.ts';
import type { ArchiveSource, TreeSpec } from './tree-spec.ts';

/** Most that a gzipped archive may unpack to, in bytes. */
const UNPACKED_MAX = 2 ** 30;

/** Opens a tree as the platform does. */
export type TreeOpener = (spec: TreeSpec) => Promise<FileSystem>;

/** What only Node can open. */
export interface HostOpener {
  directory(path: string, readonly: boolean): FileSystem;
  file(path: string): ByteSource;
}

const NO_HOST: HostOpener = {
  directory: (path) => fail('EOPNOTSUPP', `${path}: a directory of the host can be shared from Node only`),
  file: (path) => fail('EOPNOTSUPP', `${path}: a file of the host can be read from Node only`),
};

/**
 * Opens a tree that needs no more than every platform has.
 * @throws {FileSystemError} {StorageError} saying which part cannot be opened
 */
export function openTree(spec: TreeSpec): Promise<FileSystem> {
  return openTreeWith(NO_HOST, spec);
}

/** The same with what the platform can open. */
export async function openTreeWith(host: HostOpener, spec: TreeSpec): Promise<FileSystem> {
  const { readonly = false } = spec;
  switch (spec.kind) {
    case 'memory':
      return new MemoryTree({
        capacity: spec.capacity,
        readonly,
        sharing: spec.shared ? 'shared' : undefined,
      });
    case 'directory':
      return host.directory(spec.path, readonly);
    case 'picked':
      return new PickedDirectory(spec.handle, { readonly });
    case 'files':
      return treeOfFiles(spec.files, { readonly });
    case 'archive':
      return openArchive(host, spec.archive, spec.name ?? 'the archive', spec.whiteouts ?? false);
    case 'mounts':
      return new MountTree(spec.immutable ? 'immutable' : 'shared');
    case 'overlay': {
      const { lowers, upper } = spec;
      const open: FileSystem[] = [];
      try {
        for (const lower of lowers) open.push(await openTreeWith(host, { ...lower, readonly: true }));
        if (readonly || upper === undefined) return new OverlayTree(open);
        return new OverlayTree(open, await openTreeWith(host, upper));
      } catch (error) {
        for (const tree of open) await tree.close();
        throw error;
      }
    }
  }
}

async function openArchive(
  host: HostOpener,
  archive: ArchiveSource,
  name: string,
  whiteouts: boolean,
): Promise<FileSystem> {
  let source: ByteSource;
  if (typeof archive === 'string') source = host.file(archive);
  else source = archive instanceof Uint8Array ? new MemorySource(archive) : new BlobSource(archive);
  if (isGzip(await readBytes(source, 0, 2))) source = await inflate(streamOf(source), UNPACKED_MAX, name);
  return openLayer(source, { name, whiteouts });
}

/** A source's bytes from first to last. */
function streamOf(source: ByteSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  const piece = 1 << 18;
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      const bytes = await readBytes(source, at, piece);
      at += bytes.length;
      if (bytes.length > 0) controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
      else controller.close();
    },
  });
}
