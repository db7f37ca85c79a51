// The files of a tree by their paths, for those who are not its guest.
import { type ByteString, checkName, fromText, toText } from './byte-name.ts';
import { isDirectory, isRegular } from './file-mode.ts';
import type { Entry, FileSystem, Inode } from './file-system.ts';
import { fail } from './file-system-error.ts';

/** A regular file: its path below the directory that was listed, bytes, and milliseconds since 1970. */
export interface TreeFile {
  path: string;
  size: number;
  modified: number;
}

/** Most files of one listing, and directories below each other in it: a guest can make any number. */
export const LISTED_MAX = 1000;
const DEPTH_MAX = 32;
/** Names looked at for one listing, whatever they are. */
const SEEN_MAX = 20_000;
/** Entries asked for at a time. */
const LIST_STEP = 256;
/** Largest file that is read as a whole, in bytes: a guest can make one of 8 TiB that takes no room. */
export const READ_MAX = 2 ** 31;
const PIECE = 1 << 22;

/**
 * Lists regular files in a directory and below it, at most LISTED_MAX; links are not followed, and names that are not
 * UTF-8 are left out.
 * @param path of the directory, without a slash at either end; '' for the root
 * @throws {FileSystemError} EINVAL for a path that is none, ENOENT, ENOTDIR
 */
export async function listFiles(tree: FileSystem, path = ''): Promise<TreeFile[]> {
  const found: TreeFile[] = [];
  let seen = 0;
  const visit = async (directory: Inode, prefix: string, depth: number): Promise<void> => {
    for (let after = 0; found.length < LISTED_MAX && seen < SEEN_MAX; ) {
      const entries = await tree.list(directory, after, LIST_STEP);
      for (const { name, cookie } of entries) {
        after = cookie;
        if (found.length >= LISTED_MAX || ++seen > SEEN_MAX) return;
        const text = toText(name);
        if (text === undefined) continue;
        await withEntry(tree, directory, name, async (entry) => {
          // It may be gone meanwhile.
          if (entry === undefined) return;
          const { mode, size, mtime } = entry.attributes;
          if (isDirectory(mode) && depth < DEPTH_MAX)
            await visit(entry.inode, `${prefix}${text}/`, depth + 1);
          else if (isRegular(mode))
            found.push({ path: prefix + text, size, modified: Number(mtime / 1_000_000n) });
        });
      }
      if (entries.length < LIST_STEP) return;
    }
  };
  await at(tree, path, (directory) => visit(directory, '', 0));
  return found;
}

/**
 * Reads a regular file as a whole.
 * @throws {FileSystemError} EINVAL for a path that is none or what is no regular file, ENOENT, ENOTDIR, EFBIG above READ_MAX
 */
export async function readFile(tree: FileSystem, path: string): Promise<Blob> {
  return at(tree, path, async (inode) => {
    const { mode, size } = await tree.attributes(inode);
    if (!isRegular(mode)) fail('EINVAL', 'it is not a regular file');
    if (size > READ_MAX) fail('EFBIG', `it has ${size} bytes; at most ${READ_MAX} can be handed out`);
    const pieces: Blob[] = [];
    for (let offset = 0; offset < size; ) {
      const bytes = new Uint8Array(Math.min(PIECE, size - offset));
      const answer = await tree.read(inode, offset, [bytes]);
      const piece = typeof answer === 'number' ? bytes.subarray(0, answer) : answer;
      if (piece.length === 0) break;
      // A blob of its own lies with the browser, not with the worker.
      pieces.push(new Blob([piece as Uint8Array<ArrayBuffer>]));
      offset += piece.length;
    }
    return new Blob(pieces);
  });
}

/** Calls `action` with the inode at a path, and lets go of it afterwards. */
function at<T>(tree: FileSystem, path: string, action: (inode: Inode) => Promise<T>): Promise<T> {
  const names = path === '' ? [] : path.split('/').map(fromText);
  for (const name of names) checkName(name);
  const descend = (inode: Inode, index: number): Promise<T> => {
    const name = names[index];
    if (name === undefined) return action(inode);
    return withEntry(tree, inode, name, (entry) =>
      entry === undefined
        ? fail('ENOENT', 'there is no such file or directory')
        : descend(entry.inode, index + 1),
    );
  };
  return descend(tree.root, 0);
}

async function withEntry<T>(
  tree: FileSystem,
  directory: Inode,
  name: ByteString,
  action: (entry: Entry | undefined) => Promise<T> | T,
): Promise<T> {
  const entry = await tree.lookup(directory, name);
  try {
    return await action(entry);
  } finally {
    if (entry !== undefined) tree.forget(entry.inode, 1);
  }
}
