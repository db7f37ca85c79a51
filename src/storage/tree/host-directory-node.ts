import {
  type BigIntStats,
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { type ByteString, bytesOf } from './byte-name.ts';
import {
  isDevice,
  isDirectory,
  isNodeType,
  isSymlink,
  newDirectoryMode,
  newGroup,
  PERMISSIONS,
  S_IFCHR,
  S_IFMT,
  SYMLINK_MODE,
} from './file-mode.ts';
import type {
  AllocateMode,
  AttributeChanges,
  Attributes,
  DirectoryEntry,
  Entry,
  FileSystem,
  FileSystemStatistics,
  NewFile,
  RenameFlags,
  XattrFlags,
} from './file-system.ts';
import { FileSystemError, fail, fromSystemError } from './file-system-error.ts';
import { ATTRIBUTES_FILE } from './host-attributes-node.ts';
import { exchangeNames, readVectors, syncDirectory, writeVectors } from './host-calls-node.ts';
import { HostDescriptors, HostInode, identityOf } from './host-inode-node.ts';
import { HostInodes } from './host-inodes-node.ts';
import { refreshListing } from './host-listing-node.ts';
import { HostMetadata, hostModeOf, OWNER_DIRECTORY, OWNER_FILE } from './host-metadata-node.ts';

const NS_PER_SECOND = 1e9;

export interface HostDirectoryOptions {
  readonly?: boolean;
}

/**
 * A directory of the host. Nothing outside it can be reached: entries are named through descriptors of open
 * directories, and no link is ever followed.
 */
export class HostDirectory implements FileSystem<HostInode> {
  readonly root: HostInode;
  readonly readonly: boolean;
  readonly sharing = 'shared';
  readonly lastingNumbers = true;
  private readonly descriptors: HostDescriptors;
  private readonly inodes: HostInodes;
  private readonly metadata: HostMetadata;
  private readonly path: string;
  private readonly dirty = new Set<HostInode>();
  private exchanges = 0;

  /** @throws FileSystemError ENOENT, ENOTDIR, EACCES; EIO for a damaged table of attributes */
  constructor(path: string, options: HostDirectoryOptions = {}) {
    this.readonly = options.readonly ?? false;
    try {
      this.path = realpathSync(path);
      const info = statSync(this.path, { bigint: true });
      if (!info.isDirectory()) fail('ENOTDIR', `${path} is no directory`);
      this.metadata = new HostMetadata(this.path, info, this.readonly);
      this.root = new HostInode(info, this.metadata.numberOf(info));
      this.descriptors = new HostDescriptors(this.root, this.path, this.readonly);
      this.inodes = new HostInodes(this.root, this.descriptors);
    } catch (error) {
      const { code, message } = fromSystemError(error);
      throw new FileSystemError(code, code === 'ENOENT' ? `there is no directory ${path}` : message);
    }
  }

  lookup(directory: HostInode, name: ByteString): Entry<HostInode> | undefined {
    return this.guard(() => {
      if (!directory.directory) fail('ENOTDIR');
      if (this.isHidden(directory, name)) return undefined;
      const path = this.descriptors.at(directory, name);
      const info = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return info && this.enter(directory, name, info);
    });
  }

  forget(inode: HostInode, references: number): void {
    if (this.inodes.forget(inode, references)) this.dirty.delete(inode);
  }

  attributes(inode: HostInode): Attributes {
    return this.guard(() => this.metadata.describe(this.descriptors.stat(inode)));
  }

  setAttributes(inode: HostInode, changes: AttributeChanges): Attributes {
    this.writable();
    return this.guard(() => {
      const { descriptors } = this;
      const { size, uid, gid } = changes;
      if (size !== undefined) {
        ftruncateSync(descriptors.file(inode, true), size);
        this.dirty.add(inode);
      }
      const info = this.descriptors.stat(inode);
      const before = this.metadata.describe(info);
      const owned = { uid: uid ?? before.uid, gid: gid ?? before.gid };
      if (changes.mode !== undefined) {
        const mode = (before.mode & S_IFMT) | (changes.mode & PERMISSIONS);
        if (!isSymlink(mode)) descriptors.chmod(inode, hostModeOf(mode));
        this.metadata.keep(info, { ...owned, mode });
      } else if (changes.killPrivileges || uid !== undefined || gid !== undefined) {
        this.metadata.keepWithoutPrivileges(info, { ...owned, mode: before.mode });
      }
      if (changes.atime !== undefined || changes.mtime !== undefined) {
        const now = BigInt(Date.now()) * 1_000_000n;
        const time = (change: bigint | 'now' | undefined, old: bigint) =>
          Number(change === 'now' ? now : (change ?? old)) / NS_PER_SECOND;
        descriptors.setTimes(inode, time(changes.atime, before.atime), time(changes.mtime, before.mtime));
      }
      return this.metadata.describe(this.descriptors.stat(inode));
    });
  }

  list(directory: HostInode, after: number, limit: number): DirectoryEntry[] {
    return this.guard(() => {
      if (!directory.directory) fail('ENOTDIR');
      if (after === 0 || directory.listing === undefined) {
        refreshListing(directory, this.descriptors, this.metadata, (name) => this.isHidden(directory, name));
      }
      return directory.listing!.list(after, limit);
    });
  }

  readLink(inode: HostInode): ByteString {
    return this.guard(() => {
      const found = this.descriptors.find(inode) ?? fail('ESTALE');
      return found.info.isSymbolicLink() ? readlinkSync(found.path, 'latin1') : fail('EINVAL');
    });
  }

  makeNode(directory: HostInode, name: ByteString, file: NewFile): Entry<HostInode> {
    if (!isNodeType(file.mode)) fail('EINVAL');
    return this.make(directory, name, file, (path) => {
      const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
      closeSync(openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, OWNER_FILE));
    });
  }

  makeDirectory(directory: HostInode, name: ByteString, file: NewFile): Entry<HostInode> {
    const mode = newDirectoryMode(file.mode, this.attributes(directory).mode);
    return this.make(directory, name, { ...file, mode }, (path) => mkdirSync(path, OWNER_DIRECTORY));
  }

  makeSymlink(directory: HostInode, name: ByteString, target: ByteString, file: NewFile): Entry<HostInode> {
    return this.make(directory, name, { ...file, mode: SYMLINK_MODE }, (path) =>
      symlinkSync(Buffer.from(bytesOf(target)), path),
    );
  }

  makeTemporary(): Entry<HostInode> {
    // It could not be given a name later: Node has no linkat().
    return fail('EOPNOTSUPP');
  }

  link(inode: HostInode, directory: HostInode, name: ByteString): Entry<HostInode> {
    this.writable();
    return this.guard(() => {
      if (inode.directory) fail('EPERM');
      this.checkName(directory, name);
      const found = this.descriptors.find(inode) ?? fail('ENOENT');
      const path = this.descriptors.at(directory, name);
      linkSync(found.path, path);
      const info = lstatSync(path, { bigint: true });
      if (identityOf(info) !== inode.identity) {
        unlinkSync(path);
        fail('ESTALE');
      }
      return this.enter(directory, name, info);
    });
  }

  unlink(directory: HostInode, name: ByteString): void {
    this.writable();
    this.guard(() => {
      const { path, info } = this.existing(directory, name);
      if (info.isDirectory()) fail('EISDIR');
      this.inodes.willLose(directory, name, info);
      unlinkSync(path);
      this.lost(directory, name, info);
    });
  }

  removeDirectory(directory: HostInode, name: ByteString): void {
    this.writable();
    this.guard(() => {
      const { path, info } = this.existing(directory, name);
      if (!info.isDirectory()) fail('ENOTDIR');
      rmdirSync(path);
      this.lost(directory, name, info);
    });
  }

  rename(from: HostInode, name: ByteString, to: HostInode, newName: ByteString, flags: RenameFlags): void {
    this.writable();
    this.guard(() => {
      const source = this.existing(from, name);
      this.checkName(to, newName);
      const path = this.descriptors.at(to, newName);
      const old = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (flags.noReplace && old !== undefined) fail('EEXIST');
      if (flags.exchange) {
        if (old === undefined) return fail('ENOENT');
        const spare = this.descriptors.at(from, `.hypertab-exchange-${process.pid}-${++this.exchanges}`);
        exchangeNames(source.path, path, spare);
        this.inodes.hasMoved(source.info, from, name, to, newName);
        this.inodes.hasMoved(old, to, newName, from, name);
        return;
      }
      if (old !== undefined && identityOf(old) === identityOf(source.info)) return;
      if (old !== undefined) this.inodes.willLose(to, newName, old);
      renameSync(source.path, path);
      if (old !== undefined) this.lost(to, newName, old);
      this.inodes.hasMoved(source.info, from, name, to, newName);
      if (flags.whiteout) {
        const { inode } = this.makeNode(from, name, { mode: S_IFCHR, uid: 0, gid: 0, device: 0 });
        this.forget(inode, 1);
      }
    });
  }

  read(inode: HostInode, offset: number, targets: readonly Uint8Array[]): number {
    return this.guard(() => readVectors(this.descriptors.file(inode, false), offset, targets));
  }

  write(
    inode: HostInode,
    offset: number,
    sources: readonly Uint8Array[],
    options: { killPrivileges: boolean },
  ): number {
    this.writable();
    return this.guard(() => {
      const fd = this.descriptors.file(inode, true);
      this.dirty.add(inode);
      if (options.killPrivileges) this.killPrivileges(inode);
      return writeVectors(fd, offset, sources);
    });
  }

  allocate(
    inode: HostInode,
    mode: AllocateMode,
    offset: number,
    length: number,
    options: { keepSize: boolean },
  ): void {
    this.writable();
    // Node has no fallocate(); to grow is the part of it that can be had.
    if (mode !== 'allocate' || options.keepSize) fail('EOPNOTSUPP');
    this.guard(() => {
      const fd = this.descriptors.file(inode, true);
      this.dirty.add(inode);
      if (fstatSync(fd).size < offset + length) ftruncateSync(fd, offset + length);
    });
  }

  seek(inode: HostInode, offset: number, what: 'data' | 'hole'): number {
    return this.guard(() => {
      const { size } = fstatSync(this.descriptors.file(inode, false));
      if (offset >= size) fail('ENXIO');
      return what === 'data' ? offset : size;
    });
  }

  sync(inode: HostInode, dataOnly: boolean): void {
    this.guard(() => {
      if (!dataOnly) this.metadata.sync();
      if (inode.directory) {
        syncDirectory(this.descriptors.pathOf(inode));
      } else if (inode.regular) {
        const fd = this.descriptors.file(inode, false);
        if (dataOnly) fdatasyncSync(fd);
        else fsyncSync(fd);
        this.dirty.delete(inode);
      }
    });
  }

  syncAll(): void {
    this.metadata.sync();
    for (const inode of [...this.dirty]) {
      try {
        this.sync(inode, false);
      } catch (error) {
        // Gone from the host meanwhile: nothing is left to be kept.
        if (!(error instanceof FileSystemError) || error.code !== 'ESTALE') throw error;
        this.dirty.delete(inode);
      }
    }
  }

  getXattr(inode: HostInode, name: ByteString): Uint8Array {
    return this.guard(() => this.metadata.getXattr(this.descriptors.stat(inode), name));
  }

  setXattr(inode: HostInode, name: ByteString, value: Uint8Array, flags: XattrFlags): void {
    this.writable();
    this.guard(() => this.metadata.setXattr(this.descriptors.stat(inode), name, value, flags));
  }

  listXattrs(inode: HostInode): ByteString[] {
    return this.guard(() => this.metadata.listXattrs(this.descriptors.stat(inode)));
  }

  removeXattr(inode: HostInode, name: ByteString): void {
    this.writable();
    this.guard(() => this.metadata.removeXattr(this.descriptors.stat(inode), name));
  }

  statistics(): FileSystemStatistics {
    return this.guard(() => {
      const { bsize, blocks, bavail, files, ffree } = statfsSync(this.path);
      return { blockSize: bsize, blocks, blocksFree: bavail, files, filesFree: ffree, nameMax: 255 };
    });
  }

  close(): void {
    this.descriptors.closeAll();
    this.metadata.close();
  }

  private guard<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      throw fromSystemError(error);
    }
  }

  private writable(): void {
    if (this.readonly) fail('EROFS');
  }

  private isHidden(directory: HostInode, name: ByteString): boolean {
    return directory === this.root && name.startsWith(ATTRIBUTES_FILE);
  }

  /** The name may be made, or replaced. */
  private checkName(directory: HostInode, name: ByteString): void {
    if (!directory.directory) fail('ENOTDIR');
    if (this.isHidden(directory, name)) fail('EACCES', `${name} belongs to the share`);
  }

  private existing(directory: HostInode, name: ByteString) {
    if (!directory.directory) fail('ENOTDIR');
    if (this.isHidden(directory, name)) fail('ENOENT');
    const path = this.descriptors.at(directory, name);
    const info = lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? fail('ENOENT');
    return { path, info };
  }

  /** Answers what was found under a name. */
  private enter(directory: HostInode, name: ByteString, info: BigIntStats): Entry<HostInode> {
    const inode = this.inodes.enter(directory, name, info, () => this.metadata.numberOf(info));
    return { inode, attributes: this.metadata.describe(info) };
  }

  private make(
    directory: HostInode,
    name: ByteString,
    file: NewFile,
    create: (path: string | Buffer) => void,
  ): Entry<HostInode> {
    this.writable();
    return this.guard(() => {
      this.checkName(directory, name);
      const path = this.descriptors.at(directory, name);
      create(path);
      const info = lstatSync(path, { bigint: true });
      // Numbers are used again: nothing of an earlier file may cling to this one.
      this.metadata.forget(info);
      const { inode } = this.enter(directory, name, info);
      const parent = this.metadata.describe(this.descriptors.stat(directory));
      const gid = newGroup(file.gid, parent);
      const device = isDevice(file.mode) ? file.device : undefined;
      try {
        if (!isSymlink(file.mode)) this.descriptors.chmod(inode, hostModeOf(file.mode));
        this.metadata.keep(info, { mode: file.mode, uid: file.uid, gid, device });
        return { inode, attributes: this.metadata.describe(this.descriptors.stat(inode)) };
      } catch (error) {
        // Half a file is none.
        this.forget(inode, 1);
        if (isDirectory(file.mode)) rmdirSync(path);
        else unlinkSync(path);
        throw error;
      }
    });
  }

  private killPrivileges(inode: HostInode): void {
    const info = this.descriptors.stat(inode);
    if (!this.metadata.hasPrivileges(info)) return;
    this.metadata.keepWithoutPrivileges(info, this.metadata.describe(info));
  }

  private lost(directory: HostInode, name: ByteString, info: BigIntStats): void {
    this.inodes.hasLost(directory, name, info);
    if (info.isDirectory() || info.nlink <= 1n) this.metadata.forget(info);
  }
}
