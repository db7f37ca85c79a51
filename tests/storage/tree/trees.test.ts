import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/storage/tree/file-system.ts';
import { HostDirectory } from '../../../src/storage/tree/host-directory-node.ts';
import { MemoryTree } from '../../../src/storage/tree/memory-tree.ts';
import {
  describeHost,
  describeTree,
  isRoot,
  type Operation,
  onHost,
  onTree,
  operations,
} from './tree-operations.ts';

const folder = mkdtempSync(join(tmpdir(), 'hypertab-trees-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);

const RUNS = Number(process.env.HYPERTAB_TREE_RUNS ?? 150);

/** Found by chance once in 50,000 runs. */
const READS_NOTHING_OF_A_DIRECTORY: Operation[] = [
  { kind: 'mkdir', path: 'a', mode: 0o755 },
  { kind: 'read', path: 'a', offset: 0, length: 0 },
];

/** Does the same on a tree and with Node's functions on the host, and compares all there is to see. */
async function compare(tree: FileSystem, list: Operation[]): Promise<void> {
  const root = mkdtempSync(join(folder, 'oracle-'));
  for (const [index, operation] of list.entries()) {
    // Owners can be given away by root only.
    if (operation.kind === 'chown' && !isRoot) continue;
    const expected = onHost(root, operation);
    const outcome = await onTree(tree, operation);
    expect(`${index} ${operation.kind} ${operation.path}: ${outcome}`).toBe(
      `${index} ${operation.kind} ${operation.path}: ${expected}`,
    );
  }
  expect(await describeTree(tree)).toEqual(describeHost(root));
  await tree.close();
  rmSync(root, { recursive: true, force: true });
}

const kinds: [string, () => FileSystem][] = [
  ['a memory tree', () => new MemoryTree()],
  ['a host directory', () => new HostDirectory(mkdtempSync(join(folder, 'share-')))],
];

describe.each(kinds)('%s', (_name, make) => {
  it('does what the host does, with the same errors', async () => {
    await fc.assert(
      fc.asyncProperty(operations, (list) => compare(make(), list)),
      { numRuns: RUNS, examples: [[READS_NOTHING_OF_A_DIRECTORY]] },
    );
  });
});
