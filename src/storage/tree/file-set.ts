// Files that were dropped on the page, or made by it, as a tree.
import { type ByteString, fromText } from './byte-name.ts';
import { BlobSource, MemorySource } from './byte-source.ts';
import { S_IFDIR, S_IFREG } from './file-mode.ts';
import { fail } from './file-system-error.ts';
import type { MemoryInode } from './memory-inode.ts';
import { MemoryTree } from './memory-tree.ts';

/** A file and the name it is to have: a path without a slash at either end. */
export interface SetFile {
  path: string;
  contents: Blob | Uint8Array;
  /** Permissions; default 0644. */
  mode?: number;
}

/**
 * Adds files to a tree, with the directories on their paths; a file of the same name is replaced. Contents are read
 * when they are asked for, and copied when the guest writes to them.
 * @throws {FileSystemError} EINVAL for a path that is none, ENOTDIR, EISDIR
 */
export function addFiles(tree: MemoryTree, files: readonly SetFile[]): void {
  for (const { path, contents, mode = 0o644 } of files) {
    const parts = path.split('/').map((part) => checkPart(fromText(part), path));
    const name = parts.pop()!;
    let directory: MemoryInode = tree.root;
    for (const part of parts) directory = directoryIn(tree, directory, part);
    const old = directory.entries?.get(name);
    if (old !== undefined) tree.unlink(directory, name);
    const source = contents instanceof Uint8Array ? new MemorySource(contents) : new BlobSource(contents);
    const inode = tree.addFile(directory, name, { mode: S_IFREG | mode, uid: 0, gid: 0 }, source);
    const modified = (contents as Partial<File>).lastModified;
    if (modified !== undefined)
      tree.setAttributes(inode, { mtime: BigInt(Math.trunc(modified)) * 1_000_000n });
  }
}

/**
 * Makes a directory with those above it; one that is there already stays.
 * @throws {FileSystemError} EINVAL for a path that is none, ENOTDIR
 */
export function addDirectory(tree: MemoryTree, path: string): void {
  let directory = tree.root;
  const parts = path.split('/').map((part) => checkPart(fromText(part), path));
  for (const part of parts) directory = directoryIn(tree, directory, part);
}

/** A tree of files, without extended attributes: Linux asks for one at each change of each file where there may be some. */
export function treeOfFiles(files: readonly SetFile[], options: { readonly?: boolean } = {}): MemoryTree {
  const tree = new MemoryTree({ withoutXattrs: true });
  addFiles(tree, files);
  if (options.readonly) tree.seal();
  return tree;
}

function checkPart(part: ByteString, path: string): ByteString {
  if (part === '' || part === '.' || part === '..' || part.includes('\0') || part.length > 255) {
    fail('EINVAL', `'${path}' is no path for a file`);
  }
  return part;
}

function directoryIn(tree: MemoryTree, directory: MemoryInode, name: ByteString): MemoryInode {
  const known = directory.entries?.get(name);
  if (known?.entries !== undefined) return known;
  if (known !== undefined) return fail('ENOTDIR', `${name} is a file`);
  const { inode } = tree.makeDirectory(directory, name, { mode: S_IFDIR | 0o755, uid: 0, gid: 0 });
  tree.forget(inode, 1);
  return inode;
}
