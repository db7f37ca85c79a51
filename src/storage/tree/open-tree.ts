import type { FileSystem } from './file-system.ts';
import { fail } from './file-system-error.ts';
import { MemoryTree } from './memory-tree.ts';
import type { TreeSpec } from './tree-spec.ts';

/** Opens a tree as the platform does. */
export type TreeOpener = (spec: TreeSpec) => Promise<FileSystem>;

/**
 * Opens a tree that needs no more than any platform has.
 * @throws {FileSystemError} also for kinds that only Node has
 */
export async function openTree(spec: TreeSpec): Promise<FileSystem> {
  switch (spec.kind) {
    case 'memory':
      return new MemoryTree({ capacity: spec.capacity, readonly: spec.readonly });
    case 'directory':
      return fail('EOPNOTSUPP', `${spec.path}: a directory of the host can be shared from Node only`);
  }
}
