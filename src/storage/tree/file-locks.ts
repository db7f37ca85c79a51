// Advisory locks of whoever shares a tree: POSIX record locks (fcntl) and whole-file locks (flock).
import { fail } from './file-system-error.ts';

export type LockType = 'read' | 'write';

/** A range of bytes, both ends included, held by one owner. */
export interface FileLock {
  owner: string;
  type: LockType;
  start: bigint;
  end: bigint;
  pid: number;
}

interface Waiter {
  lock: FileLock;
  resolve: () => void;
}

interface LockedFile {
  locks: FileLock[];
  waiters: Waiter[];
}

/** Most locks of one file, that a guest must not fill the host's memory with them. */
const LOCKS_MAX = 65536;

/** Locks by file. POSIX and flock locks do not see each other: use one table for each. */
export class FileLocks<K extends object> {
  private readonly files = new Map<K, LockedFile>();

  /** The lock that stands in the way of `wanted`, or undefined. */
  conflict(file: K, wanted: FileLock): FileLock | undefined {
    return this.files.get(file)?.locks.find((held) => conflicts(held, wanted));
  }

  /** Takes a lock, in place of what its owner held there. EAGAIN when someone else stands in the way. */
  lock(file: K, lock: FileLock): void {
    if (this.conflict(file, lock) !== undefined) fail('EAGAIN');
    const state = this.stateOf(file);
    if (state.locks.length >= LOCKS_MAX) fail('ENOLCK');
    state.locks = without(state.locks, lock.owner, lock.start, lock.end);
    state.locks.push(lock);
    // Write to read lets readers in.
    this.wake(file);
  }

  /**
   * Takes a lock once nobody stands in the way. Answers a promise and a way to give up waiting; EDEADLK when those
   * in the way wait for this owner.
   */
  wait(file: K, lock: FileLock): { granted: Promise<void>; cancel: () => void } {
    if (this.waitsFor(file, lock.owner, lock, new Set())) fail('EDEADLK');
    const state = this.stateOf(file);
    let waiter: Waiter | undefined;
    const granted = new Promise<void>((resolve) => {
      waiter = { lock, resolve };
      state.waiters.push(waiter);
    });
    return {
      granted,
      cancel: () => {
        state.waiters = state.waiters.filter((other) => other !== waiter);
        this.tidy(file, state);
      },
    };
  }

  /** Gives back what the owner holds of a range, which may be part of a lock. */
  unlock(file: K, owner: string, start: bigint, end: bigint): void {
    const state = this.files.get(file);
    if (state === undefined) return;
    state.locks = without(state.locks, owner, start, end);
    this.wake(file);
  }

  private wake(file: K): void {
    const state = this.files.get(file);
    if (state === undefined) return;
    for (const waiter of [...state.waiters]) {
      if (state.locks.some((held) => conflicts(held, waiter.lock))) continue;
      state.waiters = state.waiters.filter((other) => other !== waiter);
      const { owner, start, end } = waiter.lock;
      state.locks = without(state.locks, owner, start, end);
      state.locks.push(waiter.lock);
      waiter.resolve();
    }
    this.tidy(file, state);
  }

  /** True when a holder in the way of `lock` waits, over any number of steps, for `owner`. */
  private waitsFor(file: K, owner: string, lock: FileLock, seen: Set<string>): boolean {
    for (const held of this.files.get(file)?.locks ?? []) {
      if (!conflicts(held, lock) || seen.has(held.owner)) continue;
      if (held.owner === owner) return true;
      seen.add(held.owner);
      for (const [other, { waiters }] of this.files) {
        for (const waiter of waiters) {
          if (waiter.lock.owner !== held.owner) continue;
          const blocked = this.files
            .get(other)!
            .locks.some((l) => l.owner === owner && conflicts(l, waiter.lock));
          if (blocked || this.waitsFor(other, owner, waiter.lock, seen)) return true;
        }
      }
    }
    return false;
  }

  private stateOf(file: K): LockedFile {
    let state = this.files.get(file);
    if (state === undefined) {
      state = { locks: [], waiters: [] };
      this.files.set(file, state);
    }
    return state;
  }

  private tidy(file: K, state: LockedFile): void {
    if (state.locks.length === 0 && state.waiters.length === 0) this.files.delete(file);
  }
}

function conflicts(held: FileLock, wanted: FileLock): boolean {
  if (held.owner === wanted.owner) return false;
  if (held.type === 'read' && wanted.type === 'read') return false;
  return held.start <= wanted.end && wanted.start <= held.end;
}

/** Locks with a range taken out of those of one owner; a lock may lose its middle. */
function without(locks: FileLock[], owner: string, start: bigint, end: bigint): FileLock[] {
  return locks.flatMap((lock) => {
    if (lock.owner !== owner || lock.end < start || lock.start > end) return [lock];
    const left: FileLock[] = [];
    if (lock.start < start) left.push({ ...lock, end: start - 1n });
    if (lock.end > end) left.push({ ...lock, start: end + 1n });
    return left;
  });
}
