// The bits of st_mode (POSIX sys/stat.h) and of Linux's device numbers.

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
/** Everything chmod(2) changes. */
export const PERMISSIONS = 0o7777;

const TYPES: readonly number[] = [S_IFSOCK, S_IFLNK, S_IFREG, S_IFBLK, S_IFDIR, S_IFCHR, S_IFIFO];

export const isDirectory = (mode: number) => (mode & S_IFMT) === S_IFDIR;
export const isRegular = (mode: number) => (mode & S_IFMT) === S_IFREG;
export const isSymlink = (mode: number) => (mode & S_IFMT) === S_IFLNK;
export const isDevice = (mode: number) => (mode & S_IFMT) === S_IFCHR || (mode & S_IFMT) === S_IFBLK;
export const isKnownType = (mode: number) => TYPES.includes(mode & S_IFMT);

/** What mknod(2) makes: neither directories nor links, nor what is of no type. */
export const isNodeType = (mode: number) => isKnownType(mode) && !isDirectory(mode) && !isSymlink(mode);

/** The mode of a new directory, which inherits the set-group-ID bit of the one it is made in. */
export const newDirectoryMode = (mode: number, parentMode: number) =>
  S_IFDIR | (mode & PERMISSIONS) | (parentMode & S_ISGID);

/** The group of a new file: that of its directory where this asks for it (inode_init_owner in Linux). */
export const newGroup = (gid: number, parent: { mode: number; gid: number }) =>
  (parent.mode & S_ISGID) !== 0 ? parent.gid : gid;

/** The mode of every symbolic link. */
export const SYMLINK_MODE = S_IFLNK | 0o777;

/** A device's number as Linux passes it to file systems (new_encode_dev: 12 bits major, 20 bits minor). */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

export function decodeDevice(device: number): { major: number; minor: number } {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) };
}

/**
 * What is left of a mode once someone without privileges has written to the file: no set-user-ID bit, and no
 * set-group-ID bit where it has its meaning (POSIX write(2), chown(2)).
 */
export function withoutPrivileges(mode: number): number {
  if (!isRegular(mode)) return mode;
  const cleared = mode & ~S_ISUID;
  return (mode & 0o010) !== 0 ? cleared & ~S_ISGID : cleared;
}
