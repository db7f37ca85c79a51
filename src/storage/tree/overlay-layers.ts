// What an overlay asks of its layers: whiteouts, opaque directories, names that lie above each other.
import type { ByteString } from './byte-name.ts';
import { isDirectory, S_IFCHR, S_IFMT } from './file-mode.ts';
import type { Attributes, FileSystem, Inode, NewFile } from './file-system.ts';
import { FileSystemError } from './file-system-error.ts';
import type { LayerInode } from './overlay-inode.ts';
import { type Steps, wait } from './steps.ts';

/** Marks of the kernel's overlayfs, so that its layers can be ours and ours can be its. */
export const OPAQUE = 'trusted.overlay.opaque';
export const MARKS = 'trusted.overlay.';
export const WHITEOUT: NewFile = { mode: S_IFCHR, uid: 0, gid: 0, device: 0 };
/** Bytes moved at a time when a file is copied up. */
const COPY_PIECE = 1 << 20;
const LIST_PIECE = 1024;

export const isWhiteout = ({ mode, device }: Attributes) => (mode & S_IFMT) === S_IFCHR && device === 0;

/** True when a directory hides what lies below it. */
export function* isOpaque(tree: FileSystem, inode: Inode): Steps<boolean> {
  try {
    const value = yield* wait(tree.getXattr(inode, OPAQUE));
    return value.length === 1 && value[0] === 0x79; // y
  } catch (error) {
    if (error instanceof FileSystemError) return false;
    throw error;
  }
}

/** What lower layers have under a name; `merge`: only directories, as they lie below one. */
export function* findBelow(
  layers: readonly LayerInode[],
  name: ByteString,
  merge: boolean,
): Steps<(LayerInode & { attributes: Attributes })[]> {
  const lowers: (LayerInode & { attributes: Attributes })[] = [];
  for (const { tree, inode } of layers) {
    const found = yield* wait(tree.lookup(inode, name));
    if (found === undefined) continue;
    const { attributes } = found;
    const isDir = isDirectory(attributes.mode);
    if (isWhiteout(attributes) || (!isDir && (merge || lowers.length > 0))) {
      tree.forget(found.inode, 1);
      break;
    }
    lowers.push({ tree, inode: found.inode, attributes });
    if (!isDir || (yield* isOpaque(tree, found.inode))) break;
  }
  return lowers;
}

/** Names that layers show together, with the modes of what they show. */
export function* mergeNames(layers: readonly LayerInode[]): Steps<Map<ByteString, number>> {
  const shown = new Map<ByteString, number>();
  const hidden = new Set<ByteString>();
  for (const { tree, inode } of layers) {
    for (let after = 0; ; ) {
      const entries = yield* wait(tree.list(inode, after, LIST_PIECE));
      if (entries.length === 0) break;
      for (const { name, mode } of entries) {
        if (shown.has(name) || hidden.has(name)) continue;
        if ((mode & S_IFMT) === S_IFCHR) {
          const found = yield* wait(tree.lookup(inode, name));
          if (found === undefined) continue;
          tree.forget(found.inode, 1);
          if (isWhiteout(found.attributes)) {
            hidden.add(name);
            continue;
          }
        }
        shown.set(name, mode);
      }
      after = entries.at(-1)!.cookie;
    }
  }
  return shown;
}
/** Removes what an upper layer has under a name, which may be a directory of nothing but whiteouts. */
export function* removeEntry(upper: FileSystem, parent: Inode, name: ByteString): Steps<void> {
  const found = yield* wait(upper.lookup(parent, name));
  if (found === undefined) return;
  try {
    if (!isDirectory(found.attributes.mode)) {
      yield* wait(upper.unlink(parent, name));
      return;
    }
    for (let after = 0; ; ) {
      const entries = yield* wait(upper.list(found.inode, after, LIST_PIECE));
      if (entries.length === 0) break;
      for (const entry of entries) yield* wait(upper.unlink(found.inode, entry.name));
      after = entries.at(-1)!.cookie;
    }
    yield* wait(upper.removeDirectory(parent, name));
  } finally {
    upper.forget(found.inode, 1);
  }
}

/** Copies the first `size` bytes of a file; holes stay holes where they can be told. */
export function* copyContents(
  tree: FileSystem,
  from: Inode,
  upper: FileSystem,
  to: Inode,
  size: number,
): Steps<void> {
  for (let at = 0; at < size; ) {
    try {
      at = yield* wait(tree.seek(from, at, 'data'));
    } catch (error) {
      if (!(error instanceof FileSystemError) || error.code !== 'ENXIO') throw error;
      break; // Nothing but a hole follows.
    }
    const buffer = new Uint8Array(Math.max(0, Math.min(COPY_PIECE, size - at)));
    const answer = tree.read(from, at, [buffer]);
    const bytes = typeof answer === 'number' ? buffer.subarray(0, answer) : yield* wait(answer);
    if (bytes.length === 0) break;
    yield* wait(upper.write(to, at, [bytes], { killPrivileges: false }));
    at += bytes.length;
  }
  yield* wait(upper.setAttributes(to, { size }));
}
