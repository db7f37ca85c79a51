import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDevice, S_IFCHR, S_IFREG } from '../../../src/storage/tree/file-mode.ts';
import { addDirectory, addFiles, treeOfFiles } from '../../../src/storage/tree/file-set.ts';
import { MemoryTree } from '../../../src/storage/tree/memory-tree.ts';
import { LISTED_MAX, listFiles, READ_MAX, readFile } from '../../../src/storage/tree/tree-files.ts';

const owner = { uid: 0, gid: 0 };
const file = { ...owner, mode: S_IFREG | 0o644 };
const name = fc.constantFrom('a', 'b', 'c', 'größe', '日本');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

describe('the files of a tree by their paths', () => {
  it('are those that were put in, with their contents, and nothing holds them afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ path, contents: fc.uint8Array({ maxLength: 50 }), blob: fc.boolean() }), {
          selector: (each) => each.path,
          maxLength: 12,
        }),
        async (files) => {
          const tree = new MemoryTree({ now: () => 5_000_000n });
          const known = new Map<string, Uint8Array>();
          for (const { path, contents, blob } of files) {
            const inTheWay = [...known.keys()].some(
              (other) => other.startsWith(`${path}/`) || path.startsWith(`${other}/`),
            );
            if (inTheWay) continue;
            known.set(path, contents);
            const source = blob ? new Blob([contents as Uint8Array<ArrayBuffer>]) : contents;
            addFiles(tree, [{ path, contents: source }]);
          }
          const listed = await listFiles(tree);
          expect(listed.map(({ path }) => path).sort()).toEqual([...known.keys()].sort());
          for (const { path, size, modified } of listed) {
            expect([size, modified]).toEqual([known.get(path)!.length, 5]);
            const bytes = await (await readFile(tree, path)).arrayBuffer();
            expect(Buffer.from(bytes)).toEqual(Buffer.from(known.get(path)!));
          }
          const { files: all, filesFree } = tree.statistics();
          const used = all - filesFree;
          for (const { inode } of entriesOf(tree)) expect(inode.references).toBe(0);
          expect(used).toBe(entriesOf(tree).length + 1);
        },
      ),
    );
  });

  it('are regular ones only: links are not followed, devices and names that are no UTF-8 left out', async () => {
    const tree = treeOfFiles([{ path: 'there/real', contents: Buffer.from('x') }]);
    tree.makeSymlink(tree.root, 'link', '/etc/passwd', { ...file });
    tree.makeSymlink(tree.root, 'loop', '.', { ...file });
    tree.makeNode(tree.root, 'null', { ...owner, mode: S_IFCHR | 0o666, device: encodeDevice(1, 3) });
    tree.makeNode(tree.root, '\xff\xfe', file);
    expect((await listFiles(tree)).map(({ path }) => path)).toEqual(['there/real']);
    expect((await listFiles(tree, 'there')).map(({ path }) => path)).toEqual(['real']);
    await expect(readFile(tree, 'link')).rejects.toThrow('not a regular file');
    await expect(readFile(tree, 'loop/there/real')).rejects.toThrow('ENOTDIR');
    await expect(readFile(tree, 'null')).rejects.toThrow('not a regular file');
  });

  it.each(['..', '../x', '/x', 'x/', 'a//b', '.', 'a\0'])('refuses the path %j', async (bad) => {
    const tree = treeOfFiles([{ path: 'x', contents: Buffer.from('x') }]);
    await expect(readFile(tree, bad)).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(listFiles(tree, bad)).rejects.toMatchObject({ code: 'EINVAL' });
    expect(() => addFiles(tree, [{ path: bad, contents: Buffer.from('y') }])).toThrow('no path');
    expect(() => addDirectory(tree, bad)).toThrow('no path');
  });

  it('of a guest that makes too many, too deep or too large ones are bounded', async () => {
    const tree = new MemoryTree();
    for (let index = 0; index < LISTED_MAX + 500; index++) tree.makeNode(tree.root, `f${index}`, file);
    expect(await listFiles(tree)).toHaveLength(LISTED_MAX);
    addFiles(tree, [{ path: `${'d/'.repeat(200)}deep`, contents: Buffer.from('x') }]);
    expect((await listFiles(tree, 'd')).length).toBe(0);
    const { inode } = tree.makeNode(tree.root, 'huge', file);
    tree.setAttributes(inode, { size: READ_MAX + 1 });
    await expect(readFile(tree, 'huge')).rejects.toMatchObject({ code: 'EFBIG' });
  });

  it('tells of each change of what is in it', async () => {
    const tree = new MemoryTree();
    let changes = 0;
    tree.onChange = () => changes++;
    const changed = (action: () => unknown) => {
      const before = changes;
      action();
      return changes > before;
    };
    const { inode } = tree.makeNode(tree.root, 'name', file);
    expect(changed(() => tree.write(inode, 0, [Buffer.from('text')], { killPrivileges: false }))).toBe(true);
    expect(changed(() => tree.setAttributes(inode, { size: 1 }))).toBe(true);
    expect(changed(() => tree.rename(tree.root, 'name', tree.root, 'other', {}))).toBe(true);
    expect(changed(() => tree.unlink(tree.root, 'other'))).toBe(true);
    expect(changed(() => addDirectory(tree, 'some/where'))).toBe(true);
    expect(changed(() => addDirectory(tree, 'some/where'))).toBe(false);
    expect(changed(() => tree.list(tree.root, 0, 10))).toBe(false);
  });
});

/** Every inode with a name. */
function entriesOf(tree: MemoryTree, directory = tree.root): { inode: MemoryTree['root'] }[] {
  return [...directory.entries!.values()].flatMap(({ value }) => [
    { inode: value },
    ...(value.entries === undefined ? [] : entriesOf(tree, value)),
  ]);
}
