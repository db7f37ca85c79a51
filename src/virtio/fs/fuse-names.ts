// Operations on names: lookup, creation, links, removal, renaming.
import { andThen } from '../../storage/tree/answer.ts';
import { TARGET_MAX } from '../../storage/tree/byte-name.ts';
import { isNodeType, PERMISSIONS, S_IFDIR, S_IFMT, S_IFREG } from '../../storage/tree/file-mode.ts';
import type { Entry, NewFile, RenameFlags } from '../../storage/tree/file-system.ts';
import { fail } from '../../storage/tree/file-system-error.ts';
import type { FuseContext, Operation, Reply, ReplyLater } from './fuse-context.ts';
import { replyEntry } from './fuse-context.ts';
import { encodeEntry, encodeNoEntry } from './fuse-encode.ts';
import type { Place } from './fuse-nodes.ts';
import {
  ENTRY_OUT,
  FOPEN_KEEP_CACHE,
  OPEN_OUT,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
} from './fuse-protocol.ts';
import type { FuseReader } from './fuse-reader.ts';

const newFile = ({ reader }: FuseContext, mode: number, device = 0): NewFile => ({
  mode,
  uid: reader.uid,
  gid: reader.gid,
  device,
});

/** The name at an offset of the request, in the directory that the request is about. */
const placeAt = (reader: FuseReader, at: number): Place => ({ parent: reader.node, name: reader.name(at) });

export const lookup: Operation = (context) => {
  const { tree, nodes, reader, validity } = context;
  const place = placeAt(reader, 0);
  const entry = tree.lookup(nodes.get(place.parent), place.name);
  return andThen(entry, (found) => {
    if (found !== undefined) return replyEntry(context, found, place);
    nodes.removePlace(place);
    // "Not there" may be remembered where nobody else can change that.
    return tree.sharing === 'shared' ? fail('ENOENT') : encodeNoEntry(validity);
  });
};

export const makeNode: Operation = (context) => {
  const { tree, nodes, reader } = context;
  reader.need(16);
  const requested = reader.u32(0);
  const mode = (requested & S_IFMT) === 0 ? S_IFREG | requested : requested;
  if (!isNodeType(mode)) return fail('EINVAL');
  const file = newFile(context, mode & (S_IFMT | PERMISSIONS), reader.u32(4));
  const place = placeAt(reader, 16);
  const entry = tree.makeNode(nodes.get(place.parent), place.name, file);
  return andThen(entry, (made) => replyEntry(context, made, place));
};

export const makeDirectory: Operation = (context) => {
  const { tree, nodes, reader } = context;
  reader.need(8);
  const file = newFile(context, S_IFDIR | (reader.u32(0) & PERMISSIONS));
  const place = placeAt(reader, 8);
  const entry = tree.makeDirectory(nodes.get(place.parent), place.name, file);
  return andThen(entry, (made) => replyEntry(context, made, place));
};

export const makeSymlink: Operation = (context) => {
  const { tree, nodes, reader } = context;
  const place = placeAt(reader, 0);
  const target = reader.text(place.name.length + 1, TARGET_MAX);
  if (target === '') return fail('ENOENT');
  const entry = tree.makeSymlink(nodes.get(place.parent), place.name, target, newFile(context, 0o777));
  return andThen(entry, (made) => replyEntry(context, made, place));
};

/** An entry and an open file. The file's handle is 0: nothing is open here. */
function replyOpened(context: FuseContext, entry: Entry, place?: Place): Uint8Array {
  const node = context.nodes.enter(entry, place);
  const bytes = encodeEntry(node, entry.attributes, context.validity, OPEN_OUT);
  new DataView(bytes.buffer).setUint32(ENTRY_OUT + 8, FOPEN_KEEP_CACHE, true);
  return bytes;
}

export const create: Operation = (context) => {
  const { tree, nodes, reader } = context;
  reader.need(16);
  const file = newFile(context, S_IFREG | (reader.u32(4) & PERMISSIONS));
  const place = placeAt(reader, 16);
  const entry = tree.makeNode(nodes.get(place.parent), place.name, file);
  return andThen(entry, (made) => replyOpened(context, made, place));
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
  const place = placeAt(reader, 8);
  const entry = tree.link(nodes.get(reader.u64(0)), nodes.get(place.parent), place.name);
  return andThen(entry, (made) => replyEntry(context, made, place));
};

export const unlink: Operation = ({ tree, nodes, reader }) => {
  const place = placeAt(reader, 0);
  return andThen(tree.unlink(nodes.get(place.parent), place.name), () => {
    nodes.removePlace(place);
    return undefined;
  });
};

export const removeDirectory: Operation = ({ tree, nodes, reader }) => {
  const place = placeAt(reader, 0);
  return andThen(tree.removeDirectory(nodes.get(place.parent), place.name), () => {
    nodes.removePlace(place);
    return undefined;
  });
};

function renameWith(context: FuseContext, flags: RenameFlags, namesAt: number): Reply | ReplyLater {
  const { tree, nodes, reader } = context;
  const from = placeAt(reader, namesAt);
  const to = { parent: reader.u64(0), name: reader.name(namesAt + from.name.length + 1) };
  const done = tree.rename(nodes.get(from.parent), from.name, nodes.get(to.parent), to.name, flags);
  return andThen(done, () => {
    nodes.move(from, to, flags.exchange ?? false);
    return undefined;
  });
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
