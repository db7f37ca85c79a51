// Random file operations by path, done on a tree of ours and, with Node's functions, on a directory of the host: the
// host's kernel says what is right.

import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import fc from 'fast-check';
import { bytesOf } from '../../../src/storage/tree/byte-name.ts';
import { isDirectory, isRegular, isSymlink, S_IFDIR, S_IFREG } from '../../../src/storage/tree/file-mode.ts';
import type { Attributes, Entry, FileSystem, Inode } from '../../../src/storage/tree/file-system.ts';
import { FileSystemError, fail } from '../../../src/storage/tree/file-system-error.ts';

export type Operation =
  | { kind: 'create' | 'mkdir'; path: string; mode: number }
  | { kind: 'symlink'; path: string; target: string }
  | { kind: 'link' | 'rename'; path: string; other: string }
  | { kind: 'unlink' | 'rmdir' | 'readlink' | 'list'; path: string }
  | { kind: 'write'; path: string; offset: number; bytes: Uint8Array }
  | { kind: 'read'; path: string; offset: number; length: number }
  | { kind: 'truncate'; path: string; size: number }
  | { kind: 'chmod'; path: string; mode: number }
  | { kind: 'chown'; path: string; uid: number; gid: number }
  | { kind: 'times'; path: string; atime: number; mtime: number }
  | { kind: 'stat'; path: string };

/** What an operation came to: an error's name, or what can be compared. */
export type Outcome = string;

// Names are bytes: the last of them is no UTF-8.
const names = ['a', 'b', 'c', 'd', '\xff\xfe'];
const path = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'));
/** Modes bind only those who are not root. */
export const isRoot = process.getuid?.() === 0;
const permissions = fc.integer({ min: 0, max: 0o7777 }).map((mode) => (isRoot ? mode : mode | 0o700));
const offset = fc.oneof(fc.nat(300), fc.constantFrom(65_530, 70_000, 200_000));
const owner = fc.integer({ min: 0, max: 70_000 });
const seconds = fc.integer({ min: 0, max: 2_000_000_000 });

export const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constantFrom('create', 'mkdir'), path, mode: permissions }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('symlink'),
        path,
        target: fc.constantFrom('a', '/etc/passwd', '../..'),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('link', 'rename'), path, other: path }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom('unlink', 'rmdir', 'readlink', 'list'), path }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('write'),
        path,
        offset,
        bytes: fc.uint8Array({ maxLength: 300 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('read'), path, offset, length: fc.nat(400) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate'), path, size: offset }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('chmod'), path, mode: permissions }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('chown'), path, uid: owner, gid: owner }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('times'), path, atime: seconds, mtime: seconds }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('stat'), path }) },
  ) as fc.Arbitrary<Operation>,
  { minLength: 1, maxLength: 60 },
);

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Sizes of directories and the links they have differ between file systems. */
function comparable(attributes: Pick<Attributes, 'mode' | 'uid' | 'gid' | 'size' | 'links'>): string {
  const { mode, uid, gid, size, links } = attributes;
  const shown = isDirectory(mode) ? '' : ` ${size} ${links}`;
  return `${mode.toString(8)} ${uid} ${gid}${shown}`;
}

/** What belongs to whoever runs the test belongs to root in a tree. */
function asShown({ mode, uid, gid, size, nlink }: Stats) {
  return {
    mode,
    uid: uid === process.getuid?.() ? 0 : uid,
    gid: gid === process.getgid?.() ? 0 : gid,
    size,
    links: nlink,
  };
}

/** Does an operation with Node's functions below a directory of the host. */
export function onHost(root: string, operation: Operation): Outcome {
  const at = (path: string) => Buffer.concat([Buffer.from(`${root}/`), bytesOf(path)]);
  // Node follows links in the middle of a path and a kernel's file system does not: those are left out.
  const place = at(operation.path);
  try {
    refuseLinksIn(root, operation.path);
    // A kernel looks at the file to be linked before it looks at the new name.
    if (operation.kind === 'link') lstatSync(place);
    if ('other' in operation) refuseLinksIn(root, operation.other);
    switch (operation.kind) {
      case 'create':
        closeSync(openSync(place, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
        chmodSync(place, operation.mode);
        return 'done';
      case 'mkdir':
        mkdirSync(place, 0o700);
        chmodSync(place, operation.mode);
        return 'done';
      case 'symlink':
        symlinkSync(operation.target, place);
        return 'done';
      case 'link':
        linkSync(place, at(operation.other));
        return 'done';
      case 'rename':
        renameSync(place, at(operation.other));
        return 'done';
      case 'unlink':
        unlinkSync(place);
        return 'done';
      case 'rmdir':
        rmdirSync(place);
        return 'done';
      case 'readlink':
        return readlinkSync(place, 'latin1');
      case 'list':
        // A tree is never asked to follow a link.
        if (lstatSync(place).isSymbolicLink()) return 'ENOTDIR';
        return readdirSync(place, 'latin1').sort().join(' ');
      case 'stat': {
        const info = lstatSync(place);
        return comparable(asShown(info));
      }
      case 'write': {
        const fd = openSync(place, constants.O_RDWR | constants.O_NOFOLLOW);
        writeSync(fd, operation.bytes, 0, operation.bytes.length, operation.offset);
        closeSync(fd);
        return 'done';
      }
      case 'read': {
        const fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW);
        // Node answers a read of nothing by itself; the kernel would refuse it for a directory.
        const bytes = Buffer.alloc(Math.max(1, operation.length));
        try {
          const count = readSync(fd, bytes, 0, bytes.length, operation.offset);
          return hex(bytes.subarray(0, Math.min(count, operation.length)));
        } finally {
          closeSync(fd);
        }
      }
      case 'truncate': {
        if (lstatSync(place).isSymbolicLink()) return 'EINVAL';
        truncateSync(place, operation.size);
        return 'done';
      }
      case 'chmod':
        if (lstatSync(place).isSymbolicLink()) return 'done';
        chmodSync(place, operation.mode);
        return 'done';
      case 'chown':
        if (lstatSync(place).isSymbolicLink()) lchownSync(place, operation.uid, operation.gid);
        else chownSync(place, operation.uid, operation.gid);
        return 'done';
      case 'times': {
        lutimesSync(place, operation.atime, operation.mtime);
        const info = lstatSync(place);
        return `${info.atimeMs} ${info.mtimeMs}`;
      }
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    // A link where a file was to be opened; a kernel sees the link before it asks a file system to open it.
    if (code === 'ELOOP') return 'EINVAL';
    return code;
  }
}

function refuseLinksIn(root: string, path: string): void {
  const parts = path.split('/');
  for (let count = 1; count < parts.length; count++) {
    const part = Buffer.concat([Buffer.from(`${root}/`), bytesOf(parts.slice(0, count).join('/'))]);
    const info = lstatSync(part, { throwIfNoEntry: false });
    if (info === undefined) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
    if (!info.isDirectory()) throw Object.assign(new Error('no directory'), { code: 'ENOTDIR' });
  }
}

/** Does the same on a tree, as a kernel would: one lookup for each part of a path. */
export async function onTree(tree: FileSystem, operation: Operation): Promise<Outcome> {
  const held: Inode[] = [];
  const hold = (entry: Entry | undefined): Entry => {
    if (entry === undefined) return fail('ENOENT');
    held.push(entry.inode);
    return entry;
  };
  const directoryOf = async (path: string): Promise<Inode> => {
    let at = tree.root;
    for (const part of path.split('/').slice(0, -1)) {
      const entry = hold(await tree.lookup(at, part));
      if (!isDirectory(entry.attributes.mode)) fail('ENOTDIR');
      at = entry.inode;
    }
    return at;
  };
  const nameOf = (path: string) => path.split('/').at(-1)!;
  const resolve = async (path: string): Promise<Entry> =>
    hold(await tree.lookup(await directoryOf(path), nameOf(path)));
  const newFile = (mode: number) => ({ mode, uid: 0, gid: 0 });
  try {
    const { path } = operation;
    switch (operation.kind) {
      case 'create':
        hold(await tree.makeNode(await directoryOf(path), nameOf(path), newFile(S_IFREG | operation.mode)));
        return 'done';
      case 'mkdir': {
        const directory = await directoryOf(path);
        const { inode } = hold(
          await tree.makeDirectory(directory, nameOf(path), newFile(S_IFDIR | operation.mode)),
        );
        // Set-group-ID is inherited; the oracle sets the mode after it.
        await tree.setAttributes(inode, { mode: operation.mode });
        return 'done';
      }
      case 'symlink':
        hold(await tree.makeSymlink(await directoryOf(path), nameOf(path), operation.target, newFile(0o777)));
        return 'done';
      case 'link': {
        const { inode, attributes } = await resolve(path);
        const directory = await directoryOf(operation.other);
        const there = await tree.lookup(directory, nameOf(operation.other));
        if (there !== undefined) {
          hold(there);
          // The kernel looks at the new name first.
          fail('EEXIST');
        }
        if (isDirectory(attributes.mode)) fail('EPERM');
        hold(await tree.link(inode, directory, nameOf(operation.other)));
        return 'done';
      }
      case 'rename': {
        const from = await directoryOf(path);
        const to = await directoryOf(operation.other);
        await tree.rename(from, nameOf(path), to, nameOf(operation.other), {});
        return 'done';
      }
      case 'unlink':
        await tree.unlink(await directoryOf(path), nameOf(path));
        return 'done';
      case 'rmdir':
        await tree.removeDirectory(await directoryOf(path), nameOf(path));
        return 'done';
      case 'readlink':
        return await tree.readLink((await resolve(path)).inode);
      case 'list': {
        const { inode, attributes } = await resolve(path);
        if (!isDirectory(attributes.mode)) fail('ENOTDIR');
        const found: string[] = [];
        for (let after = 0; ; ) {
          const some = await tree.list(inode, after, 2);
          if (some.length === 0) break;
          found.push(...some.map((entry) => entry.name));
          after = some.at(-1)!.cookie;
        }
        return found.sort().join(' ');
      }
      case 'stat':
        return comparable((await resolve(path)).attributes);
      case 'write': {
        const { inode } = await resolve(path);
        if (operation.bytes.length === 0) {
          // Nothing to write, but it must be a file.
          await tree.read(inode, 0, []);
          return 'done';
        }
        const cut = operation.bytes.length >> 1;
        const parts = [operation.bytes.subarray(0, cut), operation.bytes.subarray(cut)];
        await tree.write(inode, operation.offset, parts, { killPrivileges: false });
        return 'done';
      }
      case 'read': {
        const { inode } = await resolve(path);
        const bytes = new Uint8Array(operation.length);
        const cut = operation.length >> 1;
        const answer = tree.read(inode, operation.offset, [bytes.subarray(0, cut), bytes.subarray(cut)]);
        return hex(typeof answer === 'number' ? bytes.subarray(0, answer) : await answer);
      }
      case 'truncate':
        await tree.setAttributes((await resolve(path)).inode, { size: operation.size });
        return 'done';
      case 'chmod': {
        const { inode, attributes } = await resolve(path);
        if (!isSymlink(attributes.mode)) await tree.setAttributes(inode, { mode: operation.mode });
        return 'done';
      }
      case 'chown': {
        const { uid, gid } = operation;
        await tree.setAttributes((await resolve(path)).inode, { uid, gid });
        return 'done';
      }
      case 'times': {
        const time = (value: number) => BigInt(value) * 1_000_000_000n;
        const changes = { atime: time(operation.atime), mtime: time(operation.mtime) };
        const after = await tree.setAttributes((await resolve(path)).inode, changes);
        return `${Number(after.atime / 1_000_000n)} ${Number(after.mtime / 1_000_000n)}`;
      }
      default:
        throw new Error(`${JSON.stringify(operation)} is no operation`);
    }
  } catch (error) {
    if (error instanceof FileSystemError) return error.code;
    throw error;
  } finally {
    for (const inode of held) tree.forget(inode, 1);
  }
}

/** Everything in a tree: a line for each file, with what can be compared. */
export async function describeTree(tree: FileSystem, inode: Inode = tree.root, path = ''): Promise<string[]> {
  const lines: string[] = [];
  for (const { name, mode } of await tree.list(inode, 0, 1000)) {
    const entry = await tree.lookup(inode, name);
    if (entry === undefined) throw new Error(`${path}/${name} is listed but not there`);
    const { attributes } = entry;
    if ((attributes.mode & 0o170000) !== (mode & 0o170000)) throw new Error(`${path}/${name}: another type`);
    let contents = '';
    if (isRegular(attributes.mode)) {
      const bytes = new Uint8Array(attributes.size);
      const answer = tree.read(entry.inode, 0, [bytes]);
      contents = hex(typeof answer === 'number' ? bytes.subarray(0, answer) : await answer);
    } else if (isSymlink(attributes.mode)) contents = await tree.readLink(entry.inode);
    lines.push(`${path}/${name} ${comparable(attributes)} ${contents}`);
    if (isDirectory(attributes.mode))
      lines.push(...(await describeTree(tree, entry.inode, `${path}/${name}`)));
    tree.forget(entry.inode, 1);
  }
  return lines.sort();
}

/** The same of a directory of the host. */
export function describeHost(root: string, path = ''): string[] {
  const lines: string[] = [];
  for (const name of readdirSync(Buffer.concat([Buffer.from(root), bytesOf(path)]), 'latin1')) {
    const place = Buffer.concat([Buffer.from(root), bytesOf(`${path}/${name}`)]);
    const info = lstatSync(place);
    let contents = '';
    if (info.isFile()) contents = hex(readFileSync(place));
    else if (info.isSymbolicLink()) contents = readlinkSync(place, 'latin1');
    lines.push(`${path}/${name} ${comparable(asShown(info))} ${contents}`);
    if (info.isDirectory()) lines.push(...describeHost(root, `${path}/${name}`));
  }
  return lines.sort();
}
