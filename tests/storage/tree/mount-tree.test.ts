import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S_IFDIR, S_IFREG } from '../../../src/storage/tree/file-mode.ts';
import type { MemoryInode } from '../../../src/storage/tree/memory-inode.ts';
import { MemoryTree } from '../../../src/storage/tree/memory-tree.ts';
import type { MountInode } from '../../../src/storage/tree/mount-inode.ts';
import { MountTree } from '../../../src/storage/tree/mount-tree.ts';
import { SharedFolders } from '../../../src/worker/shared-folders.ts';

const FILE = { mode: S_IFREG | 0o644, uid: 1, gid: 2 };
const DIRECTORY = { mode: S_IFDIR | 0o755, uid: 0, gid: 0 };

async function enter(tree: MountTree, ...path: string[]): Promise<MountInode> {
  let at = tree.root;
  for (const name of path) {
    const entry = await tree.lookup(at, name);
    if (entry === undefined) throw new Error(`${path.join('/')}: no ${name}`);
    at = entry.inode;
  }
  return at;
}

const code = (action: () => unknown) => {
  const nameOf = (error: unknown) => (error as { code?: string }).code;
  try {
    const answer = action();
    return answer instanceof Promise ? answer.then(() => 'done', nameOf) : 'done';
  } catch (error) {
    return nameOf(error);
  }
};

describe('a tree of mounts', () => {
  it('shows what is attached, lets it be changed through it, and nothing else', async () => {
    const tree = new MountTree();
    const below = new MemoryTree();
    tree.attach('one', below);
    const one = await enter(tree, 'one');
    const { inode } = await tree.makeNode(one, 'file', FILE);
    await tree.write(inode, 0, [new Uint8Array([1, 2, 3])], { killPrivileges: false });
    expect((await tree.attributes(inode)).size).toBe(3);
    expect((await tree.list(tree.root, 0, 10)).map(({ name }) => name)).toEqual(['one']);
    expect((await tree.list(one, 0, 10)).map(({ name, number }) => [name, number])).toEqual([
      ['file', inode.number],
    ]);
    const inner = below.lookup(below.root, 'file')!;
    expect(below.attributes(inner.inode).uid).toBe(1);
    expect(await code(() => tree.makeDirectory(tree.root, 'two', DIRECTORY))).toBe('EPERM');
    expect(await code(() => tree.unlink(tree.root, 'one'))).toBe('EPERM');
    expect(await tree.lookup(tree.root, 'two')).toBeUndefined();
  });

  it('never joins two trees: renaming and linking across them is EXDEV', async () => {
    const tree = new MountTree();
    tree.attach('one', new MemoryTree());
    tree.attach('two', new MemoryTree());
    const [one, two] = [await enter(tree, 'one'), await enter(tree, 'two')];
    const { inode } = await tree.makeNode(one, 'file', FILE);
    expect(await code(() => tree.rename(one, 'file', two, 'file', {}))).toBe('EXDEV');
    expect(await code(() => tree.link(inode, two, 'file'))).toBe('EXDEV');
    expect(await code(() => tree.link(inode, one, 'again'))).toBe('done');
  });

  it('a tree that is only read stays so', async () => {
    const tree = new MountTree();
    tree.attach('one', new MemoryTree({ readonly: true }));
    const one = await enter(tree, 'one');
    expect(await code(() => tree.makeNode(one, 'file', FILE))).toBe('EROFS');
    expect(await code(() => tree.setAttributes(one, { mode: 0 }))).toBe('EROFS');
  });

  it('what is detached is ESTALE for whoever holds it, and its name is never used again', async () => {
    const tree = new MountTree();
    tree.attach('one', new MemoryTree());
    const one = await enter(tree, 'one');
    const { inode } = await tree.makeNode(one, 'file', FILE);
    await tree.detach('one');
    expect(await code(() => tree.attributes(inode))).toBe('ESTALE');
    expect(await code(() => tree.lookup(one, 'file'))).toBe('ESTALE');
    tree.forget(inode, 1);
    tree.forget(one, 1);
    expect(await code(() => tree.attach('one', new MemoryTree()))).toBe('EEXIST');
    expect(await code(() => tree.detach('one'))).toBe('ENOENT');
    expect(await code(() => tree.attach('../two', new MemoryTree()))).toBe('EINVAL');
  });

  it('inode numbers of different trees differ, and references are given back to the tree', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-c]$/), { minLength: 1 });
    const files = fc.array(names, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(files, fc.integer({ min: 1, max: 4 }), (all, times) => {
        const tree = new MountTree();
        const numbers = new Set<number>();
        let count = 0;
        for (const [index, names] of all.entries()) {
          const below = new MemoryTree();
          const held: MemoryInode[] = [];
          for (const name of names) held.push(below.makeNode(below.root, name, FILE).inode);
          for (const inode of held) below.forget(inode, 1);
          tree.attach(`t${index}`, below);
          const root = tree.lookup(tree.root, `t${index}`) as { inode: MountInode };
          for (const name of names) {
            let inode: MountInode | undefined;
            for (let time = 0; time < times; time++) {
              const entry = tree.lookup(root.inode, name) as { inode: MountInode };
              expect(inode === undefined || entry.inode === inode).toBe(true);
              inode = entry.inode;
            }
            numbers.add(inode!.number);
            count++;
            tree.forget(inode!, times);
          }
          expect(held.map(({ references }) => references)).toEqual(held.map(() => 0));
        }
        expect(numbers.size).toBe(count);
      }),
    );
  });

  it('is attached to by the tag of its share; other kinds of shares refuse', async () => {
    const tree = new MountTree();
    const shares = [
      { tag: 'layers', tree },
      { tag: 'other', tree: new MemoryTree() },
    ];
    const folders = new SharedFolders(shares, () => {});
    await folders.attach('layers', 'one', { kind: 'memory' });
    expect((await tree.list(tree.root, 0, 10)).map(({ name }) => name)).toEqual(['one']);
    await expect(folders.attach('layers', 'one', { kind: 'memory' })).rejects.toThrow('has been used');
    await expect(folders.attach('other', 'one', { kind: 'memory' })).rejects.toThrow("kind: 'mounts'");
    await folders.detach('layers', 'one');
    expect(await tree.list(tree.root, 0, 10)).toEqual([]);
  });
});
