// The contract between a tree of files and what serves it: operations on inodes, as a kernel asks for them.
//
// There are no open files here: every operation names its inode, and an inode stays usable while a reference to it
// is held, unlinked or not. A back end that needs handles keeps them by itself.
import type { ByteString } from './byte-name.ts';

/** An answer at once or later. A back end that can answer at once does: it spares the trip through the event loop. */
export type Answer<T> = T | Promise<T>;

/** A file, directory, link or device, whatever its names. Back ends have classes of their own. */
export interface Inode {
  /** st_ino: equal for all names of a file, never 0. */
  readonly number: number;
}

/** What stat(2) tells. Times are nanoseconds since 1970. */
export interface Attributes {
  number: number;
  /** Type and permissions, as in st_mode (file-mode.ts). */
  mode: number;
  links: number;
  uid: number;
  gid: number;
  /** Of a device node: its number in Linux's encoding (encodeDevice), else 0. */
  device: number;
  /** Bytes; of a symlink, those of its target. */
  size: number;
  /** Units of 512 bytes that are really taken. */
  blocks: number;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
}

/** What setattr changes; what is absent stays. */
export interface AttributeChanges {
  /** Permissions only; the type stays. */
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  atime?: bigint | 'now';
  mtime?: bigint | 'now';
  ctime?: bigint;
  /** Clear set-user-ID, set-group-ID and security.capability as well (the caller has no CAP_FSETID). */
  killPrivileges?: boolean;
}

/** An inode under a name. Each one answered holds a reference to its inode, until forget() gives it back. */
export interface Entry<I extends Inode = Inode> {
  inode: I;
  attributes: Attributes;
}

/** One entry of a directory listing. */
export interface DirectoryEntry {
  name: ByteString;
  number: number;
  /** Only the type bits count. */
  mode: number;
  /** Where a listing goes on after this entry: more than 0, growing, and the same as long as the entry is there. */
  cookie: number;
}

/** Whose a new file is, and with which permissions (the umask has been applied). */
export interface NewFile {
  /** Type and permissions. */
  mode: number;
  uid: number;
  gid: number;
  /** Of a device node. */
  device?: number;
}

export interface RenameFlags {
  /** EEXIST when the new name exists. */
  noReplace?: boolean;
  /** Both names exist, and change places. */
  exchange?: boolean;
  /** Leave a whiteout (character device 0:0) at the old name, as overlayfs asks. */
  whiteout?: boolean;
}

export interface FileSystemStatistics {
  blockSize: number;
  /** In units of blockSize. */
  blocks: number;
  blocksFree: number;
  files: number;
  filesFree: number;
  nameMax: number;
}

/** What fallocate(2) is to do with a range. */
export type AllocateMode = 'allocate' | 'punch' | 'zero';

export interface XattrFlags {
  /** EEXIST when it exists. */
  create?: boolean;
  /** ENODATA when it does not. */
  replace?: boolean;
}

/** Who may change the files beside the one that is served. */
export type Sharing =
  /** Nobody: what was seen stays so. */
  | 'immutable'
  /** Only the one that is served. */
  | 'exclusive'
  /** Others too, at any time. */
  | 'shared';

/**
 * A tree of files. Operations throw (or reject with) FileSystemError. Names were checked by the caller to have 1 to
 * 255 bytes, no slash and no NUL, and not to be `.` or `..`; offsets and sizes to be safe integers, 0 or more.
 */
export interface FileSystem<I extends Inode = Inode> {
  readonly root: I;
  readonly readonly: boolean;
  readonly sharing: Sharing;
  /** True when a file keeps its number for life, whoever opens the tree anew; another file has another number then. */
  readonly lastingNumbers?: boolean;
  /** True when files have no extended attributes, none can be set, and so nobody need ask for any. */
  readonly withoutXattrs?: boolean;

  /** The entry of that name, or undefined. ENOTDIR when `directory` is none. */
  lookup(directory: I, name: ByteString): Answer<Entry<I> | undefined>;
  /** Gives back references that entries brought. The root needs none. */
  forget(inode: I, references: number): void;
  attributes(inode: I): Answer<Attributes>;
  setAttributes(inode: I, changes: AttributeChanges): Answer<Attributes>;
  /** Entries after the one with that cookie (0: from the start), at most `limit`; `.` and `..` are not among them. */
  list(directory: I, after: number, limit: number): Answer<DirectoryEntry[]>;
  readLink(inode: I): Answer<ByteString>;

  /** Makes a file of any type but directory and symlink. */
  makeNode(directory: I, name: ByteString, file: NewFile): Answer<Entry<I>>;
  makeDirectory(directory: I, name: ByteString, file: NewFile): Answer<Entry<I>>;
  makeSymlink(directory: I, name: ByteString, target: ByteString, file: NewFile): Answer<Entry<I>>;
  /** Makes a regular file without a name (O_TMPFILE). */
  makeTemporary(directory: I, file: NewFile): Answer<Entry<I>>;
  link(inode: I, directory: I, name: ByteString): Answer<Entry<I>>;
  unlink(directory: I, name: ByteString): Answer<void>;
  removeDirectory(directory: I, name: ByteString): Answer<void>;
  rename(from: I, name: ByteString, to: I, newName: ByteString, flags: RenameFlags): Answer<void>;

  /**
   * Reads from `offset`. An answer at once has filled `targets` in order and is the number of bytes, fewer only at
   * the end of the file. An answer later brings bytes of its own, because the targets may be gone by then.
   */
  read(inode: I, offset: number, targets: readonly Uint8Array[]): number | Promise<Uint8Array>;
  /** Writes all of `sources`, which must not be used after the call has returned. Answers the number of bytes. */
  write(
    inode: I,
    offset: number,
    sources: readonly Uint8Array[],
    options: { killPrivileges: boolean },
  ): Answer<number>;
  allocate(
    inode: I,
    mode: AllocateMode,
    offset: number,
    length: number,
    options: { keepSize: boolean },
  ): Answer<void>;
  /** Where data or a hole next begins at or after `offset` (lseek SEEK_DATA, SEEK_HOLE). ENXIO at the end. */
  seek(inode: I, offset: number, what: 'data' | 'hole'): Answer<number>;
  /** Ends when the inode's data (and metadata, unless `dataOnly`) survive a crash of what runs here. */
  sync(inode: I, dataOnly: boolean): Answer<void>;
  /** The same for everything. */
  syncAll(): Answer<void>;

  /** ENODATA when there is none. */
  getXattr(inode: I, name: ByteString): Answer<Uint8Array>;
  setXattr(inode: I, name: ByteString, value: Uint8Array, flags: XattrFlags): Answer<void>;
  listXattrs(inode: I): Answer<ByteString[]>;
  removeXattr(inode: I, name: ByteString): Answer<void>;

  statistics(): Answer<FileSystemStatistics>;
  /** Gives up every handle. Later calls fail. */
  close(): Answer<void>;
}
