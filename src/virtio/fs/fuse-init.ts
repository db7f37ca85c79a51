// INIT: what kernel and server agree upon.
import type { FileSystem } from '../../storage/tree/file-system.ts';
import { fail } from '../../storage/tree/file-system-error.ts';
import type { Validity } from './fuse-encode.ts';
import { FUSE_MAJOR, FUSE_MINOR, FUSE_MINOR_MINIMUM, INIT, INIT_OUT } from './fuse-protocol.ts';
import type { FuseReader } from './fuse-reader.ts';

/** Pages of one read or write: 1 MiB. */
export const MAX_PAGES = 256;
const PAGE = 4096;
/** Bytes of the data of one request. */
export const MAX_BYTES = MAX_PAGES * PAGE;
/** Requests that the kernel has under way in the background (read-ahead, write-back). */
const MAX_BACKGROUND = 64;
const CONGESTION = 48;
/** What only the guest changes is known for good; a year does for that. What others change, for a second. */
const FOR_GOOD = 365 * 24 * 3600;
const SHARED_SECONDS = 1;

/**
 * Not among them: WRITEBACK_CACHE. What a guest has written is here as soon as write() returns, and lost with nobody's
 * crash but ours; and a file that is made, written and closed costs a request less (unpacking 646 files: 264 million
 * guest instructions, 301 with it). It would pay for many small writes: 26,000 instructions each, else 19,000.
 *
 * Nor READDIRPLUS_AUTO: a listing with attributes saves a lookup (22,000 instructions) for each file that is then used.
 */
const ALWAYS = [
  INIT.ASYNC_READ,
  INIT.BIG_WRITES,
  INIT.DO_READDIRPLUS,
  INIT.ASYNC_DIO,
  INIT.PARALLEL_DIROPS,
  INIT.ABORT_ERROR,
  INIT.MAX_PAGES,
  INIT.HANDLE_KILLPRIV_V2,
  INIT.INIT_EXT,
] as const;
/** Without shared locks there is nothing to open here: files are named by their inodes. */
const WITHOUT_OPEN = [INIT.NO_OPEN_SUPPORT, INIT.NO_OPENDIR_SUPPORT] as const;
const WITH_LOCKS = [INIT.POSIX_LOCKS, INIT.FLOCK_LOCKS] as const;
/** What others change must be looked at again; what nobody changes need not. */
const WHEN_SHARED = [INIT.AUTO_INVAL_DATA] as const;
const UNSHARED = [INIT.CACHE_SYMLINKS] as const;

export function validityOf(tree: FileSystem): Validity {
  const seconds = tree.sharing === 'shared' ? SHARED_SECONDS : FOR_GOOD;
  return { entry: seconds, attributes: seconds };
}

/** Answers INIT. EPROTO for a kernel that is too old. */
export function negotiate(tree: FileSystem, locks: boolean, reader: FuseReader): Uint8Array {
  reader.need(16);
  const major = reader.u32(0);
  const minor = reader.u32(4);
  const reply = new Uint8Array(INIT_OUT);
  const view = new DataView(reply.buffer);
  view.setUint32(0, FUSE_MAJOR, true);
  view.setUint32(4, FUSE_MINOR, true);
  // A newer kernel reads our version from this and asks again.
  if (major > FUSE_MAJOR) return reply;
  if (major < FUSE_MAJOR || minor < FUSE_MINOR_MINIMUM) {
    return fail('EPROTO', `FUSE ${major}.${minor} is too old`);
  }
  const wanted = new Set<number>([
    ...ALWAYS,
    ...(locks ? WITH_LOCKS : WITHOUT_OPEN),
    ...(tree.sharing === 'shared' ? WHEN_SHARED : UNSHARED),
  ]);
  const offered = reader.u32(12);
  const offered2 = (offered >>> INIT.INIT_EXT) & 1 ? reader.u32(16) : 0;
  let flags = 0;
  let flags2 = 0;
  for (const bit of wanted) {
    if (bit < 32) flags |= offered & (1 << bit);
    else flags2 |= offered2 & (1 << (bit - 32));
  }
  view.setUint32(8, reader.u32(8), true); // read-ahead: as much as the kernel likes
  view.setUint32(12, flags >>> 0, true);
  view.setUint16(16, MAX_BACKGROUND, true);
  view.setUint16(18, CONGESTION, true);
  view.setUint32(20, MAX_BYTES, true);
  view.setUint32(24, 1, true); // times are exact to the nanosecond
  view.setUint16(28, MAX_PAGES, true);
  view.setUint32(32, flags2 >>> 0, true);
  return reply;
}
