import { andThen } from './answer.ts';
import { type ByteString, checkName, printable } from './byte-name.ts';
import { DirectoryTable } from './directory-table.ts';
import { S_IFDIR } from './file-mode.ts';
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
import { Mount, MountInode } from './mount-inode.ts';

const ROOT_NUMBER = 1;
const CHANGES_ROOT = 'names come to this directory and go from outside only';

/**
 * A directory whose subdirectories are other trees, which come and go while it is used. A name is used once: what a
 * tree that has gone had is ESTALE for good, and whoever remembers it is never shown another one's.
 */
export class MountTree implements FileSystem<MountInode> {
  readonly root = new MountInode(ROOT_NUMBER, undefined, undefined);
  readonly readonly = false;
  readonly sharing: Sharing;
  private readonly mounts = new DirectoryTable<Mount>();
  private readonly used = new Set<ByteString>();
  private readonly born = BigInt(Date.now()) * 1_000_000n;

  /** @param sharing the weakest promise of the trees that will be here */
  constructor(sharing: Sharing = 'shared') {
    this.sharing = sharing;
  }

  /**
   * Shows a tree under a name that was not used before; it belongs to this one from then on.
   * @throws {FileSystemError} EEXIST, EINVAL, ENAMETOOLONG
   */
  attach(name: ByteString, tree: FileSystem): void {
    checkName(name);
    if (this.used.has(name)) fail('EEXIST', `${printable(name)} has been used here; take another name`);
    this.used.add(name);
    this.mounts.set(name, new Mount(this.used.size, tree));
  }

  /**
   * Takes a tree away and closes it.
   * @throws {FileSystemError} ENOENT
   */
  detach(name: ByteString): Answer<void> {
    const mount = this.mounts.get(name) ?? fail('ENOENT', `${printable(name)} is not here`);
    this.mounts.delete(name);
    return mount.leave();
  }

  lookup(directory: MountInode, name: ByteString): Answer<Entry<MountInode> | undefined> {
    if (directory === this.root) {
      const mount = this.mounts.get(name);
      if (mount === undefined) return undefined;
      return andThen(mount.tree.attributes(mount.tree.root), (attributes) =>
        mount.enter({ inode: mount.tree.root, attributes }),
      );
    }
    const { mount, tree, inode } = directory.real();
    return andThen(tree.lookup(inode, name), (found) => found && mount.enter(found));
  }

  forget(inode: MountInode, references: number): void {
    inode.mount?.forget(inode, references);
  }

  attributes(inode: MountInode): Answer<Attributes> {
    if (inode === this.root) return this.rootAttributes();
    const { mount, tree, inode: inner } = inode.real();
    return andThen(tree.attributes(inner), (attributes) => mount.describe(attributes));
  }

  setAttributes(inode: MountInode, changes: AttributeChanges): Answer<Attributes> {
    const { mount, tree, inode: inner } = this.writable(inode);
    return andThen(tree.setAttributes(inner, changes), (attributes) => mount.describe(attributes));
  }

  list(directory: MountInode, after: number, limit: number): Answer<DirectoryEntry[]> {
    if (directory === this.root) {
      return this.mounts.list(after, limit).map(({ name, value, cookie }) => {
        return { name, number: value.number(value.tree.root.number), mode: S_IFDIR, cookie };
      });
    }
    const { mount, tree, inode } = directory.real();
    return andThen(tree.list(inode, after, limit), (entries) =>
      entries.map((entry) => ({ ...entry, number: mount.number(entry.number) })),
    );
  }

  readLink(inode: MountInode): Answer<ByteString> {
    const { tree, inode: inner } = inode.real();
    return tree.readLink(inner);
  }

  makeNode(directory: MountInode, name: ByteString, file: NewFile): Answer<Entry<MountInode>> {
    const { mount, tree, inode } = this.writable(directory);
    return andThen(tree.makeNode(inode, name, file), (entry) => mount.enter(entry));
  }

  makeDirectory(directory: MountInode, name: ByteString, file: NewFile): Answer<Entry<MountInode>> {
    const { mount, tree, inode } = this.writable(directory);
    return andThen(tree.makeDirectory(inode, name, file), (entry) => mount.enter(entry));
  }

  makeSymlink(
    directory: MountInode,
    name: ByteString,
    target: ByteString,
    file: NewFile,
  ): Answer<Entry<MountInode>> {
    const { mount, tree, inode } = this.writable(directory);
    return andThen(tree.makeSymlink(inode, name, target, file), (entry) => mount.enter(entry));
  }

  makeTemporary(directory: MountInode, file: NewFile): Answer<Entry<MountInode>> {
    const { mount, tree, inode } = this.writable(directory);
    return andThen(tree.makeTemporary(inode, file), (entry) => mount.enter(entry));
  }

  link(inode: MountInode, directory: MountInode, name: ByteString): Answer<Entry<MountInode>> {
    const { mount, tree, inode: inner } = this.writable(directory);
    const target = inode.real();
    if (target.mount !== mount) fail('EXDEV');
    return andThen(tree.link(target.inode, inner, name), (entry) => mount.enter(entry));
  }

  unlink(directory: MountInode, name: ByteString): Answer<void> {
    const { tree, inode } = this.writable(directory);
    return tree.unlink(inode, name);
  }

  removeDirectory(directory: MountInode, name: ByteString): Answer<void> {
    const { tree, inode } = this.writable(directory);
    return tree.removeDirectory(inode, name);
  }

  rename(
    from: MountInode,
    name: ByteString,
    to: MountInode,
    newName: ByteString,
    flags: RenameFlags,
  ): Answer<void> {
    const source = this.writable(from);
    const target = this.writable(to);
    if (source.mount !== target.mount) fail('EXDEV');
    return source.tree.rename(source.inode, name, target.inode, newName, flags);
  }

  read(inode: MountInode, offset: number, targets: readonly Uint8Array[]): number | Promise<Uint8Array> {
    if (inode === this.root) fail('EISDIR');
    const { tree, inode: inner } = inode.real();
    return tree.read(inner, offset, targets);
  }

  write(
    inode: MountInode,
    offset: number,
    sources: readonly Uint8Array[],
    options: { killPrivileges: boolean },
  ): Answer<number> {
    const { tree, inode: inner } = this.writable(inode);
    return tree.write(inner, offset, sources, options);
  }

  allocate(
    inode: MountInode,
    mode: AllocateMode,
    offset: number,
    length: number,
    options: { keepSize: boolean },
  ): Answer<void> {
    const { tree, inode: inner } = this.writable(inode);
    return tree.allocate(inner, mode, offset, length, options);
  }

  seek(inode: MountInode, offset: number, what: 'data' | 'hole'): Answer<number> {
    const { tree, inode: inner } = inode.real();
    return tree.seek(inner, offset, what);
  }

  sync(inode: MountInode, dataOnly: boolean): Answer<void> {
    if (inode === this.root) return;
    const { tree, inode: inner } = inode.real();
    return tree.sync(inner, dataOnly);
  }

  async syncAll(): Promise<void> {
    for (const { value } of [...this.mounts.values()]) await value.tree.syncAll();
  }

  getXattr(inode: MountInode, name: ByteString): Answer<Uint8Array> {
    if (inode === this.root) fail('ENODATA');
    const { tree, inode: inner } = inode.real();
    return tree.getXattr(inner, name);
  }

  setXattr(inode: MountInode, name: ByteString, value: Uint8Array, flags: XattrFlags): Answer<void> {
    const { tree, inode: inner } = this.writable(inode);
    return tree.setXattr(inner, name, value, flags);
  }

  listXattrs(inode: MountInode): Answer<ByteString[]> {
    if (inode === this.root) return [];
    const { tree, inode: inner } = inode.real();
    return tree.listXattrs(inner);
  }

  removeXattr(inode: MountInode, name: ByteString): Answer<void> {
    const { tree, inode: inner } = this.writable(inode);
    return tree.removeXattr(inner, name);
  }

  /** Of the tree with the most room: Linux asks for no particular one. */
  async statistics(): Promise<FileSystemStatistics> {
    let most = { blockSize: 4096, blocks: 0, blocksFree: 0, files: 0, filesFree: 0, nameMax: 255 };
    for (const { value } of [...this.mounts.values()]) {
      if (value.tree.readonly) continue;
      const found = await value.tree.statistics();
      if (found.blocksFree * found.blockSize > most.blocksFree * most.blockSize) most = found;
    }
    return most;
  }

  async close(): Promise<void> {
    for (const { name } of [...this.mounts.values()]) await this.detach(name);
  }

  /** Where a change to `inode` goes. */
  private writable(inode: MountInode) {
    if (inode === this.root) fail('EPERM', CHANGES_ROOT);
    const real = inode.real();
    if (real.tree.readonly) fail('EROFS');
    return real;
  }

  private rootAttributes(): Attributes {
    return {
      number: ROOT_NUMBER,
      mode: S_IFDIR | 0o755,
      links: 2 + this.mounts.size,
      ...{ uid: 0, gid: 0, device: 0, size: 0, blocks: 0 },
      ...{ atime: this.born, mtime: this.born, ctime: this.born },
    };
  }
}
