import type { BigIntStats } from 'node:fs';
import type { ByteString } from './byte-name.ts';
import { type HostDescriptors, HostInode, identityOf } from './host-inode-node.ts';

/** The files of a host directory that a guest knows, and the names they were seen under. */
export class HostInodes {
  private readonly root: HostInode;
  private readonly descriptors: HostDescriptors;
  private readonly known = new Map<string, HostInode>();

  constructor(root: HostInode, descriptors: HostDescriptors) {
    this.root = root;
    this.descriptors = descriptors;
    this.known.set(root.identity, root);
  }

  /** The inode of what was found under a name, with one reference more; `numberOf` gives a new one its number. */
  enter(directory: HostInode, name: ByteString, info: BigIntStats, numberOf: () => number): HostInode {
    const identity = identityOf(info);
    let inode = this.known.get(identity);
    if (inode === undefined) {
      inode = new HostInode(info, numberOf());
      this.known.set(identity, inode);
    }
    inode.addPlace(directory, name);
    inode.references++;
    return inode;
  }

  /** Takes references back; true when there are none left, and the inode is closed and no longer known. */
  forget(inode: HostInode, references: number): boolean {
    inode.references -= references;
    if (inode.references > 0 || inode === this.root) return false;
    this.descriptors.release(inode);
    this.known.delete(inode.identity);
    return true;
  }

  /** A name is about to go. */
  willLose(directory: HostInode, name: ByteString, info: BigIntStats): void {
    const inode = this.known.get(identityOf(info));
    if (inode === undefined) return;
    inode.addPlace(directory, name);
    this.descriptors.pin(inode);
  }

  /** A name is gone. */
  hasLost(directory: HostInode, name: ByteString, info: BigIntStats): void {
    this.known.get(identityOf(info))?.removePlace(directory, name);
  }

  hasMoved(info: BigIntStats, from: HostInode, name: ByteString, to: HostInode, newName: ByteString): void {
    const inode = this.known.get(identityOf(info));
    inode?.removePlace(from, name);
    inode?.addPlace(to, newName);
  }
}
