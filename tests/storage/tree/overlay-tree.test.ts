import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { BlobSource, MemorySource } from '../../../src/storage/tree/byte-source.ts';
import type { FileSystem } from '../../../src/storage/tree/file-system.ts';
import { HostDirectory } from '../../../src/storage/tree/host-directory-node.ts';
import { openLayer } from '../../../src/storage/tree/layer-tree.ts';
import { MemoryTree } from '../../../src/storage/tree/memory-tree.ts';
import { OverlayTree } from '../../../src/storage/tree/overlay-tree.ts';
import { describeHost, describeTree, type Operation, onHost, onTree, operations } from './tree-operations.ts';

const folder = mkdtempSync(join(tmpdir(), 'hypertab-overlay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Operations without hard links: those of lower layers fall apart, as the kernel's do. */
const unlinked = operations.map((list) => list.filter(({ kind }) => kind !== 'link'));

async function layerOf(root: string, later: boolean): Promise<MemoryTree> {
  const bytes = execFileSync('tar', ['-C', root, '--format=pax', '--numeric-owner', '-cf', '-', '.']);
  const source = later ? new BlobSource(new Blob([new Uint8Array(bytes)])) : new MemorySource(bytes);
  return openLayer(source, { name: 'lower' });
}

/** Does the same on an overlay and on the host; what an overlay cannot do is not done on either. */
async function compare(tree: FileSystem, root: string, list: Operation[]): Promise<number> {
  let refused = 0;
  for (const [index, operation] of list.entries()) {
    if (operation.kind === 'chown') continue;
    const outcome = await onTree(tree, operation);
    if (outcome === 'EXDEV') {
      refused++;
      continue;
    }
    const where = `${index} ${operation.kind} ${operation.path}`;
    expect(`${where}: ${outcome}`).toBe(`${where}: ${onHost(root, operation)}`);
  }
  expect(await describeTree(tree)).toEqual(describeHost(root));
  return refused;
}

const uppers: [string, boolean, () => FileSystem][] = [
  ['memory over an archive', false, () => new MemoryTree()],
  ['memory over an archive that answers later', true, () => new MemoryTree()],
  ['a host directory over an archive', false, () => new HostDirectory(mkdtempSync(join(folder, 'upper-')))],
];

describe.each(uppers)('%s', (_name, later, makeUpper) => {
  it('does what one tree would do', async () => {
    await fc.assert(
      fc.asyncProperty(unlinked, operations, async (below, list) => {
        const root = mkdtempSync(join(folder, 'oracle-'));
        for (const operation of below) if (operation.kind !== 'chown') onHost(root, operation);
        const lower = await layerOf(root, later);
        const before = await describeTree(lower);
        await compare(new OverlayTree([lower], makeUpper()), root, list);
        expect(await describeTree(lower)).toEqual(before);
        rmSync(root, { recursive: true, force: true });
      }),
      { numRuns: later ? 40 : 80 },
    );
  });
});

it('an upper layer is a lower one for the next: nothing comes back that was removed', async () => {
  await fc.assert(
    fc.asyncProperty(unlinked, unlinked, operations, async (below, middle, list) => {
      const root = mkdtempSync(join(folder, 'oracle-'));
      for (const operation of below) if (operation.kind !== 'chown') onHost(root, operation);
      const lower = await layerOf(root, false);
      const upper = new MemoryTree();
      await compare(new OverlayTree([lower], upper), root, middle);
      const between = new OverlayTree([upper, lower]);
      expect(await describeTree(between)).toEqual(describeHost(root));
      expect(between.readonly).toBe(true);
      await compare(new OverlayTree([upper, lower], new MemoryTree()), root, list);
      rmSync(root, { recursive: true, force: true });
    }),
    { numRuns: 80 },
  );
});

describe('an overlay', () => {
  const file = { mode: 0o100644, uid: 0, gid: 0 };
  const directory = { mode: 0o040755, uid: 0, gid: 0 };
  const lowerWith = (...names: string[]) => {
    const tree = new MemoryTree();
    for (const name of names) {
      const { inode } = tree.makeNode(tree.root, name, file);
      tree.write(inode, 0, [Buffer.from(name)], { killPrivileges: false });
    }
    return tree;
  };

  it('refuses to rename a directory that lower layers have a part in', async () => {
    const lower = new MemoryTree();
    lower.makeDirectory(lower.root, 'a', directory);
    const tree = new OverlayTree([lower], new MemoryTree());
    await expect(async () => tree.rename(tree.root, 'a', tree.root, 'b', {})).rejects.toThrow('EXDEV');
  });

  it('a file that is open and removed is copied when it is written, and stays removed', async () => {
    const lower = lowerWith('a');
    const upper = new MemoryTree();
    const tree = new OverlayTree([lower], upper);
    const { inode } = (await tree.lookup(tree.root, 'a'))!;
    await tree.unlink(tree.root, 'a');
    await tree.write(inode, 0, [Buffer.from('changed')], { killPrivileges: false });
    const bytes = Buffer.alloc(20);
    expect(bytes.subarray(0, (await tree.read(inode, 0, [bytes])) as number).toString()).toBe('changed');
    expect(await tree.lookup(tree.root, 'a')).toBeUndefined();
    expect((await tree.list(tree.root, 0, 10)).length).toBe(0);
  });

  it('gives back every reference to its layers', async () => {
    const lower = lowerWith('a', 'b');
    const upper = new MemoryTree();
    const free = upper.statistics().blocksFree;
    const tree = new OverlayTree([lower], upper);
    const held = (await tree.lookup(tree.root, 'a'))!.inode;
    await tree.setAttributes(held, { mode: 0o600 });
    await tree.unlink(tree.root, 'a');
    tree.forget(held, 1);
    for (const name of ['a', 'b']) expect(lower.lookup(lower.root, name)!.inode.references).toBe(1 + 1);
    await tree.makeNode(tree.root, 'a', file);
    await tree.unlink(tree.root, 'a');
    const whiteout = upper.lookup(upper.root, 'a')!.inode;
    expect(whiteout.references).toBe(1);
    upper.forget(whiteout, 1);
    upper.unlink(upper.root, 'a');
    expect(upper.statistics().blocksFree).toBe(free);
  });

  it('a full upper layer leaves the file below as it was', async () => {
    const lower = new MemoryTree();
    const { inode } = lower.makeNode(lower.root, 'big', file);
    lower.write(inode, 0, [Buffer.alloc(300_000, 7)], { killPrivileges: false });
    const tree = new OverlayTree([lower], new MemoryTree({ capacity: 100_000 }));
    const big = (await tree.lookup(tree.root, 'big'))!.inode;
    const write = async () => tree.write(big, 0, [Buffer.from('x')], { killPrivileges: false });
    await expect(write).rejects.toThrow('ENOSPC');
    const again = (await tree.lookup(tree.root, 'big'))!;
    expect(again.attributes.size).toBe(300_000);
    const bytes = Buffer.alloc(10);
    await tree.read(again.inode, 0, [bytes]);
    expect([...bytes]).toEqual(Array(10).fill(7));
  });
});
