import type { Stateful, StateReader, StateWriter } from '../../core/state-bytes.ts';
import type { FileSystem } from '../../storage/tree/file-system.ts';
import { ERRNO, FileSystemError, fail } from '../../storage/tree/file-system-error.ts';
import * as attributes from './fuse-attributes.ts';
import type { FuseContext, LockWait, Operation, Reply, ReplyLater, SharedLocks } from './fuse-context.ts';
import * as data from './fuse-data.ts';
import { MAX_BYTES, negotiate, validityOf } from './fuse-init.ts';
import * as listing from './fuse-listing.ts';
import * as locking from './fuse-locking.ts';
import * as names from './fuse-names.ts';
import { FuseNodes } from './fuse-nodes.ts';
import { IN_HEADER, OPCODE, OUT_HEADER } from './fuse-protocol.ts';
import { FuseReader } from './fuse-reader.ts';

const OPERATIONS = new Map<number, Operation>([
  [OPCODE.LOOKUP, names.lookup],
  [OPCODE.GETATTR, attributes.getAttributes],
  [OPCODE.SETATTR, attributes.setAttributes],
  [OPCODE.READLINK, data.readLink],
  [OPCODE.SYMLINK, names.makeSymlink],
  [OPCODE.MKNOD, names.makeNode],
  [OPCODE.MKDIR, names.makeDirectory],
  [OPCODE.UNLINK, names.unlink],
  [OPCODE.RMDIR, names.removeDirectory],
  [OPCODE.RENAME, names.rename],
  [OPCODE.LINK, names.link],
  [OPCODE.OPEN, locking.open],
  [OPCODE.READ, data.read],
  [OPCODE.WRITE, data.write],
  [OPCODE.STATFS, attributes.statistics],
  [OPCODE.RELEASE, locking.release],
  [OPCODE.FSYNC, data.sync],
  [OPCODE.SETXATTR, attributes.setXattr],
  [OPCODE.GETXATTR, attributes.getXattr],
  [OPCODE.LISTXATTR, attributes.listXattrs],
  [OPCODE.REMOVEXATTR, attributes.removeXattr],
  [OPCODE.FLUSH, locking.flush],
  [OPCODE.OPENDIR, locking.open],
  [OPCODE.READDIR, listing.list],
  [OPCODE.RELEASEDIR, locking.release],
  [OPCODE.FSYNCDIR, data.sync],
  [OPCODE.GETLK, locking.getLock],
  [OPCODE.SETLK, locking.setLock],
  [OPCODE.SETLKW, locking.setLockWaiting],
  [OPCODE.CREATE, names.create],
  [OPCODE.IOCTL, () => fail('ENOTTY')],
  [OPCODE.FALLOCATE, data.allocate],
  [OPCODE.READDIRPLUS, listing.listWithAttributes],
  [OPCODE.RENAME2, names.renameWithFlags],
  [OPCODE.LSEEK, data.seek],
  [OPCODE.COPY_FILE_RANGE, data.copyRange],
  [OPCODE.SYNCFS, data.syncAll],
  [OPCODE.TMPFILE, names.makeTemporary],
]);

/** What a read-only tree answers with EROFS, whatever its back end would say. */
const CHANGES = new Set<number>([
  OPCODE.SETATTR,
  OPCODE.SYMLINK,
  OPCODE.MKNOD,
  OPCODE.MKDIR,
  OPCODE.UNLINK,
  OPCODE.RMDIR,
  OPCODE.RENAME,
  OPCODE.LINK,
  OPCODE.WRITE,
  OPCODE.SETXATTR,
  OPCODE.REMOVEXATTR,
  OPCODE.CREATE,
  OPCODE.FALLOCATE,
  OPCODE.RENAME2,
  OPCODE.COPY_FILE_RANGE,
  OPCODE.TMPFILE,
]);

/**
 * What a tree without extended attributes has no use for: told so once, Linux asks no more (it wants
 * `security.capability` before the first write to a file and before each change of its owner).
 */
const OF_XATTRS = new Set<number>([OPCODE.GETXATTR, OPCODE.SETXATTR, OPCODE.REMOVEXATTR]);

/** Largest number of inodes one BATCH_FORGET can name: a request is no larger than that of a write. */
const FORGET_ONE = 16;

let clients = 0;

export interface FuseServerOptions {
  /** Keep locks here, for a tree that several clients share. */
  locks?: SharedLocks;
}

/**
 * Serves a tree of files to one kernel by FUSE's protocol: bytes of a request in, bytes of a reply out.
 *
 * Files are never open here, unless locks are shared: the kernel is told that opening needs no message, which saves
 * two or three of them for each file it reads.
 */
export class FuseServer implements Stateful {
  private readonly tree: FileSystem;
  private nodes: FuseNodes;
  private readonly reader = new FuseReader();
  private readonly locks: SharedLocks | undefined;
  private readonly client = ++clients;
  private readonly waits = new Map<bigint, LockWait>();
  private readonly validity;
  private started = false;
  readonly stateVersion = 1;
  /** Nodes were restored and not looked up yet: that is the first request's to do (20,000 nodes: 80 ms). */
  private unfound = false;
  /** Restored nodes are being looked up: requests wait for the end of it. */
  private finding: Promise<void> | undefined;

  constructor(tree: FileSystem, options: FuseServerOptions = {}) {
    this.tree = tree;
    this.nodes = new FuseNodes(tree);
    this.locks = options.locks;
    this.validity = validityOf(tree);
  }

  /** Inodes the kernel knows. */
  get knownNodes(): number {
    return this.nodes.size;
  }

  /**
   * Serves one request.
   * @param input the request, in one or more pieces; not used after the call
   * @param output where the reply goes; at once means it is there, and not used after the call
   * @returns how many bytes the reply has (0: none is due), or later the reply itself, at most as long as the output
   */
  handle(input: readonly Uint8Array[], output: readonly Uint8Array[]): number | Promise<Uint8Array> {
    if (this.unfound) this.findNodes();
    if (this.finding) return this.handleAfter(this.finding, input, output);
    const { reader } = this;
    const whole = reader.open(input);
    let room = -OUT_HEADER;
    for (const segment of output) room += segment.length;
    // Without a header there is no number to answer to.
    if (reader.length < IN_HEADER) return 0;
    const { unique } = reader;
    let answer: Reply | ReplyLater;
    try {
      if (!whole) fail('EINVAL', 'the header says another length');
      if (this.withoutReply()) return 0;
      // Nothing is done whose outcome could not be told.
      if (room < 0) return 0;
      answer = this.dispatch(output, room);
    } catch (error) {
      return room < 0 ? 0 : put(output, frame(unique, errnoOf(error)));
    }
    if (answer instanceof Promise) {
      return answer.then(
        (payload) => frameWithin(unique, payload, room),
        (error: unknown) => frame(unique, errnoOf(error)),
      );
    }
    if (typeof answer === 'number') {
      put(output, header(unique, 0, answer));
      return OUT_HEADER + answer;
    }
    return put(output, frameWithin(unique, answer, room));
  }

  /** The kernel is gone without a word (the machine was reset): forgets what it was told. */
  reset(): void {
    this.started = false;
    this.unfound = false;
    this.finding = undefined;
    this.nodes = new FuseNodes(this.tree, this.nodes.close());
    for (const wait of [...this.waits.values()]) wait.cancel();
  }

  /** Ends when no restored node is being looked up any more. */
  async settle(): Promise<void> {
    while (this.finding) await this.finding;
  }

  /**
   * What the kernel was told, by name. Locks are not part of it: without shared ones, which no machine has, they are
   * the kernel's own.
   */
  saveState(writer: StateWriter): void {
    writer.flag(this.started);
    this.nodes.saveState(writer);
  }

  loadState(reader: StateReader): () => void {
    const started = reader.flag();
    const load = FuseNodes.load(this.tree, reader);
    return () => {
      this.reset();
      this.started = started;
      this.nodes = load();
      this.unfound = true;
    };
  }

  private findNodes(): void {
    this.unfound = false;
    const found = this.nodes.find();
    if (!(found instanceof Promise)) return;
    const finding = found.then(() => {
      if (this.finding === finding) this.finding = undefined;
    });
    this.finding = finding;
  }

  private async handleAfter(
    finding: Promise<void>,
    input: readonly Uint8Array[],
    output: readonly Uint8Array[],
  ): Promise<Uint8Array> {
    const { nodes } = this;
    await finding;
    // The kernel that asked is gone, and its memory with it.
    if (this.nodes !== nodes) return new Uint8Array();
    let room = 0;
    for (const segment of output) room += segment.length;
    const buffer = new Uint8Array(Math.min(room, OUT_HEADER + MAX_BYTES));
    const answer = this.handle(input, [buffer]);
    return typeof answer === 'number' ? buffer.subarray(0, answer) : answer;
  }

  private dispatch(output: readonly Uint8Array[], room: number): Reply | ReplyLater {
    const { reader } = this;
    const { opcode } = reader;
    if (opcode === OPCODE.INIT) {
      const reply = negotiate(this.tree, this.locks !== undefined, reader);
      this.reset();
      this.started = true;
      return reply;
    }
    if (!this.started) fail('EIO', 'INIT comes first');
    if (opcode === OPCODE.DESTROY) {
      this.reset();
      return undefined;
    }
    const operation = OPERATIONS.get(opcode) ?? fail('ENOSYS');
    if (this.tree.withoutXattrs && OF_XATTRS.has(opcode)) fail('ENOSYS');
    if (this.tree.readonly && CHANGES.has(opcode)) fail('EROFS');
    const { tree, nodes, validity, locks, client, waits } = this;
    const context: FuseContext = { tree, nodes, reader, validity, locks, client, waits, output, room };
    return operation(context);
  }

  /** Serves what is never answered; false when the request is another. */
  private withoutReply(): boolean {
    const { reader, nodes } = this;
    switch (reader.opcode) {
      case OPCODE.FORGET:
        if (reader.length >= IN_HEADER + 8) nodes.forget(reader.node, Number(reader.bits64(0)));
        return true;
      case OPCODE.BATCH_FORGET: {
        if (reader.length < IN_HEADER + 8) return true;
        const count = Math.min(reader.u32(0), Math.floor((reader.length - IN_HEADER - 8) / FORGET_ONE));
        const list = reader.bytes(8, count * FORGET_ONE);
        const view = new DataView(list.buffer, list.byteOffset, list.byteLength);
        for (let at = 0; at < list.length; at += FORGET_ONE) {
          nodes.forget(Number(view.getBigUint64(at, true)), Number(view.getBigUint64(at + 8, true)));
        }
        return true;
      }
      case OPCODE.INTERRUPT:
        if (reader.length >= IN_HEADER + 8) this.waits.get(reader.bits64(0))?.cancel();
        return true;
      default:
        return false;
    }
  }
}

function errnoOf(error: unknown): number {
  if (error instanceof FileSystemError) return error.errno;
  // A fault of ours must not take the machine down, but must be seen.
  console.error('file system:', error);
  return ERRNO.EIO;
}

function header(unique: bigint, errno: number, payload: number): Uint8Array {
  const bytes = new Uint8Array(OUT_HEADER);
  writeHeader(bytes, unique, errno, payload);
  return bytes;
}

function writeHeader(bytes: Uint8Array, unique: bigint, errno: number, payload: number): void {
  const view = new DataView(bytes.buffer);
  view.setUint32(0, OUT_HEADER + payload, true);
  view.setInt32(4, -errno, true);
  view.setBigUint64(8, unique, true);
}

function frame(unique: bigint, errno: number, payload?: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(OUT_HEADER + (payload?.length ?? 0));
  writeHeader(bytes, unique, errno, payload?.length ?? 0);
  if (payload !== undefined) bytes.set(payload, OUT_HEADER);
  return bytes;
}

/** A reply, or EOVERFLOW when the caller left no room for it. */
function frameWithin(unique: bigint, payload: Uint8Array | undefined, room: number): Uint8Array {
  if (payload !== undefined && payload.length > room) return frame(unique, ERRNO.EOVERFLOW);
  return frame(unique, 0, payload);
}

function put(output: readonly Uint8Array[], bytes: Uint8Array): number {
  let done = 0;
  for (const segment of output) {
    const part = bytes.subarray(done, done + segment.length);
    segment.set(part);
    done += part.length;
    if (done === bytes.length) break;
  }
  return done;
}
