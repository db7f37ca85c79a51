// GETLK, SETLK, SETLKW, and what ends locks: FLUSH and RELEASE.
import type { FileLock, FileLocks } from '../../storage/tree/file-locks.ts';
import type { Inode } from '../../storage/tree/file-system.ts';
import { fail } from '../../storage/tree/file-system-error.ts';
import type { FuseContext, Operation } from './fuse-context.ts';
import { F_RDLCK, F_UNLCK, F_WRLCK, LOCK_FLOCK, OPEN_OUT, RELEASE_FLOCK_UNLOCK } from './fuse-protocol.ts';

/** The end of a lock to the end of the file, wherever that is (OFFSET_MAX). */
const LAST_BYTE = 2n ** 63n - 1n;

interface LockRequest {
  inode: Inode;
  table: FileLocks<Inode>;
  lock: FileLock;
  unlock: boolean;
}

function parse({ nodes, reader, locks, client }: FuseContext): LockRequest {
  if (locks === undefined) return fail('ENOSYS');
  reader.need(48);
  const start = reader.bits64(16);
  const end = reader.bits64(24);
  const type = reader.u32(32);
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) return fail('EINVAL');
  if (start > end || end > LAST_BYTE) return fail('EINVAL');
  return {
    inode: nodes.get(reader.node),
    table: (reader.u32(40) & LOCK_FLOCK) !== 0 ? locks.flock : locks.posix,
    lock: {
      owner: `${client}:${reader.bits64(8)}`,
      type: type === F_RDLCK ? 'read' : 'write',
      start,
      end,
      pid: reader.u32(36),
    },
    unlock: type === F_UNLCK,
  };
}

export const getLock: Operation = (context) => {
  const { inode, table, lock, unlock } = parse(context);
  if (unlock) return fail('EINVAL');
  const held = table.conflict(inode, lock);
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, held?.start ?? lock.start, true);
  view.setBigUint64(8, held?.end ?? lock.end, true);
  view.setUint32(16, held === undefined ? F_UNLCK : held.type === 'read' ? F_RDLCK : F_WRLCK, true);
  // A process of another client has no number here.
  const own = held?.owner.startsWith(`${context.client}:`);
  view.setUint32(20, own ? held!.pid : 0, true);
  return bytes;
};

export const setLock: Operation = (context) => {
  const { inode, table, lock, unlock } = parse(context);
  if (unlock) table.unlock(inode, lock.owner, lock.start, lock.end);
  else table.lock(inode, lock);
  return undefined;
};

export const setLockWaiting: Operation = (context) => {
  const { inode, table, lock, unlock } = parse(context);
  if (unlock || table.conflict(inode, lock) === undefined) return setLock(context);
  const { waits } = context;
  const { unique } = context.reader;
  const { granted, cancel } = table.wait(inode, lock);
  return new Promise<undefined>((resolve, reject) => {
    const interrupt = () => {
      waits.delete(unique);
      cancel();
      try {
        fail('EINTR');
      } catch (error) {
        reject(error);
      }
    };
    waits.set(unique, { cancel: interrupt });
    void granted.then(() => {
      waits.delete(unique);
      resolve(undefined);
    });
  });
};

/** OPEN and OPENDIR, where locks are kept here: without locks the kernel opens by itself. */
export const open: Operation = ({ locks, nodes, reader }) => {
  if (locks === undefined) return fail('ENOSYS');
  nodes.get(reader.node);
  return new Uint8Array(OPEN_OUT);
};

export const flush: Operation = ({ locks, nodes, reader, client }) => {
  if (locks === undefined) return fail('ENOSYS');
  reader.need(24);
  locks.posix.unlock(nodes.get(reader.node), `${client}:${reader.bits64(16)}`, 0n, LAST_BYTE);
  return undefined;
};

export const release: Operation = ({ locks, nodes, reader, client }) => {
  reader.need(24);
  if (locks !== undefined && (reader.u32(12) & RELEASE_FLOCK_UNLOCK) !== 0) {
    locks.flock.unlock(nodes.get(reader.node), `${client}:${reader.bits64(16)}`, 0n, LAST_BYTE);
  }
  return undefined;
};
