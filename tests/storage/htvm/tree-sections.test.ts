import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HtvmError } from '../../../src/storage/htvm/htvm-error.ts';
import { HtvmFile } from '../../../src/storage/htvm/htvm-reader.ts';
import { assembleHtvm, SectionPacker } from '../../../src/storage/htvm/htvm-writer.ts';
import { packTree, unpackTree } from '../../../src/storage/htvm/tree-sections.ts';
import { addFiles } from '../../../src/storage/tree/file-set.ts';
import { FileSystemError } from '../../../src/storage/tree/file-system-error.ts';
import { MemoryTree } from '../../../src/storage/tree/memory-tree.ts';
import { captureTree, fillTree, TreeImageError } from '../../../src/storage/tree/memory-tree-image.ts';
import { MANIFEST } from './synthetic.ts';

/** A tree with something of everything. */
function someTree(): MemoryTree {
  const tree = new MemoryTree();
  const { root } = tree;
  const { inode: directory } = tree.makeDirectory(root, 'd', { mode: 0o2750, uid: 5, gid: 6 });
  const { inode: file } = tree.makeNode(directory, '\xff\xfe', { mode: 0o104711, uid: 1, gid: 2 });
  void tree.write(file, 200_000, [new Uint8Array(70_000).fill(9)], { killPrivileges: false });
  tree.setXattr(file, 'user.x', Uint8Array.of(0, 255), {});
  tree.link(file, root, 'again');
  tree.makeSymlink(root, 's', 'd/\xff\xfe', { mode: 0o777, uid: 0, gid: 0 });
  tree.makeNode(root, 'null', { mode: 0o020666, uid: 0, gid: 0, device: 0x103 });
  addFiles(tree, [
    { path: 'deep/er/blob', contents: new Blob(['of a blob']) },
    { path: 'empty', contents: new Uint8Array() },
  ]);
  tree.setAttributes(directory, { atime: 1n, mtime: 2n, ctime: 3n });
  return tree;
}

const show = async (tree: MemoryTree) => captureTree(tree)();

it('a tree comes back as it was: names, links, owners, modes, times, holes, attributes', async () => {
  const tree = someTree();
  const image = await show(tree);
  const packer = new SectionPacker('gzip');
  await packTree(packer, 'share/0', image);
  const file = await HtvmFile.open(await assembleHtvm(MANIFEST, [packer.finish()]));
  const again = new MemoryTree();
  fillTree(again, await unpackTree(file, 'share/0'));
  const shown = await show(again);
  expect(shown.map(({ extents: _, ...node }) => node)).toEqual(image.map(({ extents: _, ...node }) => node));
  for (const [index, { extents = [] }] of image.entries()) {
    expect(
      shown[index]!.extents?.map(({ offset, bytes }) => [offset, Buffer.from(bytes).toString('hex')]) ?? [],
    ).toEqual(extents.map(({ offset, bytes }) => [offset, Buffer.from(bytes).toString('hex')]));
  }
  const [first, second] = ['d', 'again'].map((name) => again.lookup(again.root, name)!.inode);
  expect(again.lookup(first!, '\xff\xfe')!.inode).toBe(second);
  // A hole stays one.
  expect(again.attributes(second!).blocks * 512).toBeLessThan(200_000);
});

it('is that of the moment when it was captured', async () => {
  const tree = someTree();
  const read = captureTree(tree);
  const before = JSON.stringify(await show(tree));
  tree.unlink(tree.root, 'again');
  const { inode } = tree.lookup(tree.root, 'd')!;
  void tree.write(tree.lookup(inode, '\xff\xfe')!.inode, 0, [Uint8Array.of(1)], { killPrivileges: false });
  expect(JSON.stringify(await read())).toBe(before);
});

it('any list of nodes fills a tree or is refused', async () => {
  const name = fc.constantFrom('a', 'b', '..', '.', '', 'a/b', 'x\0', '\u1234', 'y'.repeat(256));
  const node = fc.record({
    names: fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), name), { maxLength: 2 }),
    mode: fc.constantFrom(0o40755, 0o100644, 0o120777, 0o20666, 0o644, 0),
    uid: fc.constant(0),
    gid: fc.constant(0),
    device: fc.constant(0),
    times: fc.constant(['0', '0', '0']),
    size: fc.option(fc.constantFrom(0, 5, 2 ** 50), { nil: undefined }),
    extents: fc.option(
      fc.array(fc.tuple(fc.constantFrom(0, 3, 2 ** 45), fc.constantFrom(0, 4)), { maxLength: 2 }),
      {
        nil: undefined,
      },
    ),
  });
  const root = { names: [], mode: 0o40755, uid: 0, gid: 0, device: 0, times: ['0', '0', '0'] };
  await fc.assert(
    fc.asyncProperty(fc.array(node, { maxLength: 4 }), fc.boolean(), async (nodes, withRoot) => {
      const listed = withRoot ? [root, ...nodes] : nodes;
      const length = listed.reduce(
        (sum, item) =>
          sum + ('extents' in item ? (item.extents ?? []).reduce((all, [, bytes]) => all + bytes, 0) : 0),
        0,
      );
      const packer = new SectionPacker('raw');
      await packer.add('share/0/nodes', 1, new TextEncoder().encode(JSON.stringify(listed)));
      if (length > 0) await packer.add('share/0/0', 1, new Uint8Array(length).fill(1));
      const file = await HtvmFile.open(await assembleHtvm(MANIFEST, [packer.finish()]));
      try {
        fillTree(new MemoryTree(), await unpackTree(file, 'share/0'));
      } catch (error) {
        const isKnown = [HtvmError, TreeImageError, FileSystemError].some((type) => error instanceof type);
        if (!isKnown) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
