// A directory that the user has picked in the browser (File System Access), as a tree. Such a directory has files and
// directories, and of a file its bytes and its time: modes and owners are what the guest says, until the page is closed.
import { BlobEdit } from './blob-edit.ts';
import { type ByteString, fromText, toText } from './byte-name.ts';
import { lengthOf } from './byte-source.ts';
import { isRegular, PERMISSIONS, S_IFDIR, S_IFREG } from './file-mode.ts';
import type {
  AllocateMode,
  AttributeChanges,
  Attributes,
  DirectoryEntry,
  Entry,
  FileSystem,
  FileSystemStatistics,
  Inode,
  NewFile,
  RenameFlags,
} from './file-system.ts';
import { type ErrorCode, FileSystemError, fail } from './file-system-error.ts';
import { NameListing } from './name-listing.ts';

/** Milliseconds after the last write when changes are written to the file, and bytes when they are at once. */
const SETTLE_MS = 300;
const HELD_MAX = 32 << 20;
/** Largest file that is kept for whoever has it open when it is removed. */
const KEPT_MAX = 64 << 20;
/** Nobody tells how much room there is. */
const BLOCKS = 2 ** 28;
const NS_PER_MS = 1_000_000n;

const CODES: Record<string, ErrorCode> = {
  NotFoundError: 'ENOENT',
  TypeMismatchError: 'ENOTDIR',
  NotAllowedError: 'EACCES',
  SecurityError: 'EACCES',
  NoModificationAllowedError: 'EBUSY',
  InvalidModificationError: 'ENOTEMPTY',
  QuotaExceededError: 'ENOSPC',
  TypeError: 'EINVAL',
};

/** A file or directory of the picked one. */
export class PickedInode implements Inode {
  readonly number: number;
  readonly handle: FileSystemFileHandle | FileSystemDirectoryHandle;
  references = 0;
  mode: number;
  uid = 0;
  gid = 0;
  times: { atime?: bigint; mtime?: bigint } = {};
  /** Changes that are not written yet. */
  edit: BlobEdit | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  removed = false;
  readonly children = new Map<string, PickedInode>();
  listing: NameListing | undefined;

  constructor(number: number, handle: FileSystemFileHandle | FileSystemDirectoryHandle) {
    this.number = number;
    this.handle = handle;
    this.mode = handle.kind === 'directory' ? S_IFDIR | 0o755 : S_IFREG | 0o644;
  }
}

/** A directory handle as a tree. Everything is answered later, one thing after the other. */
export class PickedDirectory implements FileSystem<PickedInode> {
  readonly root: PickedInode;
  readonly readonly: boolean;
  readonly sharing = 'shared';
  readonly withoutXattrs = true;
  private last = 1;
  private tail: Promise<unknown> = Promise.resolve();
  private readonly dirty = new Set<PickedInode>();

  constructor(handle: FileSystemDirectoryHandle, options: { readonly?: boolean } = {}) {
    this.root = new PickedInode(1, handle);
    this.readonly = options.readonly ?? false;
  }

  lookup(directory: PickedInode, name: ByteString): Promise<Entry<PickedInode> | undefined> {
    return this.inTurn(async () => {
      const inode = await this.find(directory, name);
      return inode && this.entry(inode);
    });
  }

  forget(inode: PickedInode, references: number): void {
    // Known children keep their numbers; what they hold beyond that is small.
    inode.references -= references;
  }

  attributes(inode: PickedInode): Promise<Attributes> {
    return this.inTurn(() => this.describe(inode));
  }

  setAttributes(inode: PickedInode, changes: AttributeChanges): Promise<Attributes> {
    return this.change(async () => {
      const { size, mode, uid, gid, atime, mtime } = changes;
      if (size !== undefined) {
        const edit = await this.editOf(inode);
        edit.resize(size);
        this.changed(inode);
      }
      if (mode !== undefined) inode.mode = (inode.mode & ~PERMISSIONS) | (mode & PERMISSIONS);
      if (uid !== undefined) inode.uid = uid;
      if (gid !== undefined) inode.gid = gid;
      const now = BigInt(Date.now()) * NS_PER_MS;
      if (atime !== undefined) inode.times.atime = atime === 'now' ? now : atime;
      if (mtime !== undefined) inode.times.mtime = mtime === 'now' ? now : mtime;
      return this.describe(inode);
    });
  }

  list(directory: PickedInode, after: number, limit: number): Promise<DirectoryEntry[]> {
    return this.inTurn(async () => {
      const { handle } = directory;
      if (handle.kind !== 'directory') return fail('ENOTDIR');
      if (after === 0 || directory.listing === undefined) {
        const found = new Map<ByteString, number>();
        for await (const [text, child] of (handle as FileSystemDirectoryHandle).entries()) {
          found.set(fromText(text), child.kind === 'directory' ? S_IFDIR : S_IFREG);
        }
        directory.listing ??= new NameListing();
        directory.listing.refresh(found);
      }
      return directory.listing.list(after, limit);
    });
  }

  readLink(): ByteString {
    return fail('EINVAL');
  }

  makeNode(directory: PickedInode, name: ByteString, file: NewFile): Promise<Entry<PickedInode>> {
    if (!isRegular(file.mode)) fail('EPERM', 'a picked directory holds files and directories only');
    return this.make(directory, name, file, (handle, text) => handle.getFileHandle(text, { create: true }));
  }

  makeDirectory(directory: PickedInode, name: ByteString, file: NewFile): Promise<Entry<PickedInode>> {
    return this.make(directory, name, file, (handle, text) =>
      handle.getDirectoryHandle(text, { create: true }),
    );
  }

  makeSymlink(): Entry<PickedInode> {
    return fail('EPERM');
  }

  makeTemporary(): Entry<PickedInode> {
    return fail('EOPNOTSUPP');
  }

  link(): Entry<PickedInode> {
    return fail('EPERM');
  }

  unlink(directory: PickedInode, name: ByteString): Promise<void> {
    return this.change(async () => {
      const inode = (await this.find(directory, name)) ?? fail('ENOENT');
      if (inode.handle.kind === 'directory') fail('EISDIR');
      await this.detach(inode);
      await this.directoryOf(directory).removeEntry(textOf(name));
      directory.children.delete(textOf(name));
    });
  }

  removeDirectory(directory: PickedInode, name: ByteString): Promise<void> {
    return this.change(async () => {
      const inode = (await this.find(directory, name)) ?? fail('ENOENT');
      if (inode.handle.kind !== 'directory') fail('ENOTDIR');
      await this.directoryOf(directory).removeEntry(textOf(name));
      inode.removed = true;
      directory.children.delete(textOf(name));
    });
  }

  rename(
    from: PickedInode,
    name: ByteString,
    to: PickedInode,
    newName: ByteString,
    flags: RenameFlags,
  ): Promise<void> {
    if (flags.exchange || flags.whiteout) fail('EINVAL');
    return this.change(async () => {
      const inode = (await this.find(from, name)) ?? fail('ENOENT');
      const old = await this.find(to, newName);
      if (old !== undefined && flags.noReplace) fail('EEXIST');
      if (old === inode) return;
      // Only files can be moved by what every browser has; mv copies a directory then.
      if (inode.handle.kind === 'directory') fail('EXDEV');
      if (old?.handle.kind === 'directory') fail('EISDIR');
      if (old !== undefined) await this.detach(old);
      await this.flush(inode);
      const file = await fileOf(inode);
      const handle = await this.directoryOf(to).getFileHandle(textOf(newName), { create: true });
      const stream = await handle.createWritable();
      await stream.write(file);
      await stream.close();
      // Whoever has the file open under its old name goes on with what it was.
      await this.detach(inode);
      await this.directoryOf(from).removeEntry(textOf(name));
      from.children.delete(textOf(name));
      const moved = new PickedInode(++this.last, handle);
      Object.assign(moved, { mode: inode.mode, uid: inode.uid, gid: inode.gid, times: inode.times });
      to.children.set(textOf(newName), moved);
    });
  }

  read(inode: PickedInode, offset: number, targets: readonly Uint8Array[]): Promise<Uint8Array> {
    const length = lengthOf(targets);
    return this.inTurn(async () => {
      if (inode.edit !== undefined) return inode.edit.read(offset, length);
      const file = await fileOf(inode);
      return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    });
  }

  write(inode: PickedInode, offset: number, sources: readonly Uint8Array[]): Promise<number> {
    const kept = sources.map((source) => source.slice());
    return this.change(async () => {
      const edit = await this.editOf(inode);
      await edit.write(offset, kept);
      this.changed(inode);
      if (edit.held > HELD_MAX) await this.flush(inode);
      return lengthOf(kept);
    });
  }

  allocate(
    inode: PickedInode,
    mode: AllocateMode,
    offset: number,
    length: number,
    options: { keepSize: boolean },
  ): Promise<void> {
    if (mode !== 'allocate' || options.keepSize) fail('EOPNOTSUPP');
    return this.change(async () => {
      const edit = await this.editOf(inode);
      if (edit.size >= offset + length) return;
      edit.resize(offset + length);
      this.changed(inode);
    });
  }

  seek(inode: PickedInode, offset: number, what: 'data' | 'hole'): Promise<number> {
    return this.inTurn(async () => {
      const { size } = await this.describe(inode);
      if (offset >= size) fail('ENXIO');
      return what === 'data' ? offset : size;
    });
  }

  sync(inode: PickedInode): Promise<void> {
    return this.inTurn(() => this.flush(inode));
  }

  syncAll(): Promise<void> {
    return this.inTurn(async () => {
      for (const inode of [...this.dirty]) await this.flush(inode);
    });
  }

  getXattr(): Uint8Array {
    return fail('EOPNOTSUPP');
  }

  setXattr(): void {
    fail('EOPNOTSUPP');
  }

  listXattrs(): ByteString[] {
    return [];
  }

  removeXattr(): void {
    fail('EOPNOTSUPP');
  }

  statistics(): FileSystemStatistics {
    return {
      blockSize: 4096,
      blocks: BLOCKS,
      blocksFree: BLOCKS / 2,
      files: BLOCKS,
      filesFree: BLOCKS / 2,
      nameMax: 255,
    };
  }

  close(): Promise<void> {
    return this.syncAll();
  }

  /** Runs what was asked for after everything before it; the browser's errors get their POSIX names. */
  private inTurn<T>(use: () => Promise<T>): Promise<T> {
    const answer = this.tail.then(use).catch((error: unknown) => {
      if (error instanceof FileSystemError) throw error;
      const { name, message } = error as Error;
      throw new FileSystemError(CODES[name] ?? 'EIO', message, { cause: error });
    });
    this.tail = answer.catch(() => {});
    return answer;
  }

  private change<T>(use: () => Promise<T>): Promise<T> {
    if (this.readonly) fail('EROFS');
    return this.inTurn(use);
  }

  private directoryOf(inode: PickedInode): FileSystemDirectoryHandle {
    if (inode.handle.kind !== 'directory') return fail('ENOTDIR');
    if (inode.removed) return fail('ENOENT');
    return inode.handle as FileSystemDirectoryHandle;
  }

  private async find(directory: PickedInode, name: ByteString): Promise<PickedInode | undefined> {
    const handle = this.directoryOf(directory);
    const text = toText(name);
    if (text === undefined) return undefined;
    const found = await findHandle(handle, text);
    if (found === undefined) {
      directory.children.delete(text);
      return undefined;
    }
    let inode = directory.children.get(text);
    if (inode?.handle.kind !== found.kind) {
      inode = new PickedInode(++this.last, found);
      directory.children.set(text, inode);
    }
    return inode;
  }

  private async entry(inode: PickedInode): Promise<Entry<PickedInode>> {
    const attributes = await this.describe(inode);
    inode.references++;
    return { inode, attributes };
  }

  private async describe(inode: PickedInode): Promise<Attributes> {
    const { number, mode, uid, gid, times, edit } = inode;
    let size = 0;
    let modified = 0n;
    if (inode.handle.kind === 'file') {
      const file = edit === undefined ? await fileOf(inode) : undefined;
      size = edit?.size ?? file!.size;
      modified = BigInt(Math.trunc(file?.lastModified ?? Date.now())) * NS_PER_MS;
    }
    const mtime = times.mtime ?? modified;
    return {
      number,
      mode,
      links: inode.removed ? 0 : 1,
      uid,
      gid,
      device: 0,
      size,
      blocks: Math.ceil(size / 512),
      atime: times.atime ?? mtime,
      mtime,
      ctime: mtime,
    };
  }

  private make(
    directory: PickedInode,
    name: ByteString,
    file: NewFile,
    create: (
      handle: FileSystemDirectoryHandle,
      name: string,
    ) => Promise<FileSystemFileHandle | FileSystemDirectoryHandle>,
  ): Promise<Entry<PickedInode>> {
    return this.change(async () => {
      if ((await this.find(directory, name)) !== undefined) fail('EEXIST');
      const text = textOf(name);
      const inode = new PickedInode(++this.last, await create(this.directoryOf(directory), text));
      inode.mode = (inode.mode & ~PERMISSIONS) | (file.mode & PERMISSIONS);
      inode.uid = file.uid;
      inode.gid = file.gid;
      directory.children.set(text, inode);
      return this.entry(inode);
    });
  }

  private async editOf(inode: PickedInode): Promise<BlobEdit> {
    if (inode.handle.kind === 'directory') return fail('EISDIR');
    inode.edit ??= new BlobEdit(await fileOf(inode));
    return inode.edit;
  }

  /** The file will be written soon. */
  private changed(inode: PickedInode): void {
    delete inode.times.mtime;
    if (inode.removed) return;
    this.dirty.add(inode);
    clearTimeout(inode.timer);
    // A failure now is met again, and told, by the next sync.
    inode.timer = setTimeout(() => void this.sync(inode).catch(() => {}), SETTLE_MS);
  }

  private async flush(inode: PickedInode): Promise<void> {
    clearTimeout(inode.timer);
    const { edit } = inode;
    if (edit === undefined || inode.removed) return;
    const stream = await (inode.handle as FileSystemFileHandle).createWritable({ keepExistingData: true });
    try {
      await edit.writeTo(stream);
      await stream.close();
    } catch (error) {
      await stream.abort().catch(() => {});
      throw error;
    }
    inode.edit = undefined;
    this.dirty.delete(inode);
  }

  /** A file is about to go: whoever has it open in the guest keeps its contents. */
  private async detach(inode: PickedInode): Promise<void> {
    clearTimeout(inode.timer);
    this.dirty.delete(inode);
    if (inode.edit === undefined && inode.references > 0) {
      const file = await fileOf(inode);
      if (file.size <= KEPT_MAX) inode.edit = new BlobEdit(new Blob([await file.arrayBuffer()]));
    }
    inode.removed = true;
  }
}

/** The text of a name that is to be made. */
function textOf(name: ByteString): string {
  return toText(name) ?? fail('EINVAL', 'a name here must be UTF-8');
}

async function fileOf(inode: PickedInode): Promise<File> {
  if (inode.handle.kind === 'directory') return fail('EISDIR');
  return (inode.handle as FileSystemFileHandle).getFile();
}

async function findHandle(
  directory: FileSystemDirectoryHandle,
  name: string,
): Promise<FileSystemFileHandle | FileSystemDirectoryHandle | undefined> {
  try {
    return await directory.getFileHandle(name);
  } catch (error) {
    const kind = (error as Error).name;
    // TypeError: a name that cannot be there.
    if (kind === 'NotFoundError' || kind === 'TypeError') return undefined;
    if (kind !== 'TypeMismatchError') throw error;
    return directory.getDirectoryHandle(name);
  }
}
