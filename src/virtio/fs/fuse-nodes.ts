import type { FileSystem, Inode } from '../../storage/tree/file-system.ts';
import { fail } from '../../storage/tree/file-system-error.ts';
import { ROOT_NODE } from './fuse-protocol.ts';

interface Node {
  readonly inode: Inode;
  /** How often the kernel was told of it and has not forgotten it. */
  lookups: number;
}

/** The inodes a kernel knows, by the numbers it knows them by. A number is never used twice. */
export class FuseNodes {
  private readonly tree: FileSystem;
  private readonly byNumber = new Map<number, Node>();
  private readonly byInode = new Map<Inode, number>();
  private last: number;
  private closed = false;

  /** @param after numbers up to this one were used before */
  constructor(tree: FileSystem, after = ROOT_NODE) {
    this.tree = tree;
    this.last = after;
    this.byNumber.set(ROOT_NODE, { inode: tree.root, lookups: 1 });
    this.byInode.set(tree.root, ROOT_NODE);
  }

  /** Inodes known, the root among them. */
  get size(): number {
    return this.byNumber.size;
  }

  /** ESTALE when the kernel was never told of it, or has forgotten it. */
  get(number: number): Inode {
    const node = this.byNumber.get(number);
    return node === undefined ? fail('ESTALE', 'unknown node') : node.inode;
  }

  /** The number to tell the kernel; the reference that came with the inode is now the kernel's. */
  enter(inode: Inode): number {
    if (this.closed) {
      // An answer that came too late: nobody will ever forget it.
      this.tree.forget(inode, 1);
      return 0;
    }
    const known = this.byInode.get(inode);
    if (known !== undefined) {
      this.byNumber.get(known)!.lookups++;
      return known;
    }
    const number = ++this.last;
    this.byNumber.set(number, { inode, lookups: 1 });
    this.byInode.set(inode, number);
    return number;
  }

  /** The kernel gives back lookups; what it never had does not count. */
  forget(number: number, lookups: number): void {
    const node = this.byNumber.get(number);
    if (node === undefined || number === ROOT_NODE) return;
    const count = Math.min(lookups, node.lookups);
    node.lookups -= count;
    this.tree.forget(node.inode, count);
    if (node.lookups > 0) return;
    this.byNumber.delete(number);
    this.byInode.delete(node.inode);
  }

  /** The kernel has gone: everything is given back. Answers what a new one's numbers come after. */
  close(): number {
    this.closed = true;
    for (const [number, { lookups }] of [...this.byNumber]) this.forget(number, lookups);
    return this.last;
  }
}
