// READDIR and READDIRPLUS. A listing goes on from the cookie of its last entry, so that no state is kept for it.
import { andThen, forEach } from '../../storage/tree/answer.ts';
import { S_IFDIR } from '../../storage/tree/file-mode.ts';
import type { DirectoryEntry, Inode } from '../../storage/tree/file-system.ts';
import type { FuseContext, Operation } from './fuse-context.ts';
import { direntSize, putDirent, putEntry } from './fuse-encode.ts';
import { DIRENT, ENTRY_OUT } from './fuse-protocol.ts';

/** `.` and `..` come first; the cookies of other entries are moved up behind theirs. */
const SELF = 1;
const PARENT = 2;
/** Stands for the number of a directory that is not known (FUSE_UNKNOWN_INO). */
const UNKNOWN_NUMBER = 0xffff_ffff;
/** Most bytes of one answer, whatever room the caller offers. */
const LARGEST = 1 << 20;

/** Entries after `cookie`, `.` and `..` among them. */
function entriesAfter({ tree }: FuseContext, directory: Inode, cookie: number, limit: number) {
  const dots: DirectoryEntry[] = [];
  if (cookie < SELF) dots.push({ name: '.', number: directory.number, mode: S_IFDIR, cookie: SELF });
  if (cookie < PARENT) dots.push({ name: '..', number: UNKNOWN_NUMBER, mode: S_IFDIR, cookie: PARENT });
  const after = Math.max(0, cookie - PARENT);
  return andThen(tree.list(directory, after, limit), (entries) => [
    ...dots,
    ...entries.map((entry) => ({ ...entry, cookie: entry.cookie + PARENT })),
  ]);
}

export const list: Operation = (context) => {
  const { nodes, reader, room } = context;
  reader.need(40);
  const size = Math.min(reader.u32(16), room, LARGEST);
  const directory = nodes.get(reader.node);
  const entries = entriesAfter(context, directory, reader.u64(8), Math.ceil(size / direntSize(1)));
  return andThen(entries, (found) => {
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const entry of found) {
      const length = direntSize(entry.name.length);
      if (at + length > size) break;
      putDirent(bytes, view, at, entry);
      at += length;
    }
    return bytes.subarray(0, at);
  });
};

export const listWithAttributes: Operation = (context) => {
  const { tree, nodes, reader, room, validity } = context;
  reader.need(40);
  const size = Math.min(reader.u32(16), room, LARGEST);
  const parent = reader.node;
  const directory = nodes.get(parent);
  const limit = Math.ceil(size / (ENTRY_OUT + DIRENT));
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  let full = false;
  const add = (entry: DirectoryEntry) => {
    const length = ENTRY_OUT + direntSize(entry.name.length);
    full ||= at + length > size;
    if (full) return;
    const place = at;
    const isDot = entry.name === '.' || entry.name === '..';
    return andThen(isDot ? undefined : tree.lookup(directory, entry.name), (found) => {
      // Gone meanwhile; the kernel takes an entry without a node as a name without attributes.
      if (found === undefined && !isDot) return;
      if (found !== undefined) {
        putEntry(view, place, nodes.enter(found, { parent, name: entry.name }), found.attributes, validity);
      }
      putDirent(bytes, view, place + ENTRY_OUT, entry);
      at = place + length;
    });
  };
  const done = andThen(entriesAfter(context, directory, reader.u64(8), limit), (found) =>
    forEach(found, add),
  );
  return andThen(done, () => bytes.subarray(0, at));
};
