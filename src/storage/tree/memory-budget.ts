import type { ByteString } from './byte-name.ts';
import type { FileSystemStatistics } from './file-system.ts';
import { fail } from './file-system-error.ts';
import type { MemoryInode } from './memory-inode.ts';
import { SparseBytes } from './sparse-bytes.ts';

/** What an inode and a name cost beside their contents, in bytes: a guest must not fill the host with empty files. */
const INODE_COST = 512;
const NAME_COST = 128;
const BLOCK = 4096;

/** The bytes that a tree in memory may take, and those it has taken. */
export class MemoryBudget {
  private readonly capacity: number;
  private used = 0;
  private inodes = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Takes bytes, or gives some back; ENOSPC. A bound method costs less than a closure for each file. */
  readonly charge = (bytes: number) => {
    if (bytes > 0 && this.used + bytes > this.capacity) fail('ENOSPC');
    this.used += bytes;
  };

  /** Fails with ENOSPC unless so many bytes are left. */
  require(bytes: number): void {
    if (bytes > this.capacity - this.used) fail('ENOSPC');
  }

  chargeName(name: ByteString): void {
    this.charge(NAME_COST + name.length);
  }
  returnName(name: ByteString): void {
    this.charge(-NAME_COST - name.length);
  }

  chargeInode(): void {
    this.charge(INODE_COST);
    this.inodes++;
  }
  /** An inode is gone, with all that it held. */
  returnInode({ target, contents, xattrs }: MemoryInode): void {
    this.inodes--;
    let bytes = INODE_COST + (target?.length ?? 0);
    if (contents instanceof SparseBytes) bytes += contents.allocated;
    for (const [name, value] of xattrs ?? []) bytes += name.length + value.length;
    this.charge(-bytes);
  }

  /** `full`: nothing more can be made, whatever is left. */
  statistics(full: boolean): FileSystemStatistics {
    const free = Math.max(0, this.capacity - this.used);
    return {
      blockSize: BLOCK,
      blocks: Math.ceil(this.capacity / BLOCK),
      blocksFree: full ? 0 : Math.floor(free / BLOCK),
      files: this.inodes + Math.floor(free / INODE_COST),
      filesFree: full ? 0 : Math.floor(free / INODE_COST),
      nameMax: 255,
    };
  }
}
