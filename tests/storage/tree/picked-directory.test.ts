import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { FileSystemError } from '../../../src/storage/tree/file-system-error.ts';
import { PickedDirectory } from '../../../src/storage/tree/picked-directory.ts';
import { FakeDirectory, type FakeFile } from './fake-handles.ts';
import { describeHost, describeTree, type Operation, onHost, onTree, operations } from './tree-operations.ts';

const folder = mkdtempSync(join(tmpdir(), 'hypertab-picked-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let handle: FakeDirectory;
let tree: PickedDirectory;
beforeEach(() => {
  handle = new FakeDirectory();
  tree = new PickedDirectory(handle.asHandle);
});

const file = { mode: 0o100644, uid: 0, gid: 0 };
const text = async (inode: Parameters<PickedDirectory['read']>[0]) =>
  Buffer.from(await tree.read(inode, 0, [new Uint8Array(100)])).toString();
const codeOf = async (use: () => unknown): Promise<string> => {
  try {
    await use();
  } catch (error) {
    if (error instanceof FileSystemError) return error.code;
    throw error;
  }
  return 'none';
};

/** What such a directory can do at all; names are UTF-8. */
const possible = ({ kind, path, ...rest }: Operation) =>
  !['symlink', 'link', 'chown', 'times'].includes(kind) &&
  ![path, (rest as { other?: string }).other ?? ''].some((name) => name.includes('\xff'));

it('does what the host does, as far as it can', async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (list) => {
      const root = mkdtempSync(join(folder, 'oracle-'));
      const picked = new PickedDirectory(new FakeDirectory().asHandle);
      for (const [index, operation] of list.filter(possible).entries()) {
        const outcome = await onTree(picked, operation);
        if (outcome === 'EXDEV') continue;
        const where = `${index} ${operation.kind} ${operation.path}`;
        expect(`${where}: ${outcome}`).toBe(`${where}: ${onHost(root, operation)}`);
      }
      expect(await describeTree(picked)).toEqual(describeHost(root));
      await picked.close();
      expect(await describeTree(picked)).toEqual(describeHost(root));
      rmSync(root, { recursive: true, force: true });
    }),
    { numRuns: 100 },
  );
});

describe('a picked directory', () => {
  it('has what was written once it is synced, and by itself a little later', async () => {
    const { inode } = await tree.makeNode(tree.root, 'a', file);
    await tree.write(inode, 70_000, [Buffer.from('hello')]);
    const stored = handle.children.get('a') as FakeFile;
    expect(stored.bytes).toHaveLength(0);
    await tree.sync(inode);
    expect(stored.bytes).toHaveLength(70_005);
    await tree.write(inode, 0, [Buffer.from('again')]);
    await expect.poll(() => Buffer.from(stored.bytes.subarray(0, 5)).toString()).toBe('again');
  });

  it('shows what was changed outside', async () => {
    const { inode } = await tree.makeNode(tree.root, 'a', file);
    (handle.children.get('a') as FakeFile).bytes = Buffer.from('outside') as Uint8Array<ArrayBuffer>;
    expect(await text(inode)).toBe('outside');
    handle.children.delete('a');
    expect(await tree.lookup(tree.root, 'a')).toBeUndefined();
    handle.children.set('a', new FakeDirectory('a'));
    expect((await tree.lookup(tree.root, 'a'))!.attributes.mode & 0o170000).toBe(0o040000);
  });

  it('cut off and grown again is zero where it was cut', async () => {
    const { inode } = await tree.makeNode(tree.root, 'a', file);
    await tree.write(inode, 0, [Buffer.alloc(100_000, 1)]);
    await tree.sync(inode);
    await tree.setAttributes(inode, { size: 10 });
    await tree.setAttributes(inode, { size: 90_000 });
    await tree.sync(inode);
    const { bytes } = handle.children.get('a') as FakeFile;
    expect(bytes).toHaveLength(90_000);
    expect(bytes.reduce((sum, byte) => sum + byte, 0)).toBe(10);
  });

  it('a file that is removed is there for whoever has it open', async () => {
    const { inode } = await tree.makeNode(tree.root, 'a', file);
    await tree.write(inode, 0, [Buffer.from('kept')]);
    await tree.sync(inode);
    await tree.unlink(tree.root, 'a');
    expect(await text(inode)).toBe('kept');
    await tree.write(inode, 4, [Buffer.from('!')]);
    await tree.syncAll();
    expect(await text(inode)).toBe('kept!');
    expect(handle.children.size).toBe(0);
  });

  it('a full disk is told by sync, and the file stays whole', async () => {
    const { inode } = await tree.makeNode(tree.root, 'a', file);
    const stored = handle.children.get('a') as FakeFile;
    stored.quota = 10;
    await tree.write(inode, 0, [Buffer.from('much more than ten')]);
    expect(await codeOf(() => tree.sync(inode))).toBe('ENOSPC');
    expect(stored.bytes).toHaveLength(0);
    expect(await text(inode)).toBe('much more than ten');
  });

  it('refuses what it cannot hold, and changes nothing when read-only', async () => {
    expect(await codeOf(() => tree.makeSymlink())).toBe('EPERM');
    expect(await codeOf(() => tree.makeNode(tree.root, 'x', { ...file, mode: 0o020644 }))).toBe('EPERM');
    expect(await codeOf(() => tree.makeNode(tree.root, '\xff', file))).toBe('EINVAL');
    expect(await tree.lookup(tree.root, '\xff')).toBeUndefined();
    const view = new PickedDirectory(handle.asHandle, { readonly: true });
    expect(await codeOf(() => view.makeNode(view.root, 'x', file))).toBe('EROFS');
    expect(await codeOf(() => view.unlink(view.root, 'x'))).toBe('EROFS');
  });
});
