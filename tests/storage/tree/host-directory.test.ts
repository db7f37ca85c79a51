import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeDevice, S_IFCHR, S_IFIFO, S_IFREG } from '../../../src/storage/tree/file-mode.ts';
import { FileSystemError } from '../../../src/storage/tree/file-system-error.ts';
import { HostDirectory } from '../../../src/storage/tree/host-directory-node.ts';

const folder = mkdtempSync(join(tmpdir(), 'hypertab-host-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let outside: string;
let share: string;
let tree: HostDirectory;
beforeEach(() => {
  const place = mkdtempSync(join(folder, 'case-'));
  outside = join(place, 'outside');
  share = join(place, 'share');
  mkdirSync(outside);
  mkdirSync(share);
  writeFileSync(join(outside, 'secret'), 'secret');
  tree = new HostDirectory(share);
});

const codeOf = (use: () => unknown): string => {
  try {
    use();
  } catch (error) {
    if (error instanceof FileSystemError) return error.code;
    throw error;
  }
  return 'none';
};
const file = (mode: number) => ({ mode: S_IFREG | mode, uid: 0, gid: 0 });
const read = (inode: Parameters<HostDirectory['read']>[0]) => {
  const bytes = Buffer.alloc(100);
  return bytes.subarray(0, tree.read(inode, 0, [bytes])).toString();
};
const write = (inode: Parameters<HostDirectory['read']>[0], text: string) =>
  tree.write(inode, 0, [Buffer.from(text)], { killPrivileges: false });

describe('a host directory keeps a guest inside', () => {
  it('a symlink to the outside is a symlink, never what it leads to', () => {
    symlinkSync(join(outside, 'secret'), join(share, 'link'));
    symlinkSync(outside, join(share, 'links'));
    const link = tree.lookup(tree.root, 'link')!.inode;
    expect(tree.readLink(link)).toBe(join(outside, 'secret'));
    expect(codeOf(() => read(link))).toBe('EINVAL');
    expect(codeOf(() => write(link, 'x'))).toBe('EINVAL');
    expect(codeOf(() => tree.setAttributes(link, { size: 0 }))).toBe('EINVAL');
    const links = tree.lookup(tree.root, 'links')!.inode;
    expect(codeOf(() => tree.lookup(links, 'secret'))).toBe('ENOTDIR');
    expect(codeOf(() => tree.list(links, 0, 10))).toBe('ENOTDIR');
    expect(codeOf(() => tree.makeNode(links, 'new', file(0o644)))).toBe('ENOTDIR');
    expect(codeOf(() => tree.unlink(links, 'secret'))).toBe('ENOTDIR');
    tree.setAttributes(link, { mode: 0o777, uid: 1, gid: 1, mtime: 0n, atime: 0n });
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(lstatSync(join(outside, 'secret')).mtimeMs).toBeGreaterThan(0);
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  it('a file replaced by a symlink to the outside is not followed', () => {
    writeFileSync(join(share, 'file'), 'inside');
    const { inode } = tree.lookup(tree.root, 'file')!;
    rmSync(join(share, 'file'));
    symlinkSync(join(outside, 'secret'), join(share, 'file'));
    expect(codeOf(() => read(inode))).toBe('ESTALE');
    expect(codeOf(() => write(inode, 'x'))).toBe('ESTALE');
    expect(codeOf(() => tree.setAttributes(inode, { mode: 0o777 }))).toBe('ESTALE');
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('a directory replaced by a symlink to the outside is not entered', () => {
    mkdirSync(join(share, 'sub'));
    const { inode } = tree.lookup(tree.root, 'sub')!;
    renameSync(join(share, 'sub'), join(share, 'moved'));
    symlinkSync(outside, join(share, 'sub'));
    expect(codeOf(() => tree.lookup(inode, 'secret'))).toBe('ESTALE');
    expect(codeOf(() => tree.makeNode(inode, 'new', file(0o644)))).toBe('ESTALE');
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  it('the name of a directory that became a link while it is open stays the directory', () => {
    mkdirSync(join(share, 'sub'));
    const { inode } = tree.lookup(tree.root, 'sub')!;
    tree.makeNode(inode, 'one', file(0o644));
    renameSync(join(share, 'sub'), join(share, 'moved'));
    symlinkSync(outside, join(share, 'sub'));
    tree.makeNode(inode, 'two', file(0o644));
    expect(readdirSync(join(share, 'moved')).sort()).toEqual(['one', 'two']);
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  it('a FIFO of the host is not opened', () => {
    expect(spawnSync('mkfifo', [join(share, 'fifo')]).status).toBe(0);
    const { inode, attributes } = tree.lookup(tree.root, 'fifo')!;
    expect(attributes.mode & S_IFIFO).toBe(S_IFIFO);
    expect(codeOf(() => read(inode))).toBe('EINVAL');
  });

  it('read-only means that nothing changes', () => {
    writeFileSync(join(share, 'file'), 'inside');
    const view = new HostDirectory(share, { readonly: true });
    const { inode } = view.lookup(view.root, 'file')!;
    const changes = [
      () => view.write(inode, 0, [new Uint8Array(1)], { killPrivileges: false }),
      () => view.setAttributes(inode, { mode: 0 }),
      () => view.makeNode(view.root, 'x', file(0o644)),
      () => view.makeDirectory(view.root, 'x', file(0o755)),
      () => view.makeSymlink(view.root, 'x', 'y', file(0o777)),
      () => view.link(inode, view.root, 'x'),
      () => view.unlink(view.root, 'file'),
      () => view.removeDirectory(view.root, 'file'),
      () => view.rename(view.root, 'file', view.root, 'x', {}),
      () => view.setXattr(inode, 'user.a', new Uint8Array(1), {}),
      () => view.removeXattr(inode, 'user.a'),
      () => view.allocate(inode, 'allocate', 0, 100, { keepSize: false }),
    ];
    expect(changes.map(codeOf)).toEqual(changes.map(() => 'EROFS'));
    expect(readdirSync(share)).toEqual(['file']);
    view.close();
  });
});

describe('what the host cannot keep', () => {
  it('is kept in a table that outlives the share and follows a file that moves', () => {
    const { inode } = tree.makeNode(tree.root, 'file', { mode: S_IFREG | 0o4751, uid: 1000, gid: 1001 });
    tree.setXattr(inode, 'trusted.overlay.opaque', Buffer.from('y'), {});
    tree.makeNode(tree.root, 'null', { mode: S_IFCHR | 0o666, uid: 0, gid: 0, device: encodeDevice(1, 3) });
    tree.rename(tree.root, 'file', tree.root, 'other', {});
    tree.close();
    expect(lstatSync(join(share, 'null')).isFile()).toBe(true);
    expect(lstatSync(join(share, 'other')).mode & 0o7777).toBe(0o751);
    const again = new HostDirectory(share);
    const other = again.lookup(again.root, 'other')!;
    expect(other.attributes).toMatchObject({ mode: S_IFREG | 0o4751, uid: 1000, gid: 1001 });
    expect(Buffer.from(again.getXattr(other.inode, 'trusted.overlay.opaque')).toString()).toBe('y');
    expect(again.listXattrs(other.inode)).toEqual(['trusted.overlay.opaque']);
    const device = again.lookup(again.root, 'null')!;
    expect(device.attributes).toMatchObject({ mode: S_IFCHR | 0o666, device: encodeDevice(1, 3) });
    expect(again.list(again.root, 0, 10).map(({ name, mode }) => [name, mode])).toContainEqual([
      'null',
      S_IFCHR,
    ]);
    again.close();
  });

  it('cannot be seen or changed by a guest', () => {
    tree.makeNode(tree.root, 'file', { mode: S_IFREG | 0o4755, uid: 0, gid: 0 });
    const name = '.hypertab-attributes';
    expect(existsSync(join(share, name))).toBe(true);
    expect(tree.lookup(tree.root, name)).toBeUndefined();
    expect(tree.list(tree.root, 0, 10).map((entry) => entry.name)).toEqual(['file']);
    expect(codeOf(() => tree.unlink(tree.root, name))).toBe('ENOENT');
    expect(codeOf(() => tree.rename(tree.root, 'file', tree.root, name, {}))).toBe('EACCES');
    expect(codeOf(() => tree.makeNode(tree.root, name, file(0o644)))).toBe('EACCES');
  });

  it('does not cling to a file that gets the number of one that is gone', () => {
    const mode = S_IFREG | 0o4755;
    for (let round = 0; round < 20; round++) {
      const { attributes } = tree.makeNode(
        tree.root,
        'file',
        round % 2 === 0 ? { mode, uid: 5, gid: 5 } : file(0o600),
      );
      expect(attributes.mode).toBe(round % 2 === 0 ? mode : S_IFREG | 0o600);
      expect(attributes.uid).toBe(round % 2 === 0 ? 5 : 0);
      tree.unlink(tree.root, 'file');
    }
  });

  it('a damaged table loses its damaged lines only', () => {
    tree.makeNode(tree.root, 'file', { mode: S_IFREG | 0o4755, uid: 7, gid: 0 });
    tree.close();
    const table = join(share, '.hypertab-attributes');
    writeFileSync(table, `\0\0{"key":5}\nnull\n${readFileSync(table, 'utf8')}{"key":"1:2","mo`);
    const again = new HostDirectory(share);
    expect(again.lookup(again.root, 'file')!.attributes.uid).toBe(7);
    again.close();
  });
});

it('a file without a name is there for whoever has it open', () => {
  const { inode } = tree.makeNode(tree.root, 'file', file(0o644));
  write(inode, 'hello');
  tree.unlink(tree.root, 'file');
  expect(read(inode)).toBe('hello');
  write(inode, 'HELLO');
  expect(tree.attributes(inode)).toMatchObject({ links: 0, size: 5 });
  expect(read(inode)).toBe('HELLO');
  tree.forget(inode, 1);
});

it('a listing goes on where it was while names come and go', () => {
  for (let index = 0; index < 50; index++) writeFileSync(join(share, `file${index}`), '');
  const first = tree.list(tree.root, 0, 20);
  writeFileSync(join(share, 'new'), '');
  rmSync(join(share, first[0]!.name));
  tree.list(tree.root, 0, 5);
  const names = new Set(first.map(({ name }) => name));
  for (let after = first.at(-1)!.cookie; ; ) {
    const some = tree.list(tree.root, after, 7);
    if (some.length === 0) break;
    for (const { name } of some) {
      expect(names.has(name)).toBe(false);
      names.add(name);
    }
    after = some.at(-1)!.cookie;
  }
  expect([...names].filter((name) => name !== 'new')).toHaveLength(50);
});

it('works with more directories and files than it keeps open', () => {
  const inodes = Array.from({ length: 600 }, (_, index) => {
    const { inode } = tree.makeDirectory(tree.root, `d${index}`, file(0o755));
    const entry = tree.makeNode(inode, 'file', file(0o644));
    write(entry.inode, `${index}`);
    return entry.inode;
  });
  for (const [index, inode] of inodes.entries()) expect(read(inode)).toBe(`${index}`);
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(600);
  tree.close();
});

it('exchanges two names', () => {
  writeFileSync(join(share, 'a'), 'A');
  mkdirSync(join(share, 'b'));
  tree.rename(tree.root, 'a', tree.root, 'b', { exchange: true });
  expect(readFileSync(join(share, 'b'), 'utf8')).toBe('A');
  expect(readdirSync(share).sort()).toEqual(['a', 'b']);
  expect(lstatSync(join(share, 'a')).isDirectory()).toBe(true);
});

it('a path that is no directory is refused by name', () => {
  writeFileSync(join(share, 'file'), '');
  expect(() => new HostDirectory(join(share, 'file'))).toThrow(/is no directory/);
  expect(() => new HostDirectory(join(share, 'missing'))).toThrow(/missing/);
});
