import type { ByteString } from './byte-name.ts';
import { type ByteSource, readBytes } from './byte-source.ts';
import { DirectoryTable } from './directory-table.ts';
import {
  encodeDevice,
  isDevice,
  isDirectory,
  isNodeType,
  isRegular,
  newDirectoryMode,
  newGroup,
  PERMISSIONS,
  S_IFCHR,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  SYMLINK_MODE,
  withoutPrivileges,
} from './file-mode.ts';
import type {
  AllocateMode,
  Answer,
  AttributeChanges,
  Attributes,
  DirectoryEntry,
  Entry,
  FileSystem,
  FileSystemStatistics,
  NewFile,
  RenameFlags,
  Sharing,
  XattrFlags,
} from './file-system.ts';
import { fail } from './file-system-error.ts';
import { MemoryBudget } from './memory-budget.ts';
import { checkReplaceable, isWithin, MemoryInode } from './memory-inode.ts';
import { SparseBytes } from './sparse-bytes.ts';
import { CAPABILITY_XATTR, getXattr, removeXattr, setXattr } from './xattrs.ts';

const DEFAULT_CAPACITY = 256 * 1024 ** 2;
/** Largest file: 8 TiB, as far as a page cache of 32-bit page numbers and our numbers go. */
const LARGEST_FILE = 2 ** 43;

export interface MemoryTreeOptions {
  /** Bytes of contents, names and attributes before ENOSPC; default 256 MiB. Sources do not count. */
  capacity?: number;
  readonly?: boolean;
  /** Default: immutable when readonly, else exclusive. */
  sharing?: Sharing;
  /** Whom it is served to neither sees nor sets extended attributes; default: false. */
  withoutXattrs?: boolean;
  /** Nanoseconds since 1970; default: the host's clock. */
  now?: () => bigint;
  /** Of the root directory: default 0755, owned by root. */
  root?: Partial<NewFile>;
}

/** A tree of files in memory: complete, and the reference for the other back ends. */
export class MemoryTree implements FileSystem<MemoryInode> {
  readonly root: MemoryInode;
  readonly sharing: Sharing;
  readonly withoutXattrs: boolean;
  /** Told of each change to names, contents and attributes (not extended ones), before its maker goes on. */
  onChange: (() => void) | undefined;
  private sealed: boolean;
  private readonly budget: MemoryBudget;
  private readonly now: () => bigint;
  private lastNumber = 0;

  constructor(options: MemoryTreeOptions = {}) {
    this.sealed = options.readonly ?? false;
    this.sharing = options.sharing ?? (this.sealed ? 'immutable' : 'exclusive');
    this.withoutXattrs = options.withoutXattrs ?? false;
    this.budget = new MemoryBudget(options.capacity ?? DEFAULT_CAPACITY);
    this.now = options.now ?? (() => BigInt(Date.now()) * 1_000_000n);
    const { mode = 0o755, uid = 0, gid = 0 } = options.root ?? {};
    this.root = this.create({ mode: S_IFDIR | (mode & PERMISSIONS), uid, gid });
    this.root.entries = new DirectoryTable();
    this.root.parent = this.root;
    this.root.links = 2;
  }

  get readonly(): boolean {
    return this.sealed;
  }

  /** Ends a tree's building: from now on it only reads. */
  seal(): void {
    this.sealed = true;
  }

  lookup(directory: MemoryInode, name: ByteString): Entry<MemoryInode> | undefined {
    const inode = this.entriesOf(directory).get(name);
    return inode && this.entry(inode);
  }

  forget(inode: MemoryInode, references: number): void {
    inode.references -= references;
    this.freeUnused(inode);
  }

  attributes(inode: MemoryInode): Attributes {
    const { number, mode, links, uid, gid, device, atime, mtime, ctime, contents } = inode;
    const size = contents?.size ?? inode.target?.length ?? inode.entries?.size ?? 0;
    const held = contents instanceof SparseBytes ? contents.allocated : (contents?.size ?? 0);
    return {
      number,
      mode,
      links,
      uid,
      gid,
      device,
      size,
      blocks: Math.ceil(held / 512),
      atime,
      mtime,
      ctime,
    };
  }

  setAttributes(inode: MemoryInode, changes: AttributeChanges): Answer<Attributes> {
    this.writable();
    const { size } = changes;
    if (size !== undefined && size !== inode.contents?.size) {
      const contents = this.ownContents(inode, size === 0);
      if (contents instanceof Promise) return contents.then(() => this.setAttributes(inode, changes));
      if (size > LARGEST_FILE) fail('EFBIG');
      contents.resize(size);
    } else if (size !== undefined && !isRegular(inode.mode)) {
      fail(isDirectory(inode.mode) ? 'EISDIR' : 'EINVAL');
    }
    const now = this.now();
    if (size !== undefined) inode.mtime = now;
    if (changes.mode !== undefined) inode.mode = (inode.mode & S_IFMT) | (changes.mode & PERMISSIONS);
    const owner = changes.uid !== undefined || changes.gid !== undefined;
    if (changes.uid !== undefined) inode.uid = changes.uid;
    if (changes.gid !== undefined) inode.gid = changes.gid;
    if (changes.killPrivileges || (owner && changes.mode === undefined)) this.killPrivileges(inode);
    if (changes.atime !== undefined) inode.atime = changes.atime === 'now' ? now : changes.atime;
    if (changes.mtime !== undefined) inode.mtime = changes.mtime === 'now' ? now : changes.mtime;
    inode.ctime = changes.ctime ?? now;
    this.onChange?.();
    return this.attributes(inode);
  }

  list(directory: MemoryInode, after: number, limit: number): DirectoryEntry[] {
    return this.entriesOf(directory)
      .list(after, limit)
      .map(({ name, value, cookie }) => ({ name, number: value.number, mode: value.mode, cookie }));
  }

  readLink(inode: MemoryInode): ByteString {
    return inode.target ?? fail('EINVAL');
  }

  makeNode(directory: MemoryInode, name: ByteString, file: NewFile): Entry<MemoryInode> {
    if (!isNodeType(file.mode)) fail('EINVAL');
    return this.add(directory, name, file, (inode) => {
      if (isRegular(inode.mode)) inode.contents = new SparseBytes(this.budget.charge);
      else if (!isDevice(inode.mode)) inode.device = 0;
    });
  }

  makeDirectory(directory: MemoryInode, name: ByteString, file: NewFile): Entry<MemoryInode> {
    const mode = newDirectoryMode(file.mode, directory.mode);
    return this.add(directory, name, { ...file, mode, device: 0 }, (inode) => {
      inode.entries = new DirectoryTable();
      inode.parent = directory;
      inode.links = 2;
      directory.links++;
    });
  }

  makeSymlink(
    directory: MemoryInode,
    name: ByteString,
    target: ByteString,
    file: NewFile,
  ): Entry<MemoryInode> {
    return this.add(directory, name, { ...file, mode: SYMLINK_MODE, device: 0 }, (inode) => {
      this.budget.charge(target.length);
      inode.target = target;
    });
  }

  makeTemporary(directory: MemoryInode, file: NewFile): Entry<MemoryInode> {
    this.writable();
    this.entriesOf(directory);
    const inode = this.create({ ...file, mode: S_IFREG | (file.mode & PERMISSIONS) }, directory);
    inode.contents = new SparseBytes(this.budget.charge);
    return this.entry(inode);
  }

  /** Adds a regular file whose contents are read from `source` when they are asked for. */
  addFile(directory: MemoryInode, name: ByteString, file: NewFile, source: ByteSource): MemoryInode {
    const { inode } = this.makeNode(directory, name, { ...file, mode: S_IFREG | (file.mode & PERMISSIONS) });
    inode.contents = source;
    inode.references--;
    return inode;
  }

  link(inode: MemoryInode, directory: MemoryInode, name: ByteString): Entry<MemoryInode> {
    this.writable();
    const entries = this.entriesOf(directory);
    if (isDirectory(inode.mode)) fail('EPERM');
    this.alive(directory);
    if (entries.get(name) !== undefined) fail('EEXIST');
    this.budget.chargeName(name);
    entries.set(name, inode);
    inode.links++;
    inode.ctime = this.now();
    this.touch(directory);
    return this.entry(inode);
  }

  unlink(directory: MemoryInode, name: ByteString): void {
    this.writable();
    const inode = this.entriesOf(directory).get(name) ?? fail('ENOENT');
    if (isDirectory(inode.mode)) fail('EISDIR');
    this.drop(directory, name, inode);
  }

  removeDirectory(directory: MemoryInode, name: ByteString): void {
    this.writable();
    const inode = this.entriesOf(directory).get(name) ?? fail('ENOENT');
    if (inode.entries === undefined) fail('ENOTDIR');
    else if (inode.entries.size > 0) fail('ENOTEMPTY');
    this.drop(directory, name, inode);
  }

  rename(
    from: MemoryInode,
    name: ByteString,
    to: MemoryInode,
    newName: ByteString,
    flags: RenameFlags,
  ): void {
    this.writable();
    const source = this.entriesOf(from);
    const target = this.entriesOf(to);
    const moved = source.get(name) ?? fail('ENOENT');
    const old = target.get(newName);
    if (flags.noReplace && old !== undefined) fail('EEXIST');
    if (flags.exchange && old === undefined) fail('ENOENT');
    this.alive(to);
    if (isDirectory(moved.mode) && isWithin(to, moved)) fail('EINVAL');
    if (old !== undefined && isDirectory(old.mode) && isWithin(from, old)) {
      fail(flags.exchange ? 'EINVAL' : 'ENOTEMPTY');
    }
    if (old === moved) return;
    if (old !== undefined && flags.exchange) {
      source.set(name, old);
      target.set(newName, moved);
      this.reparent(moved, from, to);
      this.reparent(old, to, from);
    } else {
      if (old !== undefined) checkReplaceable(moved, old);
      else this.budget.chargeName(newName);
      let whiteout: MemoryInode | undefined;
      if (flags.whiteout) {
        this.budget.chargeName(name);
        whiteout = this.create({ mode: S_IFCHR, uid: 0, gid: 0, device: encodeDevice(0, 0) });
      }
      if (old !== undefined) this.release(to, old);
      target.set(newName, moved);
      this.reparent(moved, from, to);
      this.budget.returnName(name);
      if (whiteout === undefined) {
        source.delete(name);
      } else {
        whiteout.links = 1;
        source.set(name, whiteout);
      }
    }
    moved.ctime = this.now();
    this.touch(from);
    this.touch(to);
  }

  read(inode: MemoryInode, offset: number, targets: readonly Uint8Array[]): number | Promise<Uint8Array> {
    const { contents } = inode;
    if (contents === undefined) return fail(isDirectory(inode.mode) ? 'EISDIR' : 'EINVAL');
    return contents.read(offset, targets);
  }

  write(
    inode: MemoryInode,
    offset: number,
    sources: readonly Uint8Array[],
    options: { killPrivileges: boolean },
  ): Answer<number> {
    this.writable();
    const contents = this.ownContents(inode, false);
    if (contents instanceof Promise) {
      const kept = sources.map((source) => source.slice());
      return contents.then(() => this.write(inode, offset, kept, options));
    }
    let at = offset;
    for (const source of sources) {
      if (at + source.length > LARGEST_FILE) fail('EFBIG');
      contents.write(at, source);
      at += source.length;
    }
    if (options.killPrivileges) this.killPrivileges(inode);
    this.touch(inode);
    return at - offset;
  }

  allocate(
    inode: MemoryInode,
    mode: AllocateMode,
    offset: number,
    length: number,
    options: { keepSize: boolean },
  ): Answer<void> {
    this.writable();
    const contents = this.ownContents(inode, false);
    if (contents instanceof Promise) {
      return contents.then(() => this.allocate(inode, mode, offset, length, options));
    }
    const end = offset + length;
    if (end > LARGEST_FILE) fail('EFBIG');
    if (mode === 'allocate') {
      this.budget.require(length - contents.allocated);
      contents.allocate(offset, length);
    } else {
      contents.clear(offset, length);
    }
    if (!options.keepSize && end > contents.size) contents.resize(end);
    this.touch(inode);
  }

  seek(inode: MemoryInode, offset: number, what: 'data' | 'hole'): number {
    const { contents } = inode;
    if (contents === undefined) return fail('EINVAL');
    if (offset >= contents.size) return fail('ENXIO');
    if (contents instanceof SparseBytes) return contents.seek(offset, what) ?? fail('ENXIO');
    return what === 'data' ? offset : contents.size;
  }

  sync(): void {}

  syncAll(): void {}

  getXattr(inode: MemoryInode, name: ByteString): Uint8Array {
    return getXattr(inode.xattrs, name);
  }

  setXattr(inode: MemoryInode, name: ByteString, value: Uint8Array, flags: XattrFlags): void {
    this.writable();
    inode.xattrs ??= new Map();
    setXattr(inode.xattrs, name, value, flags, this.budget.charge);
    inode.ctime = this.now();
  }

  listXattrs(inode: MemoryInode): ByteString[] {
    return [...(inode.xattrs?.keys() ?? [])];
  }

  removeXattr(inode: MemoryInode, name: ByteString): void {
    this.writable();
    this.budget.charge(-removeXattr(inode.xattrs, name));
    inode.ctime = this.now();
  }

  statistics(): FileSystemStatistics {
    return this.budget.statistics(this.sealed);
  }

  close(): void {}

  private writable(): void {
    if (this.sealed) fail('EROFS');
  }

  private entriesOf(directory: MemoryInode): DirectoryTable<MemoryInode> {
    return directory.entries ?? fail('ENOTDIR');
  }

  /** Nothing can be made in a directory that was removed. */
  private alive(directory: MemoryInode): void {
    if (directory.parent === undefined) fail('ENOENT');
  }

  private entry(inode: MemoryInode): Entry<MemoryInode> {
    inode.references++;
    return { inode, attributes: this.attributes(inode) };
  }

  private create(file: NewFile, directory?: MemoryInode): MemoryInode {
    this.budget.chargeInode();
    const inode = new MemoryInode(++this.lastNumber, file, this.now());
    if (directory !== undefined) inode.gid = newGroup(file.gid, directory);
    return inode;
  }

  private add(
    directory: MemoryInode,
    name: ByteString,
    file: NewFile,
    prepare: (inode: MemoryInode) => void,
  ): Entry<MemoryInode> {
    this.writable();
    const entries = this.entriesOf(directory);
    this.alive(directory);
    if (entries.get(name) !== undefined) fail('EEXIST');
    const inode = this.create(file, directory);
    this.budget.chargeName(name);
    inode.links = 1;
    prepare(inode);
    entries.set(name, inode);
    this.touch(directory);
    return this.entry(inode);
  }

  private drop(directory: MemoryInode, name: ByteString, inode: MemoryInode): void {
    directory.entries!.delete(name);
    this.budget.returnName(name);
    this.release(directory, inode);
    this.touch(directory);
  }

  /** An inode has lost its name in `directory`. */
  private release(directory: MemoryInode, inode: MemoryInode): void {
    inode.ctime = this.now();
    if (inode.entries !== undefined) {
      inode.links = 0;
      inode.parent = undefined;
      directory.links--;
    } else {
      inode.links--;
    }
    this.freeUnused(inode);
  }

  private freeUnused(inode: MemoryInode): void {
    if (inode.links > 0 || inode.references > 0 || inode === this.root) return;
    this.budget.returnInode(inode);
  }

  private reparent(inode: MemoryInode, from: MemoryInode, to: MemoryInode): void {
    if (inode.entries === undefined || from === to) return;
    from.links--;
    to.links++;
    inode.parent = to;
  }

  private touch(inode: MemoryInode): void {
    inode.mtime = this.now();
    inode.ctime = inode.mtime;
    this.onChange?.();
  }

  private killPrivileges(inode: MemoryInode): void {
    inode.mode = withoutPrivileges(inode.mode);
    if (inode.xattrs?.has(CAPABILITY_XATTR)) this.budget.charge(-removeXattr(inode.xattrs, CAPABILITY_XATTR));
  }

  /** The contents as bytes that can be changed. Those of a source are copied first, unless they are not `needed`. */
  private ownContents(inode: MemoryInode, discard: boolean): SparseBytes | Promise<SparseBytes> {
    const { contents } = inode;
    if (contents instanceof SparseBytes) return contents;
    if (contents === undefined) return fail(isDirectory(inode.mode) ? 'EISDIR' : 'EINVAL');
    const own = new SparseBytes(this.budget.charge);
    const take = (bytes: Uint8Array) => {
      // Another write may have been faster.
      if (inode.contents instanceof SparseBytes) return inode.contents;
      own.write(0, bytes);
      inode.contents = own;
      return own;
    };
    if (discard) return take(new Uint8Array());
    this.budget.require(contents.size);
    const bytes = readBytes(contents, 0, contents.size);
    return bytes instanceof Promise ? bytes.then(take) : take(bytes);
  }
}
