import { describe, expect, it } from 'vitest';
import { addFiles, treeOfFiles } from '../../../src/storage/tree/file-set.ts';
import type { MemoryTree } from '../../../src/storage/tree/memory-tree.ts';

async function contents(tree: MemoryTree, path: string): Promise<string> {
  let at = tree.root;
  for (const part of path.split('/')) at = tree.lookup(at, part)!.inode;
  const bytes = Buffer.alloc(100);
  const answer = tree.read(at, 0, [bytes]);
  return Buffer.from(typeof answer === 'number' ? bytes.subarray(0, answer) : await answer).toString();
}

describe('a set of files', () => {
  it('is a tree with the directories on their paths', async () => {
    const tree = treeOfFiles([
      { path: 'a/b/one', contents: new File(['one'], 'one', { lastModified: 1_234_567 }) },
      { path: 'a/two', contents: Buffer.from('two'), mode: 0o755 },
      { path: 'größe', contents: new Blob(['three']) },
    ]);
    expect(await contents(tree, 'a/b/one')).toBe('one');
    expect(await contents(tree, 'a/two')).toBe('two');
    expect(await contents(tree, Buffer.from('größe').toString('latin1'))).toBe('three');
    const a = tree.lookup(tree.root, 'a')!.inode;
    const b = tree.lookup(a, 'b')!.inode;
    expect(tree.lookup(b, 'one')!.attributes.mtime).toBe(1_234_567_000_000n);
    expect(tree.lookup(a, 'two')!.attributes.mode).toBe(0o100755);
  });

  it('takes more files later, and the guest may write to its own copy', async () => {
    const blob = new Blob(['original']);
    const tree = treeOfFiles([{ path: 'file', contents: blob }]);
    const { inode } = tree.lookup(tree.root, 'file')!;
    await tree.write(inode, 0, [Buffer.from('O')], { killPrivileges: false });
    expect(await contents(tree, 'file')).toBe('Original');
    expect(await blob.text()).toBe('original');
    addFiles(tree, [{ path: 'file', contents: new Blob(['newer']) }]);
    expect(await contents(tree, 'file')).toBe('newer');
  });

  it.each([[''], ['/a'], ['a/../b'], ['a//b'], ['a/'], ['.'], [`${'n'.repeat(256)}`]])(
    '%j is no path',
    (path) => {
      expect(() => treeOfFiles([{ path, contents: new Uint8Array() }])).toThrow(/no path for a file/);
    },
  );

  it('a file is no directory for another', () => {
    const files = ['a', 'a/b'].map((path) => ({ path, contents: new Uint8Array() }));
    expect(() => treeOfFiles(files)).toThrow(/is a file/);
  });
});
