// Host inodes and how they are reached without ever following a link: a directory is held open, and its entries are
// named through the descriptor.
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  openSync,
  statSync,
} from 'node:fs';
import { type ByteString, bytesOf } from './byte-name.ts';
import type { Inode } from './file-system.ts';
import { fail, fromSystemError } from './file-system-error.ts';
import type { NameListing } from './name-listing.ts';

/** Linux: a descriptor that only names a file (open(2)); Node's constants lack it. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
/** Descriptors of directories and of files that are kept open. */
const OPEN_DIRECTORIES = 256;
const OPEN_FILES = 256;
/** Files without a name that are kept for guests that still use them. */
const PINNED_MAX = 512;

/** True where `/proc/self/fd/N/name` names an entry of an open directory. */
const THROUGH_DESCRIPTORS = process.platform === 'linux' && existsSync('/proc/self/fd');

/** A path as Node's functions take it: non-ASCII names go as the bytes they are. */
export type HostPath = string | Buffer;

interface Place {
  parent: HostInode;
  name: ByteString;
}

/** What tells a host's file from every other, even one that gets its number later. */
export const identityOf = (info: BigIntStats) => `${info.dev}:${info.ino}:${info.birthtimeNs}`;

/** A file of the host that a guest knows. */
export class HostInode implements Inode {
  readonly number: number;
  readonly identity: string;
  readonly directory: boolean;
  readonly regular: boolean;
  /** Names it was seen under, the latest last. Each may be out of date. */
  places: Place[] = [];
  references = 0;
  /** An open descriptor: O_PATH for a directory. */
  fd: number | undefined;
  writable = false;
  /** It has no name left that is known; the descriptor is all there is. */
  pinned = false;
  /** Names with their cookies, of a directory that was listed. */
  listing: NameListing | undefined;

  constructor(info: BigIntStats, number: number) {
    this.number = number;
    this.identity = identityOf(info);
    this.directory = info.isDirectory();
    this.regular = info.isFile();
  }

  /** It has been seen under that name. */
  addPlace(parent: HostInode, name: ByteString): void {
    const last = this.places.at(-1);
    if (last?.parent === parent && last.name === name) return;
    this.removePlace(parent, name);
    this.places.push({ parent, name });
  }

  removePlace(parent: HostInode, name: ByteString): void {
    this.places = this.places.filter((place) => place.parent !== parent || place.name !== name);
  }
}

/** Opens and closes descriptors of host inodes, a bounded number of them. */
export class HostDescriptors {
  private readonly root: HostInode;
  private readonly rootPath: string;
  private readonly readonly: boolean;
  /** Oldest use first. */
  private readonly directories = new Set<HostInode>();
  private readonly files = new Set<HostInode>();
  private pinned = 0;

  constructor(root: HostInode, rootPath: string, readonly: boolean) {
    this.root = root;
    this.rootPath = rootPath;
    this.readonly = readonly;
    if (THROUGH_DESCRIPTORS) root.fd = openSync(rootPath, O_PATH | O_DIRECTORY);
  }

  /** The path of an entry of a directory. Its last component must not be followed. */
  at(directory: HostInode, name: ByteString): HostPath {
    return join(this.pathOf(directory), name);
  }

  /** A path that leads to the directory itself. ESTALE when it is no longer where it was. */
  pathOf(directory: HostInode): HostPath {
    if (!THROUGH_DESCRIPTORS) return this.checkedPath(directory);
    if (directory.fd === undefined) this.openDirectory(directory);
    else if (this.directories.delete(directory)) this.directories.add(directory);
    return `/proc/self/fd/${directory.fd}`;
  }

  /** A name under which the inode is right now, and what stat says of it; undefined when it has none. */
  find(inode: HostInode): { path: HostPath; info: BigIntStats } | undefined {
    for (let index = inode.places.length - 1; index >= 0; index--) {
      const { parent, name } = inode.places[index]!;
      const path = this.at(parent, name);
      const info = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (info !== undefined && identityOf(info) === inode.identity) return { path, info };
      inode.places.splice(index, 1);
    }
    return undefined;
  }

  /** A descriptor of a regular file, for reading or for both. */
  file(inode: HostInode, write: boolean): number {
    if (!inode.regular) return fail(inode.directory ? 'EISDIR' : 'EINVAL');
    if (inode.fd !== undefined && (inode.writable || !write)) {
      if (this.files.delete(inode)) this.files.add(inode);
      return inode.fd;
    }
    const found = this.find(inode);
    if (found === undefined) return fail('ESTALE', 'the file is gone from the host');
    let fd: number;
    let writable = !this.readonly;
    try {
      fd = open(found.path, writable ? O_RDWR : O_RDONLY);
    } catch (error) {
      if (write || !writable) throw error;
      fd = open(found.path, O_RDONLY);
      writable = false;
    }
    const info = fstatSync(fd, { bigint: true });
    if (!info.isFile() || identityOf(info) !== inode.identity) {
      closeSync(fd);
      return fail('ESTALE', 'the file has been replaced on the host');
    }
    if (inode.fd !== undefined) closeSync(inode.fd);
    inode.fd = fd;
    inode.writable = writable;
    this.files.add(inode);
    this.limit(this.files, OPEN_FILES);
    return fd;
  }

  /** A name is about to go: keeps the file reachable for whoever has it open in the guest. */
  pin(inode: HostInode): void {
    if (!inode.regular || inode.pinned || inode.places.length > 1 || this.pinned >= PINNED_MAX) return;
    try {
      this.file(inode, false);
    } catch {
      return; // It cannot be read now, so it could not be read later.
    }
    this.files.delete(inode);
    inode.pinned = true;
    this.pinned++;
  }

  /** Closes what is open of an inode. */
  release(inode: HostInode): void {
    this.directories.delete(inode);
    this.files.delete(inode);
    if (inode.pinned) this.pinned--;
    inode.pinned = false;
    if (inode.fd !== undefined && inode !== this.root) {
      closeSync(inode.fd);
      inode.fd = undefined;
    }
  }

  /** Calls `use` with a path that leads to exactly this inode, link or not, and follows nothing. */
  withExactPath<T>(inode: HostInode, use: (path: HostPath) => T): T {
    if (inode === this.root) return use(this.pathOf(inode));
    if (inode.pinned && THROUGH_DESCRIPTORS) return use(`/proc/self/fd/${inode.fd}`);
    const found = this.find(inode) ?? fail('ESTALE', 'the file is gone from the host');
    if (!THROUGH_DESCRIPTORS) return use(found.path);
    const fd = openSync(found.path, O_PATH | O_NOFOLLOW);
    try {
      if (identityOf(fstatSync(fd, { bigint: true })) !== inode.identity) fail('ESTALE');
      return use(`/proc/self/fd/${fd}`);
    } finally {
      closeSync(fd);
    }
  }

  /** What stat says of an inode. ESTALE when it is gone. */
  stat(inode: HostInode): BigIntStats {
    if (inode === this.root) return statSync(this.pathOf(inode), { bigint: true });
    if (inode.fd !== undefined) return fstatSync(inode.fd, { bigint: true });
    return this.find(inode)?.info ?? fail('ESTALE', 'the file is gone from the host');
  }

  /** Sets the permissions the host keeps; never those of a link. */
  chmod(inode: HostInode, mode: number): void {
    if (inode.regular && inode.fd !== undefined) fchmodSync(inode.fd, mode);
    else this.withExactPath(inode, (path) => chmodSync(path, mode));
  }

  /** Sets the times, in seconds since 1970. */
  setTimes(inode: HostInode, atime: number, mtime: number): void {
    if (inode.regular && inode.fd !== undefined) futimesSync(inode.fd, atime, mtime);
    else if (inode === this.root) {
      this.withExactPath(inode, (path) => lutimesSync(`${path}/.`, atime, mtime));
    } else lutimesSync((this.find(inode) ?? fail('ESTALE')).path, atime, mtime);
  }

  closeAll(): void {
    for (const inode of [...this.directories, ...this.files]) this.release(inode);
    if (this.root.fd !== undefined) closeSync(this.root.fd);
    this.root.fd = undefined;
  }

  private openDirectory(directory: HostInode): void {
    for (const { parent, name } of [...directory.places].reverse()) {
      let fd: number;
      try {
        fd = openSync(this.at(parent, name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
      } catch (error) {
        const { code } = fromSystemError(error);
        if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') continue;
        throw error;
      }
      if (identityOf(fstatSync(fd, { bigint: true })) === directory.identity) {
        directory.fd = fd;
        this.directories.add(directory);
        this.limit(this.directories, OPEN_DIRECTORIES);
        return;
      }
      closeSync(fd);
    }
    fail('ESTALE', 'the directory is gone from the host');
  }

  /** Without descriptors: the path, after a look at every directory on it. A host that races with it can mislead it. */
  private checkedPath(directory: HostInode): HostPath {
    if (directory === this.root) return this.rootPath;
    for (const { parent, name } of [...directory.places].reverse()) {
      const path = join(this.checkedPath(parent), name);
      const info = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (info?.isDirectory() && identityOf(info) === directory.identity) return path;
    }
    return fail('ESTALE', 'the directory is gone from the host');
  }

  private limit(open: Set<HostInode>, most: number): void {
    for (const oldest of open) {
      if (open.size <= most) return;
      open.delete(oldest);
      if (oldest.fd !== undefined) closeSync(oldest.fd);
      oldest.fd = undefined;
    }
  }
}

function open(path: HostPath, flags: number): number {
  // Never a FIFO's other end, never a terminal, never through a link.
  return openSync(path, flags | O_NOFOLLOW | O_NONBLOCK | constants.O_NOCTTY);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it names the ASCII range.
const ASCII = /^[\x00-\x7f]*$/;

function join(path: HostPath, name: ByteString): HostPath {
  if (typeof path === 'string' && ASCII.test(name)) return `${path}/${name}`;
  return Buffer.concat([Buffer.from(path as string), Buffer.from('/'), bytesOf(name)]);
}
