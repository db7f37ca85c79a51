// Snapshots as a user sees them: `vm.snapshot()`, `hypervisor.snapshots`, `hypervisor.restore()`, `vm.clone()`.
import type { VmDrive, VmNetwork, VmOptions, VmShare } from './types.ts';

/** A saved machine. */
export interface Snapshot {
  /** 32 hex digits; no two snapshots have the same. */
  readonly id: string;
  /** Shown to people; several may have the same. */
  readonly name: string;
  readonly created: Date;
  /** The guest by whose name the machine was booted. */
  readonly guest: string | undefined;
  /** Bytes of RAM of the machine. */
  readonly memory: number;
  /** Bytes that the snapshot takes. */
  readonly bytes: number;
  /** The id of the snapshot that it is an increment of: it cannot be restored without that one. */
  readonly parent: string | undefined;
  /** Its drives by name, and whether a snapshot holds them: `outside` and `overlay` are not in an exported file. */
  readonly drives: readonly { name: string; kept: 'whole' | 'changes' | 'overlay' | 'outside' }[];
  /** Tags of its shares that are not in it, and have to be given again. */
  readonly shares: readonly string[];
  /** The file as it is kept: an increment is one, too. Rejects with SnapshotError (missing) once it is removed. */
  blob(): Promise<Blob>;
}

export interface SnapshotOptions {
  /** Default: the machine's. */
  name?: string;
  /** False: it is not kept in the store, but in memory, until nobody refers to it. */
  store?: boolean;
  /** True: only what has changed since the last snapshot of this machine that was stored, where there is one. */
  incremental?: boolean;
  /**
   * lz4 takes a third more room than gzip and a fifth of its time; none takes twice the room of lz4 and is restored in
   * less time still. Default: lz4, but RAM of up to 512 MiB as it is in the store of a browser that has four times the
   * room for it; an export is packed.
   */
  compression?: 'lz4' | 'gzip' | 'none';
  /**
   * True: the machine stands still until all is packed, instead of while its memory is copied: that takes no memory for a
   * copy, and some ten times as long. Never incremental.
   */
  standing?: boolean;
}

/** How far a save is. */
export interface SnapshotProgress {
  id: string;
  /** Bytes of RAM packed, of how many; equal when only storing is left. */
  done: number;
  total: number;
}

/** A snapshot that has just been made. */
export interface FreshSnapshot extends Snapshot {
  /** Milliseconds that the machine stood still for it. */
  readonly pauseMs: number;
}

/**
 * What a restored machine is given, beside what is in the snapshot. Drives and shares are never opened because a file
 * names them: those that are not in it have to be given again, in the same order and way.
 */
export interface RestoreOptions
  extends Pick<
    VmOptions,
    'kernel' | 'initrd' | 'bios' | 'engine' | 'maxInstructions' | 'cpus' | 'weight' | 'lease'
  > {
  name?: string;
  /** Refused unless it is what the machine was saved with. */
  memory?: number | string;
  /** In the order in which the machine had them, without those of its guest and those that the snapshot has whole. */
  drives?: readonly VmDrive[];
  shares?: readonly VmShare[];
  /** As many interfaces as the machine had; default: each in a network of its own. MAC addresses are new. */
  network?: VmNetwork | readonly VmNetwork[];
}

/**
 * What a clone has of its own. It has the drives and shares that the machine was given; a drive that the machine writes
 * cannot be used by two, so that such a machine has no clones: give it the drive with `snapshot: true`.
 */
export interface CloneOptions {
  name?: string;
  /** Default: the machine's own networks. MAC addresses are new. */
  network?: VmNetwork | readonly VmNetwork[];
}

/** The snapshots of this browser, or of this user (Node). Calls reject with SnapshotError. */
export interface SnapshotStore {
  /** Newest first. Files that cannot be read are left out. */
  list(): Promise<Snapshot[]>;
  /** By id, by the beginning of one (at least 4 digits), or by name (the newest of that name); rejects when missing. */
  get(idOrName: string): Promise<Snapshot>;
  /** Rejects (parent) while increments stand on it. */
  remove(idOrName: string): Promise<void>;
  /** One whole file that stands on nothing else. */
  export(idOrName: string): Promise<Blob>;
  /** Takes a file in, after all of it has been checked; a path is one of Node's. */
  import(file: Blob | Uint8Array | string): Promise<Snapshot>;
}
