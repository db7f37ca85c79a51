import { FileSource } from './file-source-node.ts';
import type { FileSystem } from './file-system.ts';
import { HostDirectory } from './host-directory-node.ts';
import { type HostOpener, openTreeWith } from './open-tree.ts';
import type { TreeSpec } from './tree-spec.ts';

const NODE: HostOpener = {
  directory: (path, readonly) => new HostDirectory(path, { readonly }),
  file: (path) => new FileSource(path),
};

/**
 * Opens a tree in Node.
 * @throws {FileSystemError} {StorageError}
 */
export function openTreeNode(spec: TreeSpec): Promise<FileSystem> {
  return openTreeWith(NODE, spec);
}
