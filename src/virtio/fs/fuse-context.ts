import type { FileLocks } from '../../storage/tree/file-locks.ts';
import type { Entry, FileSystem, Inode } from '../../storage/tree/file-system.ts';
import { encodeEntry, type Validity } from './fuse-encode.ts';
import type { FuseNodes, Place } from './fuse-nodes.ts';
import type { FuseReader } from './fuse-reader.ts';

/** Locks that the clients of one tree share; POSIX and flock locks do not see each other. */
export interface SharedLocks {
  posix: FileLocks<Inode>;
  flock: FileLocks<Inode>;
}

/** A SETLKW that waits. */
export interface LockWait {
  cancel(): void;
}

/** What an operation works with. The reader holds the request only until the operation has returned. */
export interface FuseContext {
  readonly tree: FileSystem;
  readonly nodes: FuseNodes;
  readonly reader: FuseReader;
  readonly validity: Validity;
  /** Set when locks are kept here; the kernel of a single client keeps its own better. */
  readonly locks: SharedLocks | undefined;
  /** Tells the lock owners of this client from those of others. */
  readonly client: number;
  readonly waits: Map<bigint, LockWait>;
  /** Where the reply goes, its header included. */
  readonly output: readonly Uint8Array[];
  /** Bytes of the reply behind its header at most. */
  readonly room: number;
}

/** The reply's bytes behind its header; a number when that many are in the output already. */
export type Reply = Uint8Array | number | undefined;
export type ReplyLater = Promise<Uint8Array | undefined>;
/** Answers a request. Throws, or rejects with, FileSystemError. */
export type Operation = (context: FuseContext) => Reply | ReplyLater;

/** Tells the kernel of an inode under a name. */
export function replyEntry({ nodes, validity }: FuseContext, entry: Entry, place: Place): Uint8Array {
  return encodeEntry(nodes.enter(entry, place), entry.attributes, validity);
}
