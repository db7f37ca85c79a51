import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { packageFolder } from '../../guests/paths-node.ts';
import type { ByteSource } from '../../storage/tree/byte-source.ts';
import { FileSource } from '../../storage/tree/file-source-node.ts';
import { openTreeNode } from '../../storage/tree/open-tree-node.ts';
import type { ArchiveFiles } from './image-archive.ts';
import { ImageStore } from './image-store.ts';
import { ImageStoreError } from './image-store-error.ts';
import type { RegistrySettings } from './registry/registry-settings.ts';
import { NodeStoreFiles } from './store-files-node.ts';
import type { ImageTaskOptions } from './types.ts';

/** Where images are kept: HYPERTAB_IMAGES, else build/images of the package. */
export function imagesFolder(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.HYPERTAB_IMAGES || join(packageFolder(), 'build', 'images'));
}

/**
 * Registries as the environment sets them: HYPERTAB_REGISTRY (`HOST[:PORT][/NAMESPACE]`) for names without one,
 * HYPERTAB_INSECURE_REGISTRIES (with commas between them) for those that are spoken to over http.
 */
export function registriesOf(env: NodeJS.ProcessEnv = process.env): RegistrySettings {
  const insecure = env.HYPERTAB_INSECURE_REGISTRIES?.split(/[\s,]+/).filter((host) => host !== '');
  return { defaultRegistry: env.HYPERTAB_REGISTRY || undefined, insecure };
}

/** Images in a folder of the host. */
export function openImageStore(
  folder: string = imagesFolder(),
  registries: RegistrySettings = registriesOf(),
): ImageStore {
  return new ImageStore(new NodeStoreFiles(folder), registries, openTreeNode);
}

/**
 * Loads a file (an archive of images) or a directory (an OCI image layout).
 * @returns names, or ids of images that have none
 * @throws {ImageStoreError}
 */
export async function loadPath(
  store: ImageStore,
  path: string,
  options?: ImageTaskOptions,
): Promise<string[]> {
  const info = await stat(path).catch((error: Error) => {
    throw new ImageStoreError('invalid', `open ${path}: no such file or directory`, { cause: error });
  });
  if (info.isDirectory()) return store.loadFiles(directoryFiles(path), options);
  const source = new FileSource(path);
  try {
    return await store.load(source, options);
  } finally {
    source.close();
  }
}

function directoryFiles(folder: string): ArchiveFiles {
  return {
    file: async (path) => {
      if (path.split('/').includes('..')) return undefined;
      const place = join(folder, path);
      const info = await stat(place).catch(() => undefined);
      if (!info?.isFile()) return undefined;
      return new PathSource(place, info.size);
    },
  };
}

/** A file that is open only while it is read: a layout has many, and nobody says when he is done with one. */
class PathSource implements ByteSource {
  readonly size: number;
  private readonly path: string;

  constructor(path: string, size: number) {
    this.path = path;
    this.size = size;
  }

  read(offset: number, targets: readonly Uint8Array[]): number {
    const source = new FileSource(this.path);
    try {
      return source.read(offset, targets);
    } finally {
      source.close();
    }
  }
}
