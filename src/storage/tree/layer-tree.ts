// A tar archive as a tree, read in place: only its index is in memory. As a layer of a container image (OCI image-spec,
// layer.md) its whiteouts become those that Linux's overlayfs knows.
import { StorageError } from '../storage-error.ts';
import { type ByteString, bytesOf, printable } from './byte-name.ts';
import { type ByteSource, SourceSlice } from './byte-source.ts';
import { encodeDevice, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFREG } from './file-mode.ts';
import type { NewFile } from './file-system.ts';
import { FileSystemError } from './file-system-error.ts';
import type { MemoryInode } from './memory-inode.ts';
import { MemoryTree } from './memory-tree.ts';
import { indexTar, type TarRecord } from './tar-index.ts';

const WHITEOUT = '.wh.';
/** A directory that hides all of the layers below. */
const OPAQUE = '.wh..wh..opq';
/** Names that older storage drivers kept for themselves. */
const RESERVED = '.wh..wh.';
/** What overlayfs looks for (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories"). */
const OPAQUE_XATTR = 'trusted.overlay.opaque';
const SPECIAL: Record<string, number> = { character: S_IFCHR, block: S_IFBLK, fifo: S_IFIFO };
/** Bytes of memory for the index of one archive. */
const CAPACITY = 2 ** 30;
const NS_PER_SECOND = 1e9;

export interface LayerOptions {
  /** Names the archive in errors. */
  name: string;
  /** Turn `.wh.` names into overlayfs's whiteouts; otherwise they are names like others. */
  whiteouts?: boolean;
}

/**
 * Opens an uncompressed tar archive as a read-only tree.
 * @throws {StorageError} corrupt
 */
export async function openLayer(source: ByteSource, options: LayerOptions): Promise<MemoryTree> {
  return layerTree(await indexTar(source, options.name), source, options);
}

/**
 * The same with an index that was made before.
 * @throws {StorageError} corrupt: when the index does not fit the archive, or entries do not fit each other
 */
export function layerTree(
  records: readonly TarRecord[],
  source: ByteSource,
  options: LayerOptions,
): MemoryTree {
  const builder = new Builder(source, options);
  for (const record of records) builder.add(record);
  builder.finish();
  return builder.tree;
}

class Builder {
  readonly tree = new MemoryTree({ capacity: CAPACITY, sharing: 'immutable' });
  private readonly source: ByteSource;
  private readonly options: LayerOptions;
  /** Making an entry changes its directory's time; the archive's own is put back at the end. */
  private readonly times = new Map<MemoryInode, number>();

  constructor(source: ByteSource, options: LayerOptions) {
    this.source = source;
    this.options = options;
  }

  add(record: TarRecord): void {
    try {
      this.place(record);
    } catch (error) {
      if (!(error instanceof FileSystemError)) throw error;
      throw this.bad(`${printable(record.path)} cannot be made (${error.code})`);
    }
  }

  finish(): void {
    for (const [inode, seconds] of this.times) {
      const time = BigInt(Math.round(seconds * NS_PER_SECOND));
      this.tree.setAttributes(inode, { mtime: time, atime: time, ctime: time });
    }
    this.tree.seal();
  }

  private place(record: TarRecord): void {
    const { tree } = this;
    const parts = record.path === '' ? [] : record.path.split('/');
    const name = parts.pop();
    if (name === undefined) {
      if (record.type === 'directory') this.describe(tree.root, record);
      return;
    }
    const directory = this.directoryAt(parts, record.path);
    if (this.options.whiteouts && name.startsWith(WHITEOUT)) {
      this.whiteOut(directory, name, record);
      return;
    }
    const file = this.newFile(record);
    const old = this.peek(directory, name);
    if (record.type === 'directory' && old?.entries !== undefined) {
      this.describe(old, record);
      return;
    }
    if (record.type === 'hardlink') {
      const target = this.find(record.link);
      if (target === undefined || target.entries !== undefined) {
        throw this.bad(
          `${printable(record.path)} is a link to ${printable(record.link)}, which is no file in it`,
        );
      }
      if (old === target) return;
      if (old !== undefined) this.remove(directory, name, old);
      tree.forget(tree.link(target, directory, name).inode, 1);
      return;
    }
    // The last of several entries of a name holds.
    if (old !== undefined) this.remove(directory, name, old);
    if (record.type === 'file') {
      const { offset, size } = record;
      if (offset + size > this.source.size)
        throw this.bad(`${printable(record.path)} goes on beyond its end`);
      this.describe(tree.addFile(directory, name, file, new SourceSlice(this.source, offset, size)), record);
      return;
    }
    const { inode } =
      record.type === 'directory'
        ? tree.makeDirectory(directory, name, file)
        : record.type === 'symlink'
          ? tree.makeSymlink(directory, name, record.link, file)
          : tree.makeNode(directory, name, file);
    tree.forget(inode, 1);
    this.describe(inode, record);
  }

  private whiteOut(directory: MemoryInode, name: ByteString, record: TarRecord): void {
    const { tree } = this;
    if (name === OPAQUE) {
      tree.setXattr(directory, OPAQUE_XATTR, bytesOf('y'), {});
      return;
    }
    if (name.startsWith(RESERVED)) return;
    const hidden = name.slice(WHITEOUT.length);
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw this.bad(`${printable(record.path)} hides no name`);
    }
    // What the same layer adds under that name stands.
    if (this.peek(directory, hidden) !== undefined) return;
    const file: NewFile = { mode: S_IFCHR, uid: 0, gid: 0, device: encodeDevice(0, 0) };
    tree.forget(tree.makeNode(directory, hidden, file).inode, 1);
  }

  private newFile({ type, mode, uid, gid, major, minor }: TarRecord): NewFile {
    const device = type === 'character' || type === 'block' ? encodeDevice(major, minor) : 0;
    return { mode: (SPECIAL[type] ?? (type === 'directory' ? S_IFDIR : S_IFREG)) | mode, uid, gid, device };
  }

  private describe(inode: MemoryInode, { mode, uid, gid, mtime, xattrs, type }: TarRecord): void {
    const changes = type === 'symlink' ? { uid, gid } : { mode, uid, gid };
    this.tree.setAttributes(inode, changes);
    this.times.set(inode, mtime);
    for (const [name, value] of xattrs ?? []) {
      // Attributes of other systems, and ACLs, which would have to be enforced.
      if (!/^(user|trusted|security)\../.test(name)) continue;
      this.tree.setXattr(inode, name, bytesOf(value), {});
    }
  }

  /** The directory of that path; those that have no entry of their own are made. */
  private directoryAt(parts: readonly ByteString[], path: ByteString): MemoryInode {
    let at = this.tree.root;
    for (const part of parts) {
      let next = this.peek(at, part);
      if (next === undefined) {
        const entry = this.tree.makeDirectory(at, part, { mode: S_IFDIR | 0o755, uid: 0, gid: 0 });
        next = entry.inode;
        this.tree.forget(next, 1);
        this.times.set(next, 0);
      }
      // A link here could lead out of the archive.
      if (next.entries === undefined)
        throw this.bad(`${printable(path)} lies below something that is no directory`);
      at = next;
    }
    return at;
  }

  private find(path: ByteString): MemoryInode | undefined {
    let at: MemoryInode | undefined = this.tree.root;
    for (const part of path.split('/')) {
      if (at?.entries === undefined) return undefined;
      at = this.peek(at, part);
    }
    return at;
  }

  private peek(directory: MemoryInode, name: ByteString): MemoryInode | undefined {
    return directory.entries?.get(name);
  }

  private remove(directory: MemoryInode, name: ByteString, inode: MemoryInode): void {
    if (inode.entries === undefined) {
      this.tree.unlink(directory, name);
      if (inode.links === 0) this.times.delete(inode);
      return;
    }
    for (const slot of [...inode.entries.values()]) this.remove(inode, slot.name, slot.value);
    this.tree.removeDirectory(directory, name);
    this.times.delete(inode);
  }

  private bad(why: string): StorageError {
    return new StorageError('corrupt', `${this.options.name} is damaged: ${why}`);
  }
}
