import { andThen } from './answer.ts';
import { type ByteString, bytesOf } from './byte-name.ts';
import { DirectoryTable } from './directory-table.ts';
import { isDirectory, isRegular, isSymlink, S_IFCHR, S_IFMT } from './file-mode.ts';
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
import { isWithin, type LayerInode, OverlayInode } from './overlay-inode.ts';
import {
  copyContents,
  findBelow,
  isOpaque,
  isWhiteout,
  MARKS,
  mergeNames,
  OPAQUE,
  removeEntry,
  WHITEOUT,
} from './overlay-layers.ts';
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
  /** Inodes that somebody holds, by those of the layers they stand for. */
  private readonly known = new Map<Inode, OverlayInode>();
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
    const roots = lowers.map((tree) => ({ tree, inode: tree.root }));
    this.root = new OverlayInode(1, true, { parent: undefined, name: '' }, upper?.root, roots);
  }

  lookup(directory: OverlayInode, name: ByteString): Answer<Entry<OverlayInode> | undefined> {
    return runSteps(this.find(directory, name));
  }

  forget(inode: OverlayInode, references: number): void {
    inode.references -= references;
    if (inode.references > 0 || inode === this.root) return;
    if (inode.upper !== undefined) {
      this.known.delete(inode.upper);
      this.upper!.forget(inode.upper, 1);
    }
    for (const { tree, inode: lower } of inode.lowers) {
      this.known.delete(lower);
      tree.forget(lower, 1);
    }
    inode.lowers = [];
    inode.upper = undefined;
  }

  attributes(inode: OverlayInode): Answer<Attributes> {
    const { tree, inode: real } = this.real(inode);
    return andThen(tree.attributes(real), (attributes) => ({ ...attributes, number: inode.number }));
  }

  setAttributes(inode: OverlayInode, changes: AttributeChanges): Answer<Attributes> {
    return this.change(function* (this: OverlayTree) {
      const real = yield* this.copyUp(inode, changes.size);
      const attributes = yield* wait(this.upper!.setAttributes(real, changes));
      return { ...attributes, number: inode.number };
    });
  }

  list(directory: OverlayInode, after: number, limit: number): Answer<DirectoryEntry[]> {
    return runSteps(this.listing(directory, after, limit));
  }

  readLink(inode: OverlayInode): Answer<ByteString> {
    const { tree, inode: real } = this.real(inode);
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
      const parent = yield* this.copyUp(directory);
      const entry = yield* wait(this.upper!.makeTemporary(parent, file));
      return this.enter({ parent: directory, name: '' }, entry.attributes, entry.inode, []);
    });
  }

  link(inode: OverlayInode, directory: OverlayInode, name: ByteString): Answer<Entry<OverlayInode>> {
    if (inode.directory) fail('EPERM');
    return andThen(
      this.change(function* (this: OverlayTree) {
        return yield* this.copyUp(inode);
      }),
      (real) => this.make(directory, name, (parent) => this.upper!.link(real, parent, name)),
    );
  }

  unlink(directory: OverlayInode, name: ByteString): Answer<void> {
    return this.remove(directory, name, false);
  }

  removeDirectory(directory: OverlayInode, name: ByteString): Answer<void> {
    return this.remove(directory, name, true);
  }

  rename(
    from: OverlayInode,
    name: ByteString,
    to: OverlayInode,
    newName: ByteString,
    flags: RenameFlags,
  ): Answer<void> {
    return this.change(function* (this: OverlayTree) {
      const held: Entry<OverlayInode>[] = [];
      try {
        const moved = yield* this.find(from, name);
        if (moved === undefined) return fail('ENOENT');
        held.push(moved);
        const old = yield* this.find(to, newName);
        if (old !== undefined) held.push(old);
        yield* this.renameFound(from, name, moved, to, newName, old, flags);
      } finally {
        for (const { inode } of held) this.forget(inode, 1);
      }
    });
  }

  read(inode: OverlayInode, offset: number, targets: readonly Uint8Array[]): number | Promise<Uint8Array> {
    const { tree, inode: real } = this.real(inode);
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
      const real = yield* this.copyUp(inode);
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
      const real = yield* this.copyUp(inode);
      yield* wait(this.upper!.allocate(real, mode, offset, length, options));
    });
  }

  seek(inode: OverlayInode, offset: number, what: 'data' | 'hole'): Answer<number> {
    const { tree, inode: real } = this.real(inode);
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
    const { tree, inode: real } = this.real(inode);
    return tree.getXattr(real, name);
  }

  setXattr(inode: OverlayInode, name: ByteString, value: Uint8Array, flags: XattrFlags): Answer<void> {
    if (name.startsWith(MARKS)) fail('EOPNOTSUPP', `${name} is the overlay's own`);
    return this.change(function* (this: OverlayTree) {
      const real = yield* this.copyUp(inode);
      yield* wait(this.upper!.setXattr(real, name, value, flags));
    });
  }

  listXattrs(inode: OverlayInode): Answer<ByteString[]> {
    const { tree, inode: real } = this.real(inode);
    return andThen(tree.listXattrs(real), (names) => names.filter((name) => !name.startsWith(MARKS)));
  }

  removeXattr(inode: OverlayInode, name: ByteString): Answer<void> {
    if (name.startsWith(MARKS)) fail('ENODATA');
    return this.change(function* (this: OverlayTree) {
      const real = yield* this.copyUp(inode);
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

  /** Runs a change after those that are under way. */
  private change<T>(steps: (this: OverlayTree) => Steps<T>): Answer<T> {
    if (this.readonly) fail('EROFS');
    return this.queue.run(() => steps.call(this));
  }

  /** All that a directory is merged of, the topmost first. */
  private layersOf({ upper, lowers }: OverlayInode): LayerInode[] {
    return upper === undefined ? [...lowers] : [{ tree: this.upper!, inode: upper }, ...lowers];
  }

  /** The inode that is shown. */
  private real(inode: OverlayInode): LayerInode {
    if (inode.upper !== undefined) return { tree: this.upper!, inode: inode.upper };
    return inode.lowers[0] ?? fail('ESTALE');
  }

  private numberOf(tree: FileSystem, inode: Inode): number {
    const layer = tree === this.upper ? 0 : this.lowers.indexOf(tree) + 1;
    return inode.number * (this.lowers.length + 1) + layer + 1;
  }

  private *find(directory: OverlayInode, name: ByteString): Steps<Entry<OverlayInode> | undefined> {
    if (!directory.directory) fail('ENOTDIR');
    let shown: Attributes | undefined;
    let upper: Inode | undefined;
    if (directory.upper !== undefined) {
      const found = yield* wait(this.upper!.lookup(directory.upper, name));
      if (found !== undefined) {
        if (isWhiteout(found.attributes)) {
          this.upper!.forget(found.inode, 1);
          return undefined;
        }
        shown = found.attributes;
        upper = found.inode;
        if (!isDirectory(shown.mode) || (yield* isOpaque(this.upper!, upper))) {
          return this.enter({ parent: directory, name }, shown, upper, []);
        }
      }
    }
    const lowers = yield* findBelow(directory.lowers, name, shown !== undefined);
    shown ??= lowers[0]?.attributes;
    return shown && this.enter({ parent: directory, name }, shown, upper, lowers);
  }

  /** True when some lower layer shows a name, so that it has to be hidden. */
  private *existsBelow(directory: OverlayInode, name: ByteString): Steps<boolean> {
    const lowers = yield* findBelow(directory.lowers, name, false);
    for (const { tree, inode } of lowers) tree.forget(inode, 1);
    return lowers.length > 0;
  }

  /** Answers what was found; the references to layers' inodes become the overlay inode's, or are given back. */
  private enter(
    place: { parent: OverlayInode; name: ByteString },
    attributes: Attributes,
    upper: Inode | undefined,
    lowers: readonly LayerInode[],
  ): Entry<OverlayInode> {
    const top = upper ?? lowers[0]!.inode;
    let inode = this.known.get(top);
    if (inode === undefined) {
      const number = this.numberOf(upper === undefined ? lowers[0]!.tree : this.upper!, top);
      inode = new OverlayInode(number, isDirectory(attributes.mode), place, upper, lowers);
      if (upper !== undefined) this.known.set(upper, inode);
      for (const lower of lowers) this.known.set(lower.inode, inode);
    } else {
      if (upper !== undefined) this.upper!.forget(upper, 1);
      for (const lower of lowers) lower.tree.forget(lower.inode, 1);
      inode.parent = place.parent;
      inode.name = place.name;
    }
    inode.references++;
    return { inode, attributes: { ...attributes, number: inode.number } };
  }

  /** The inode in the upper layer, copied there if it was not. `size`: no more of the contents is needed. */
  private *copyUp(inode: OverlayInode, size = Infinity): Steps<Inode> {
    const upper = this.upper!;
    if (inode.upper !== undefined) return inode.upper;
    const { tree, inode: lower } = this.real(inode);
    const attributes = yield* wait(tree.attributes(lower));
    const { mode, uid, gid, device, atime, mtime } = attributes;
    const file: NewFile = { mode, uid, gid, device };
    const place = inode.removed ? undefined : inode.parent;
    const parent = place === undefined ? upper.root : yield* this.copyUp(place);
    let made: Entry;
    if (inode.directory) made = yield* wait(upper.makeDirectory(parent, inode.name, file));
    else if (isSymlink(mode)) {
      const target = yield* wait(tree.readLink(lower));
      made = yield* wait(upper.makeSymlink(parent, inode.name, target, file));
    } else if (place === undefined) {
      made = yield* wait(upper.makeTemporary(parent, file));
    } else {
      made = yield* wait(upper.makeNode(parent, inode.name, file));
    }
    try {
      if (isRegular(mode)) {
        yield* copyContents(tree, lower, upper, made.inode, Math.min(size, attributes.size));
      }
      for (const name of yield* wait(tree.listXattrs(lower))) {
        if (name.startsWith(MARKS)) continue;
        yield* wait(upper.setXattr(made.inode, name, yield* wait(tree.getXattr(lower, name)), {}));
      }
      const changes = isSymlink(mode) ? { uid, gid, atime, mtime } : { mode, uid, gid, atime, mtime };
      yield* wait(upper.setAttributes(made.inode, changes));
    } catch (error) {
      // Half a copy would hide the whole below it.
      if (inode.directory) yield* wait(upper.removeDirectory(parent, inode.name));
      else if (place !== undefined) yield* wait(upper.unlink(parent, inode.name));
      upper.forget(made.inode, 1);
      throw error;
    }
    inode.upper = made.inode;
    this.known.set(made.inode, inode);
    return made.inode;
  }

  private make(
    directory: OverlayInode,
    name: ByteString,
    create: (parent: Inode) => Answer<Entry>,
  ): Answer<Entry<OverlayInode>> {
    return this.change(function* (this: OverlayTree) {
      const there = yield* this.find(directory, name);
      if (there !== undefined) {
        this.forget(there.inode, 1);
        fail('EEXIST');
      }
      if (directory.removed) fail('ENOENT');
      const parent = yield* this.copyUp(directory);
      const hidden = yield* this.removeWhiteout(parent, name);
      let entry: Entry;
      try {
        entry = yield* wait(create(parent));
      } catch (error) {
        if (hidden) yield* this.hide(directory, name);
        throw error;
      }
      // What lies below in other layers was removed before.
      if (hidden && isDirectory(entry.attributes.mode)) {
        yield* wait(this.upper!.setXattr(entry.inode, OPAQUE, bytesOf('y'), {}));
      }
      return this.enter({ parent: directory, name }, entry.attributes, entry.inode, []);
    });
  }

  private remove(directory: OverlayInode, name: ByteString, wantsDirectory: boolean): Answer<void> {
    return this.change(function* (this: OverlayTree) {
      const found = yield* this.find(directory, name);
      if (found === undefined) return fail('ENOENT');
      const { inode } = found;
      try {
        if (inode.directory && !wantsDirectory) fail('EISDIR');
        if (!inode.directory && wantsDirectory) fail('ENOTDIR');
        if (inode.directory) yield* this.mustBeEmpty(inode);
        const below = yield* this.existsBelow(directory, name);
        const parent = below ? yield* this.copyUp(directory) : directory.upper!;
        // A file of several names may have been copied up under another one.
        yield* removeEntry(this.upper!, parent, name);
        if (below) yield* this.hide(directory, name);
        if (inode.directory || found.attributes.links <= 1) inode.removed = true;
      } finally {
        this.forget(inode, 1);
      }
    });
  }

  private *renameFound(
    from: OverlayInode,
    name: ByteString,
    { inode: moved }: Entry<OverlayInode>,
    to: OverlayInode,
    newName: ByteString,
    old: Entry<OverlayInode> | undefined,
    flags: RenameFlags,
  ): Steps<void> {
    const upper = this.upper!;
    if (flags.noReplace && old !== undefined) fail('EEXIST');
    if (flags.exchange && old === undefined) fail('ENOENT');
    if (to.removed) fail('ENOENT');
    if (moved.directory && isWithin(to, moved)) fail('EINVAL');
    if (old?.inode.directory && isWithin(from, old.inode)) fail(flags.exchange ? 'EINVAL' : 'ENOTEMPTY');
    if (old?.inode === moved) return;
    if (old !== undefined && !flags.exchange) {
      if (moved.directory && !old.inode.directory) fail('ENOTDIR');
      if (!moved.directory && old.inode.directory) fail('EISDIR');
      if (old.inode.directory) yield* this.mustBeEmpty(old.inode);
    }
    // The kernel's overlayfs says the same, and mv copies instead.
    if (moved.directory && moved.lowers.length > 0) fail('EXDEV');
    if (flags.exchange && old?.inode.directory && old.inode.lowers.length > 0) fail('EXDEV');
    yield* this.copyUp(moved);
    const source = yield* this.copyUp(from);
    const target = yield* this.copyUp(to);
    const belowSource = yield* this.existsBelow(from, name);
    const belowTarget = yield* this.existsBelow(to, newName);
    if (old !== undefined && flags.exchange) {
      yield* this.copyUp(old.inode);
      yield* wait(upper.rename(source, name, target, newName, { exchange: true }));
      if (old.inode.directory && belowSource) yield* this.makeOpaque(old.inode);
      old.inode.parent = from;
      old.inode.name = name;
    } else {
      yield* removeEntry(this.upper!, target, newName);
      yield* wait(upper.rename(source, name, target, newName, {}));
      if (old !== undefined && (old.inode.directory || old.attributes.links <= 1)) old.inode.removed = true;
      if (belowSource || flags.whiteout) yield* this.hide(from, name);
    }
    if (moved.directory && belowTarget) yield* this.makeOpaque(moved);
    moved.parent = to;
    moved.name = newName;
  }

  private *makeOpaque(directory: OverlayInode): Steps<void> {
    yield* wait(this.upper!.setXattr(directory.upper!, OPAQUE, bytesOf('y'), {}));
  }

  /** Leaves a whiteout. */
  private *hide(directory: OverlayInode, name: ByteString): Steps<void> {
    const parent = yield* this.copyUp(directory);
    const { inode } = yield* wait(this.upper!.makeNode(parent, name, WHITEOUT));
    this.upper!.forget(inode, 1);
  }

  /** True when there was one. */
  private *removeWhiteout(parent: Inode, name: ByteString): Steps<boolean> {
    const upper = this.upper!;
    const found = yield* wait(upper.lookup(parent, name));
    if (found === undefined) return false;
    upper.forget(found.inode, 1);
    if (!isWhiteout(found.attributes)) return false;
    yield* wait(upper.unlink(parent, name));
    return true;
  }

  private *mustBeEmpty(directory: OverlayInode): Steps<void> {
    if ((yield* mergeNames(this.layersOf(directory))).size > 0) fail('ENOTEMPTY');
  }

  private *listing(directory: OverlayInode, after: number, limit: number): Steps<DirectoryEntry[]> {
    if (!directory.directory) fail('ENOTDIR');
    if (after === 0 || directory.listing === undefined) {
      const merged = yield* mergeNames(this.layersOf(directory));
      directory.listing ??= new DirectoryTable();
      for (const { name } of [...directory.listing.values()]) {
        if (!merged.has(name)) directory.listing.delete(name);
      }
      for (const [name, mode] of merged) directory.listing.set(name, mode);
    }
    const entries: DirectoryEntry[] = [];
    for (const { name, value, cookie } of directory.listing.list(after, limit)) {
      // Numbers are told by lookup; here they would cost one.
      entries.push({ name, number: 0xffff_ffff, mode: value, cookie });
    }
    return entries;
  }
}
