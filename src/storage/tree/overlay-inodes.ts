import type { ByteString } from './byte-name.ts';
import { isDirectory, isRegular, isSymlink } from './file-mode.ts';
import type { Attributes, Entry, FileSystem, Inode, NewFile } from './file-system.ts';
import { fail } from './file-system-error.ts';
import { type LayerInode, OverlayInode } from './overlay-inode.ts';
import { copyContents, findBelow, isOpaque, isWhiteout, MARKS } from './overlay-layers.ts';
import { type Steps, wait } from './steps.ts';

/** The inodes that an overlay shows: how they are found in its layers, held, and copied to the upper one. */
export class OverlayInodes {
  readonly root: OverlayInode;
  readonly upper: FileSystem | undefined;
  private readonly lowers: readonly FileSystem[];
  /** Inodes that somebody holds, by those of the layers they stand for. */
  private readonly known = new Map<Inode, OverlayInode>();

  constructor(lowers: readonly FileSystem[], upper: FileSystem | undefined) {
    this.lowers = lowers;
    this.upper = upper;
    const roots = lowers.map((tree) => ({ tree, inode: tree.root }));
    this.root = new OverlayInode(1, true, { parent: undefined, name: '' }, upper?.root, roots);
  }

  /** Takes references back; with the last one the layers get theirs. */
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

  /** All that a directory is merged of, the topmost first. */
  layersOf({ upper, lowers }: OverlayInode): LayerInode[] {
    return upper === undefined ? [...lowers] : [{ tree: this.upper!, inode: upper }, ...lowers];
  }

  /** The inode that is shown. */
  real(inode: OverlayInode): LayerInode {
    if (inode.upper !== undefined) return { tree: this.upper!, inode: inode.upper };
    return inode.lowers[0] ?? fail('ESTALE');
  }

  private numberOf(tree: FileSystem, inode: Inode): number {
    const layer = tree === this.upper ? 0 : this.lowers.indexOf(tree) + 1;
    return inode.number * (this.lowers.length + 1) + layer + 1;
  }

  /** Looks a name up in all layers; the inode has one reference more then. */
  *find(directory: OverlayInode, name: ByteString): Steps<Entry<OverlayInode> | undefined> {
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
  *existsBelow(directory: OverlayInode, name: ByteString): Steps<boolean> {
    const lowers = yield* findBelow(directory.lowers, name, false);
    for (const { tree, inode } of lowers) tree.forget(inode, 1);
    return lowers.length > 0;
  }

  /** Answers what was found; the references to layers' inodes become the overlay inode's, or are given back. */
  enter(
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
  *copyUp(inode: OverlayInode, size = Infinity): Steps<Inode> {
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
}
