import { andThen } from './answer.ts';
import type { ByteString } from './byte-name.ts';
import { S_IFCHR, S_IFMT } from './file-mode.ts';
import type {
  AllocateMode,
  Answer,
  AttributeChanges,
  Attributes,
  DirectoryEntry,
  Entry,
  FileSystem,
  FileSystemStatistics,
  Inode,
  NewFile,
  RenameFlags,
  Sharing,
  XattrFlags,
} from './file-system.ts';
import { fail } from './file-system-error.ts';
import { NameListing } from './name-listing.ts';
import type { OverlayInode } from './overlay-inode.ts';
import { OverlayInodes } from './overlay-inodes.ts';
import { MARKS, mergeNames } from './overlay-layers.ts';
import { OverlayNames } from './overlay-names.ts';
import { runSteps, StepQueue, type Steps, wait } from './steps.ts';

/**
 * Several trees as one: the upper one is written, the others only show what it does not hide. Whiteouts and opaque
 * directories are those of Linux's overlayfs, and so are the limits: a directory of a lower layer cannot be renamed
 * (EXDEV; mv copies it), and a file with several names in a lower layer falls apart when it is first written.
 */
export class OverlayTree implements FileSystem<OverlayInode> {
  readonly root: OverlayInode;
  readonly readonly: boolean;
  readonly sharing: Sharing;
  private readonly upper: FileSystem | undefined;
  private readonly lowers: readonly FileSystem[];
  private readonly inodes: OverlayInodes;
  private readonly names: OverlayNames;
  private readonly queue = new StepQueue();

  /** @param lowers the topmost first; @param upper without it, the overlay is read-only */
  constructor(lowers: readonly FileSystem[], upper?: FileSystem) {
    if (lowers.length === 0) throw new RangeError('an overlay needs a lower layer');
    this.lowers = lowers;
    this.upper = upper;
    this.readonly = upper === undefined || upper.readonly;
    const all = [...lowers, ...(upper === undefined ? [] : [upper])];
    if (all.some(({ sharing }) => sharing === 'shared')) this.sharing = 'shared';
    else this.sharing = this.readonly ? 'immutable' : 'exclusive';
    this.inodes = new OverlayInodes(lowers, upper);
    this.names = new OverlayNames(this.inodes);
    this.root = this.inodes.root;
  }

  lookup(directory: OverlayInode, name: ByteString): Answer<Entry<OverlayInode> | undefined> {
    return runSteps(this.inodes.find(directory, name));
  }

  forget(inode: OverlayInode, references: number): void {
    this.inodes.forget(inode, references);
  }

  attributes(inode: OverlayInode): Answer<Attributes> {
    const { tree, inode: real } = this.inodes.real(inode);
    return andThen(tree.attributes(real), (attributes) => ({ ...attributes, number: inode.number }));
  }

  setAttributes(inode: OverlayInode, changes: AttributeChanges): Answer<Attributes> {
    return this.change(function* (this: OverlayTree) {
      const real = yield* this.inodes.copyUp(inode, changes.size);
      const attributes = yield* wait(this.upper!.setAttributes(real, changes));
      return { ...attributes, number: inode.number };
    });
  }

  list(directory: OverlayInode, after: number, limit: number): Answer<DirectoryEntry[]> {
    return runSteps(this.listing(directory, after, limit));
  }

  readLink(inode: OverlayInode): Answer<ByteString> {
    const { tree, inode: real } = this.inodes.real(inode);
    return tree.readLink(real);
  }

  makeNode(directory: OverlayInode, name: ByteString, file: NewFile): Answer<Entry<OverlayInode>> {
    // It would hide itself.
    if ((file.mode & S_IFMT) === S_IFCHR && !file.device) fail('EPERM');
    return this.make(directory, name, (parent) => this.upper!.makeNode(parent, name, file));
  }

  makeDirectory(directory: OverlayInode, name: ByteString, file: NewFile): Answer<Entry<OverlayInode>> {
    return this.make(directory, name, (parent) => this.upper!.makeDirectory(parent, name, file));
  }

  makeSymlink(
    directory: OverlayInode,
    name: ByteString,
    target: ByteString,
    file: NewFile,
  ): Answer<Entry<OverlayInode>> {
    return this.make(directory, name, (parent) => this.upper!.makeSymlink(parent, name, target, file));
  }

  makeTemporary(directory: OverlayInode, file: NewFile): Answer<Entry<OverlayInode>> {
    return this.change(function* (this: OverlayTree) {
      const parent = yield* this.inodes.copyUp(directory);
      const entry = yield* wait(this.upper!.makeTemporary(parent, file));
      return this.inodes.enter({ parent: directory, name: '' }, entry.attributes, entry.inode, []);
    });
  }

  link(inode: OverlayInode, directory: OverlayInode, name: ByteString): Answer<Entry<OverlayInode>> {
    if (inode.directory) fail('EPERM');
    return andThen(
      this.change(function* (this: OverlayTree) {
        return yield* this.inodes.copyUp(inode);
      }),
      (real) => this.make(directory, name, (parent) => this.upper!.link(real, parent, name)),
    );
  }

  unlink(directory: OverlayInode, name: ByteString): Answer<void> {
    return this.change(() => this.names.remove(directory, name, false));
  }

  removeDirectory(directory: OverlayInode, name: ByteString): Answer<void> {
    return this.change(() => this.names.remove(directory, name, true));
  }

  rename(
    from: OverlayInode,
    name: ByteString,
    to: OverlayInode,
    newName: ByteString,
    flags: RenameFlags,
  ): Answer<void> {
    return this.change(() => this.names.rename(from, name, to, newName, flags));
  }

  read(inode: OverlayInode, offset: number, targets: readonly Uint8Array[]): number | Promise<Uint8Array> {
    const { tree, inode: real } = this.inodes.real(inode);
    return tree.read(real, offset, targets);
  }

  write(
    inode: OverlayInode,
    offset: number,
    sources: readonly Uint8Array[],
    options: { killPrivileges: boolean },
  ): Answer<number> {
    if (inode.upper !== undefined) return this.upper!.write(inode.upper, offset, sources, options);
    // The sources are the caller's again once this returns.
    const kept = sources.map((source) => source.slice());
    return this.change(function* (this: OverlayTree) {
      const real = yield* this.inodes.copyUp(inode);
      return yield* wait(this.upper!.write(real, offset, kept, options));
    });
  }

  allocate(
    inode: OverlayInode,
    mode: AllocateMode,
    offset: number,
    length: number,
    options: { keepSize: boolean },
  ): Answer<void> {
    return this.change(function* (this: OverlayTree) {
      const real = yield* this.inodes.copyUp(inode);
      yield* wait(this.upper!.allocate(real, mode, offset, length, options));
    });
  }

  seek(inode: OverlayInode, offset: number, what: 'data' | 'hole'): Answer<number> {
    const { tree, inode: real } = this.inodes.real(inode);
    return tree.seek(real, offset, what);
  }

  sync(inode: OverlayInode, dataOnly: boolean): Answer<void> {
    if (inode.upper !== undefined) return this.upper!.sync(inode.upper, dataOnly);
  }

  syncAll(): Answer<void> {
    return this.upper?.syncAll();
  }

  getXattr(inode: OverlayInode, name: ByteString): Answer<Uint8Array> {
    if (name.startsWith(MARKS)) return fail('ENODATA');
    const { tree, inode: real } = this.inodes.real(inode);
    return tree.getXattr(real, name);
  }

  setXattr(inode: OverlayInode, name: ByteString, value: Uint8Array, flags: XattrFlags): Answer<void> {
    if (name.startsWith(MARKS)) fail('EOPNOTSUPP', `${name} is the overlay's own`);
    return this.change(function* (this: OverlayTree) {
      const real = yield* this.inodes.copyUp(inode);
      yield* wait(this.upper!.setXattr(real, name, value, flags));
    });
  }

  listXattrs(inode: OverlayInode): Answer<ByteString[]> {
    const { tree, inode: real } = this.inodes.real(inode);
    return andThen(tree.listXattrs(real), (names) => names.filter((name) => !name.startsWith(MARKS)));
  }

  removeXattr(inode: OverlayInode, name: ByteString): Answer<void> {
    if (name.startsWith(MARKS)) fail('ENODATA');
    return this.change(function* (this: OverlayTree) {
      const real = yield* this.inodes.copyUp(inode);
      yield* wait(this.upper!.removeXattr(real, name));
    });
  }

  statistics(): Answer<FileSystemStatistics> {
    return (this.upper ?? this.lowers[0]!).statistics();
  }

  close(): Answer<void> {
    return runSteps(
      function* (this: OverlayTree): Steps<void> {
        for (const tree of this.lowers) yield* wait(tree.close());
        if (this.upper !== undefined) yield* wait(this.upper.close());
      }.call(this),
    );
  }

  private make(
    directory: OverlayInode,
    name: ByteString,
    create: (parent: Inode) => Answer<Entry>,
  ): Answer<Entry<OverlayInode>> {
    return this.change(() => this.names.make(directory, name, create));
  }

  /** Runs a change after those that are under way. */
  private change<T>(steps: (this: OverlayTree) => Steps<T>): Answer<T> {
    if (this.readonly) fail('EROFS');
    return this.queue.run(() => steps.call(this));
  }

  private *listing(directory: OverlayInode, after: number, limit: number): Steps<DirectoryEntry[]> {
    if (!directory.directory) fail('ENOTDIR');
    if (after === 0 || directory.listing === undefined) {
      const merged = yield* mergeNames(this.inodes.layersOf(directory));
      directory.listing ??= new NameListing();
      directory.listing.refresh(merged);
    }
    return directory.listing.list(after, limit);
  }
}
