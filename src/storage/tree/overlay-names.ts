import { type ByteString, bytesOf } from './byte-name.ts';
import { isDirectory } from './file-mode.ts';
import type { Answer, Entry, FileSystem, Inode, RenameFlags } from './file-system.ts';
import { fail } from './file-system-error.ts';
import { isWithin, type OverlayInode } from './overlay-inode.ts';
import type { OverlayInodes } from './overlay-inodes.ts';
import { isWhiteout, mergeNames, OPAQUE, removeEntry, WHITEOUT } from './overlay-layers.ts';
import { type Steps, wait } from './steps.ts';

/** Makes, removes and moves the names of an overlay: in the upper layer, with whiteouts for what lies below. */
export class OverlayNames {
  private readonly inodes: OverlayInodes;

  constructor(inodes: OverlayInodes) {
    this.inodes = inodes;
  }

  private get upper(): FileSystem {
    return this.inodes.upper ?? fail('EROFS');
  }

  /** Makes an entry in the upper layer, where nothing may be shown under its name yet (EEXIST). */
  *make(
    directory: OverlayInode,
    name: ByteString,
    create: (parent: Inode) => Answer<Entry>,
  ): Steps<Entry<OverlayInode>> {
    const there = yield* this.inodes.find(directory, name);
    if (there !== undefined) {
      this.inodes.forget(there.inode, 1);
      fail('EEXIST');
    }
    if (directory.removed) fail('ENOENT');
    const parent = yield* this.inodes.copyUp(directory);
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
      yield* wait(this.upper.setXattr(entry.inode, OPAQUE, bytesOf('y'), {}));
    }
    return this.inodes.enter({ parent: directory, name }, entry.attributes, entry.inode, []);
  }

  /** Removes what is shown under a name; a whiteout hides what lower layers have there. */
  *remove(directory: OverlayInode, name: ByteString, wantsDirectory: boolean): Steps<void> {
    const found = yield* this.inodes.find(directory, name);
    if (found === undefined) return fail('ENOENT');
    const { inode } = found;
    try {
      if (inode.directory && !wantsDirectory) fail('EISDIR');
      if (!inode.directory && wantsDirectory) fail('ENOTDIR');
      if (inode.directory) yield* this.mustBeEmpty(inode);
      const below = yield* this.inodes.existsBelow(directory, name);
      const parent = below ? yield* this.inodes.copyUp(directory) : directory.upper!;
      // A file of several names may have been copied up under another one.
      yield* removeEntry(this.upper, parent, name);
      if (below) yield* this.hide(directory, name);
      if (inode.directory || found.attributes.links <= 1) inode.removed = true;
    } finally {
      this.inodes.forget(inode, 1);
    }
  }

  /** Moves a name, with all that the flags ask for; EXDEV for a directory of a lower layer. */
  *rename(
    from: OverlayInode,
    name: ByteString,
    to: OverlayInode,
    newName: ByteString,
    flags: RenameFlags,
  ): Steps<void> {
    const held: Entry<OverlayInode>[] = [];
    try {
      const moved = yield* this.inodes.find(from, name);
      if (moved === undefined) return fail('ENOENT');
      held.push(moved);
      const old = yield* this.inodes.find(to, newName);
      if (old !== undefined) held.push(old);
      yield* this.renameFound(from, name, moved, to, newName, old, flags);
    } finally {
      for (const { inode } of held) this.inodes.forget(inode, 1);
    }
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
    const { upper } = this;
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
    yield* this.inodes.copyUp(moved);
    const source = yield* this.inodes.copyUp(from);
    const target = yield* this.inodes.copyUp(to);
    const belowSource = yield* this.inodes.existsBelow(from, name);
    const belowTarget = yield* this.inodes.existsBelow(to, newName);
    if (old !== undefined && flags.exchange) {
      yield* this.inodes.copyUp(old.inode);
      yield* wait(upper.rename(source, name, target, newName, { exchange: true }));
      if (old.inode.directory && belowSource) yield* this.makeOpaque(old.inode);
      old.inode.parent = from;
      old.inode.name = name;
    } else {
      yield* removeEntry(this.upper, target, newName);
      yield* wait(upper.rename(source, name, target, newName, {}));
      if (old !== undefined && (old.inode.directory || old.attributes.links <= 1)) old.inode.removed = true;
      if (belowSource || flags.whiteout) yield* this.hide(from, name);
    }
    if (moved.directory && belowTarget) yield* this.makeOpaque(moved);
    moved.parent = to;
    moved.name = newName;
  }

  private *makeOpaque(directory: OverlayInode): Steps<void> {
    yield* wait(this.upper.setXattr(directory.upper!, OPAQUE, bytesOf('y'), {}));
  }

  /** Leaves a whiteout. */
  private *hide(directory: OverlayInode, name: ByteString): Steps<void> {
    const parent = yield* this.inodes.copyUp(directory);
    const { inode } = yield* wait(this.upper.makeNode(parent, name, WHITEOUT));
    this.upper.forget(inode, 1);
  }

  /** True when there was one. */
  private *removeWhiteout(parent: Inode, name: ByteString): Steps<boolean> {
    const { upper } = this;
    const found = yield* wait(upper.lookup(parent, name));
    if (found === undefined) return false;
    upper.forget(found.inode, 1);
    if (!isWhiteout(found.attributes)) return false;
    yield* wait(upper.unlink(parent, name));
    return true;
  }

  private *mustBeEmpty(directory: OverlayInode): Steps<void> {
    if ((yield* mergeNames(this.inodes.layersOf(directory))).size > 0) fail('ENOTEMPTY');
  }
}
