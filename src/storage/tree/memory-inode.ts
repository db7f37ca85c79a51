import type { ByteString } from './byte-name.ts';
import type { ByteSource } from './byte-source.ts';
import type { DirectoryTable } from './directory-table.ts';
import { isDirectory } from './file-mode.ts';
import type { Inode, NewFile } from './file-system.ts';
import { fail } from './file-system-error.ts';
import type { Xattrs } from './xattrs.ts';

/** An inode of a MemoryTree. Everything in it is the tree's to change. */
export class MemoryInode implements Inode {
  readonly number: number;
  mode: number;
  uid: number;
  gid: number;
  device: number;
  links = 0;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  /** Of a regular file. A source that is not SparseBytes is copied when it is first written to. */
  contents: ByteSource | undefined;
  /** Of a directory. */
  entries: DirectoryTable<MemoryInode> | undefined;
  /** Of a directory: the one above it, itself for the root, undefined once removed. */
  parent: MemoryInode | undefined;
  target: ByteString | undefined;
  xattrs: Xattrs | undefined;
  /** Entries answered and not forgotten: what has lost its last name lives as long as there are any. */
  references = 0;

  constructor(number: number, file: NewFile, now: bigint) {
    this.number = number;
    this.mode = file.mode;
    this.uid = file.uid;
    this.gid = file.gid;
    this.device = file.device ?? 0;
    this.atime = now;
    this.mtime = now;
    this.ctime = now;
  }
}

/** True when `inode` is `directory` or lies in it. */
export function isWithin(inode: MemoryInode, directory: MemoryInode): boolean {
  for (let at: MemoryInode | undefined = inode; at !== undefined; at = at.parent) {
    if (at === directory) return true;
    if (at.parent === at) return false;
  }
  return false;
}

/** Stops with ENOTDIR, ENOTEMPTY or EISDIR unless `moved` may take the place of `old`. */
export function checkReplaceable(moved: MemoryInode, old: MemoryInode): void {
  if (isDirectory(moved.mode)) {
    if (old.entries === undefined) fail('ENOTDIR');
    else if (old.entries.size > 0) fail('ENOTEMPTY');
  } else if (isDirectory(old.mode)) {
    fail('EISDIR');
  }
}
