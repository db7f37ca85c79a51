import type { Answer, Attributes, Entry, FileSystem, Inode } from './file-system.ts';
import { fail } from './file-system-error.ts';

/** Trees whose inode numbers are told apart; with more of them, numbers of files in use may be equal. */
const MOUNTS = 2 ** 13;
/** Inode numbers that stay apart within a tree. */
const NUMBERS = 2 ** 40;

/** A tree within a mount tree, and those of its inodes that somebody holds. */
export class Mount {
  readonly tree: FileSystem;
  private readonly slot: number;
  private readonly known = new Map<Inode, MountInode>();
  private left = false;

  /** @param slot tells it from others, 1 or more */
  constructor(slot: number, tree: FileSystem) {
    this.slot = slot % MOUNTS;
    this.tree = tree;
  }

  get gone(): boolean {
    return this.left;
  }

  /** An inode number of the tree's as it is shown. */
  number(inner: number): number {
    return (inner % NUMBERS) * MOUNTS + this.slot;
  }

  describe(attributes: Attributes): Attributes {
    return { ...attributes, number: this.number(attributes.number) };
  }

  /** An entry of the tree's as it is shown; its reference becomes one to the inode that is shown. */
  enter({ inode, attributes }: Entry): Entry<MountInode> {
    if (this.left) fail('ESTALE');
    let shown = this.known.get(inode);
    if (shown === undefined) {
      shown = new MountInode(this.number(inode.number), this, inode);
      this.known.set(inode, shown);
    }
    shown.references++;
    return { inode: shown, attributes: this.describe(attributes) };
  }

  forget(shown: MountInode, references: number): void {
    shown.references -= references;
    const { inode } = shown;
    if (this.left || inode === undefined) return;
    if (shown.references <= 0) this.known.delete(inode);
    if (inode !== this.tree.root) this.tree.forget(inode, references);
  }

  /** The tree goes; what is still held of it is of no use any more. */
  leave(): Answer<void> {
    this.left = true;
    this.known.clear();
    return this.tree.close();
  }
}

/** An inode of one of the trees, or the directory above them all (which has no mount). */
export class MountInode implements Inode {
  readonly number: number;
  readonly mount: Mount | undefined;
  readonly inode: Inode | undefined;
  references = 0;

  constructor(number: number, mount: Mount | undefined, inode: Inode | undefined) {
    this.number = number;
    this.mount = mount;
    this.inode = inode;
  }

  /** Where it is: ESTALE when its tree has gone, EINVAL for the directory above them. */
  real(): { mount: Mount; tree: FileSystem; inode: Inode } {
    const { mount, inode } = this;
    if (mount === undefined || inode === undefined) fail('EINVAL');
    if (mount.gone) fail('ESTALE');
    return { mount, tree: mount.tree, inode };
  }
}
