// Operations on names: lookup, creation, links, removal, renaming.
import { andThen } from '../../storage/tree/answer.ts';
import { TARGET_MAX } from '../../storage/tree/byte-name.ts';
import {
  isDirectory,
  isKnownType,
  isSymlink,
  PERMISSIONS,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
} from '../../storage/tree/file-mode.ts';
import type { NewFile, RenameFlags } from '../../storage/tree/file-system.ts';
import { fail } from '../../storage/tree/file-system-error.ts';
import type { FuseContext, Operation, Reply, ReplyLater } from './fuse-context.ts';
import { replyEntry } from './fuse-context.ts';
import { encodeEntry, encodeNoEntry } from './fuse-encode.ts';
import {
  ENTRY_OUT,
  FOPEN_KEEP_CACHE,
  OPEN_OUT,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
} from './fuse-protocol.ts';

const newFile = ({ reader }: FuseContext, mode: number, device = 0): NewFile => ({
  mode,
  uid: reader.uid,
  gid: reader.gid,
  device,
});

export const lookup: Operation = (context) => {
  const { tree, nodes, reader, validity } = context;
  const entry = tree.lookup(nodes.get(reader.node), reader.name(0));
  return andThen(entry, (found) => {
    if (found !== undefined) return replyEntry(context, found);
    // "Not there" may be remembered where nobody else can change that.
    return tree.sharing === 'shared' ? fail('ENOENT') : encodeNoEntry(validity);
  });
};

export const makeNode: Operation = (context) => {
  const { tree, nodes, reader } = context;
  reader.need(16);
  const requested = reader.u32(0);
  const mode = (requested & S_IFMT) === 0 ? S_IFREG | requested : requested;
  if (!isKnownType(mode) || isDirectory(mode) || isSymlink(mode)) return fail('EINVAL');
  const file = newFile(context, mode & (S_IFMT | PERMISSIONS), reader.u32(4));
  const entry = tree.makeNode(nodes.get(reader.node), reader.name(16), file);
  return andThen(entry, (made) => replyEntry(context, made));
};

export const makeDirectory: Operation = (context) => {
  const { tree, nodes, reader } = context;
  reader.need(8);
  const file = newFile(context, S_IFDIR | (reader.u32(0) & PERMISSIONS));
  const entry = tree.makeDirectory(nodes.get(reader.node), reader.name(8), file);
  return andThen(entry, (made) => replyEntry(context, made));
};

export const makeSymlink: Operation = (context) => {
  const { tree, nodes, reader } = context;
  const name = reader.name(0);
  const target = reader.text(name.length + 1, TARGET_MAX);
  if (target === '') return fail('ENOENT');
  const entry = tree.makeSymlink(nodes.get(reader.node), name, target, newFile(context, 0o777));
  return andThen(entry, (made) => replyEntry(context, made));
};

/** An entry and an open file. The file's handle is 0: nothing is open here. */
function replyOpened(context: FuseContext, entry: Parameters<typeof replyEntry>[1]): Uint8Array {
  const node = context.nodes.enter(entry.inode);
  const bytes = encodeEntry(node, entry.attributes, context.validity, OPEN_OUT);
  new DataView(bytes.buffer).setUint32(ENTRY_OUT + 8, FOPEN_KEEP_CACHE, true);
  return bytes;
}

export const create: Operation = (context) => {
  const { tree, nodes, reader } = context;
  reader.need(16);
  const file = newFile(context, S_IFREG | (reader.u32(4) & PERMISSIONS));
  const entry = tree.makeNode(nodes.get(reader.node), reader.name(16), file);
  return andThen(entry, (made) => replyOpened(context, made));
};

export const makeTemporary: Operation = (context) => {
  const { tree, nodes, reader } = context;
  reader.need(16);
  const file = newFile(context, S_IFREG | (reader.u32(4) & PERMISSIONS));
  const entry = tree.makeTemporary(nodes.get(reader.node), file);
  return andThen(entry, (made) => replyOpened(context, made));
};

export const link: Operation = (context) => {
  const { tree, nodes, reader } = context;
  reader.need(8);
  const entry = tree.link(nodes.get(reader.u64(0)), nodes.get(reader.node), reader.name(8));
  return andThen(entry, (made) => replyEntry(context, made));
};

export const unlink: Operation = ({ tree, nodes, reader }) =>
  andThen(tree.unlink(nodes.get(reader.node), reader.name(0)), () => undefined);

export const removeDirectory: Operation = ({ tree, nodes, reader }) =>
  andThen(tree.removeDirectory(nodes.get(reader.node), reader.name(0)), () => undefined);

function renameWith(context: FuseContext, flags: RenameFlags, namesAt: number): Reply | ReplyLater {
  const { tree, nodes, reader } = context;
  const name = reader.name(namesAt);
  const newName = reader.name(namesAt + name.length + 1);
  const done = tree.rename(nodes.get(reader.node), name, nodes.get(reader.u64(0)), newName, flags);
  return andThen(done, () => undefined);
}

export const rename: Operation = (context) => {
  context.reader.need(8);
  return renameWith(context, {}, 8);
};

export const renameWithFlags: Operation = (context) => {
  context.reader.need(16);
  const bits = context.reader.u32(8);
  if ((bits & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) return fail('EINVAL');
  const flags = {
    noReplace: (bits & RENAME_NOREPLACE) !== 0,
    exchange: (bits & RENAME_EXCHANGE) !== 0,
    whiteout: (bits & RENAME_WHITEOUT) !== 0,
  };
  if (flags.exchange && (flags.noReplace || flags.whiteout)) return fail('EINVAL');
  return renameWith(context, flags, 16);
};
