import type { FileSystem } from './file-system.ts';
import { HostDirectory } from './host-directory-node.ts';
import { openTree } from './open-tree.ts';
import type { TreeSpec } from './tree-spec.ts';

/**
 * Opens a tree in Node.
 * @throws {FileSystemError}
 */
export async function openTreeNode(spec: TreeSpec): Promise<FileSystem> {
  return spec.kind === 'directory' ? new HostDirectory(spec.path, spec) : openTree(spec);
}
