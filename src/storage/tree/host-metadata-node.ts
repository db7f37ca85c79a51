// What a guest sees of a host's file: the host's own metadata, and what the table says in their place.
import type { BigIntStats } from 'node:fs';
import type { ByteString } from './byte-name.ts';
import { isDirectory, isRegular, isSymlink, PERMISSIONS, withoutPrivileges } from './file-mode.ts';
import type { Attributes, XattrFlags } from './file-system.ts';
import { HostAttributes, type HostRecord } from './host-attributes-node.ts';
import { CAPABILITY_XATTR, getXattr, removeXattr, setXattr } from './xattrs.ts';

/** What the host may let others do with a file; everything else is kept in the table. */
const HOST_MODE = 0o777;
/** The owner of the process must be able to work with what a guest makes. */
export const OWNER_FILE = 0o600;
export const OWNER_DIRECTORY = 0o700;

/** The permissions that the host keeps of a mode. */
export const hostModeOf = (mode: number) =>
  (mode & HOST_MODE) | (isDirectory(mode) ? OWNER_DIRECTORY : OWNER_FILE);

/** A record's key: the device's number may change when the host starts again, so it is not part of it. */
const keyOf = (info: BigIntStats) => `${info.ino}:${info.birthtimeNs}`;

/** A mode and owner that a file is to have. */
export interface WantedMetadata {
  mode: number;
  uid: number;
  gid: number;
  device?: number;
}

/** The metadata of one share's files. */
export class HostMetadata {
  private readonly table: HostAttributes;
  private readonly device: bigint;
  private readonly uid = process.getuid?.() ?? 0;
  private readonly gid = process.getgid?.() ?? 0;

  /** @param root of the directory at `path`. @throws FileSystemError EIO for a damaged table */
  constructor(path: string, root: BigIntStats, readonly: boolean) {
    this.table = new HostAttributes(path, readonly);
    this.device = root.dev;
  }

  /** True when some regular file of the host stands for a device, FIFO or socket. */
  get hasSpecialFiles(): boolean {
    return this.table.hasSpecialFiles;
  }

  numberOf(info: BigIntStats): number {
    // Other file systems may be mounted within the directory, and number their files like ours.
    const device = info.dev === this.device ? 0n : (info.dev & 0xfffn) + 1n;
    return Number(BigInt.asUintN(53, info.ino + (device << 40n))) || 1;
  }

  describe(info: BigIntStats): Attributes {
    const record = this.table.get(keyOf(info));
    const mode = record?.mode ?? Number(info.mode);
    const stands = !isRegular(mode) && info.isFile();
    return {
      number: this.numberOf(info),
      mode,
      links: Number(info.nlink),
      uid: record?.uid ?? this.shownUid(info),
      gid: record?.gid ?? this.shownGid(info),
      device: record?.device ?? 0,
      size: stands ? 0 : Number(info.size),
      blocks: stands ? 0 : Number(info.blocks),
      atime: info.atimeNs,
      mtime: info.mtimeNs,
      ctime: info.ctimeNs,
    };
  }

  /** Puts into the table what the host does not show by itself. */
  keep(info: BigIntStats, wanted: WantedMetadata, record = this.table.get(keyOf(info))): void {
    const special = !isRegular(wanted.mode) && !isDirectory(wanted.mode) && !isSymlink(wanted.mode);
    const shown = isSymlink(wanted.mode) || (wanted.mode & PERMISSIONS) === hostModeOf(wanted.mode);
    const { mode: _mode, uid: _uid, gid: _gid, ...kept } = record ?? {};
    this.table.set(keyOf(info), {
      ...kept,
      ...(shown && !special ? {} : { mode: wanted.mode }),
      ...(wanted.uid === this.shownUid(info) ? {} : { uid: wanted.uid }),
      ...(wanted.gid === this.shownGid(info) ? {} : { gid: wanted.gid }),
      ...(wanted.device ? { device: wanted.device } : {}),
    });
  }

  /** The same without what gives privileges; the mode only unless another is `wanted`. */
  keepWithoutPrivileges(info: BigIntStats, wanted: WantedMetadata): void {
    const record = this.table.get(keyOf(info));
    this.keep(info, { ...wanted, mode: withoutPrivileges(wanted.mode) }, withoutCapability(record));
  }

  /** True when the file has privileges to lose: they are in the table only. */
  hasPrivileges(info: BigIntStats): boolean {
    const record = this.table.get(keyOf(info));
    if (record === undefined) return false;
    const { mode } = this.describe(info);
    return withoutPrivileges(mode) !== mode || record.xattrs?.has(CAPABILITY_XATTR) === true;
  }

  /** The file is gone, or is about to be one that was not there before. */
  forget(info: BigIntStats): void {
    this.table.delete(keyOf(info));
  }

  getXattr(info: BigIntStats, name: ByteString): Uint8Array {
    return getXattr(this.table.get(keyOf(info))?.xattrs, name);
  }

  setXattr(info: BigIntStats, name: ByteString, value: Uint8Array, flags: XattrFlags): void {
    const record = this.table.get(keyOf(info));
    const xattrs = new Map(record?.xattrs);
    setXattr(xattrs, name, value, flags);
    this.table.set(keyOf(info), { ...record, xattrs });
  }

  listXattrs(info: BigIntStats): ByteString[] {
    return [...(this.table.get(keyOf(info))?.xattrs?.keys() ?? [])];
  }

  removeXattr(info: BigIntStats, name: ByteString): void {
    const record = this.table.get(keyOf(info));
    const xattrs = new Map(record?.xattrs);
    removeXattr(xattrs, name);
    this.table.set(keyOf(info), { ...record, xattrs });
  }

  sync(): void {
    this.table.sync();
  }

  close(): void {
    this.table.close();
  }

  /** What belongs to whoever runs this belongs to the guest's root. */
  private shownUid(info: BigIntStats): number {
    const uid = Number(info.uid);
    return uid === this.uid ? 0 : uid;
  }

  private shownGid(info: BigIntStats): number {
    const gid = Number(info.gid);
    return gid === this.gid ? 0 : gid;
  }
}

function withoutCapability(record: HostRecord | undefined): HostRecord | undefined {
  if (!record?.xattrs?.has(CAPABILITY_XATTR)) return record;
  const xattrs = new Map(record.xattrs);
  xattrs.delete(CAPABILITY_XATTR);
  return { ...record, xattrs };
}
