// Operations on what is in a file.
import { andThen } from '../../storage/tree/answer.ts';
import { bytesOf, TARGET_MAX } from '../../storage/tree/byte-name.ts';
import type { AllocateMode } from '../../storage/tree/file-system.ts';
import { fail } from '../../storage/tree/file-system-error.ts';
import type { Operation } from './fuse-context.ts';
import {
  FALLOC_KEEP_SIZE,
  FALLOC_PUNCH_HOLE,
  FALLOC_ZERO_RANGE,
  FSYNC_DATA_ONLY,
  OUT_HEADER,
  SEEK_DATA,
  SEEK_HOLE,
  WRITE_KILL_SUIDGID,
} from './fuse-protocol.ts';
import { cut } from './fuse-reader.ts';

/** Bytes copied by one COPY_FILE_RANGE; the caller comes back for the rest. */
const COPY_MAX = 1 << 20;

function number32(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export const readLink: Operation = ({ tree, nodes, reader }) =>
  andThen(tree.readLink(nodes.get(reader.node)), (target) => bytesOf(target.slice(0, TARGET_MAX)));

export const read: Operation = ({ tree, nodes, reader, output, room }) => {
  reader.need(40);
  const size = Math.min(reader.u32(16), room);
  return tree.read(nodes.get(reader.node), reader.u64(8), cut(output, OUT_HEADER, size));
};

export const write: Operation = ({ tree, nodes, reader }) => {
  reader.need(40);
  const offset = reader.u64(8);
  const size = reader.u32(16);
  if (offset + size > Number.MAX_SAFE_INTEGER) return fail('EFBIG');
  const killPrivileges = (reader.u32(20) & WRITE_KILL_SUIDGID) !== 0;
  const written = tree.write(nodes.get(reader.node), offset, reader.pieces(40, size), { killPrivileges });
  return andThen(written, number32);
};

export const allocate: Operation = ({ tree, nodes, reader }) => {
  reader.need(32);
  const offset = reader.u64(8);
  const length = reader.u64(16);
  const bits = reader.u32(24);
  if (length === 0) return fail('EINVAL');
  if (offset + length > Number.MAX_SAFE_INTEGER) return fail('EFBIG');
  const keepSize = (bits & FALLOC_KEEP_SIZE) !== 0;
  const kind = bits & ~FALLOC_KEEP_SIZE;
  let mode: AllocateMode;
  if (kind === 0) mode = 'allocate';
  else if (kind === FALLOC_PUNCH_HOLE && keepSize) mode = 'punch';
  else if (kind === FALLOC_ZERO_RANGE) mode = 'zero';
  else return fail('EOPNOTSUPP');
  const done = tree.allocate(nodes.get(reader.node), mode, offset, length, { keepSize });
  return andThen(done, () => undefined);
};

export const seek: Operation = ({ tree, nodes, reader }) => {
  reader.need(24);
  const whence = reader.u32(16);
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return fail('EINVAL');
  const found = tree.seek(nodes.get(reader.node), reader.u64(8), whence === SEEK_DATA ? 'data' : 'hole');
  return andThen(found, (offset) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(offset), true);
    return bytes;
  });
};

export const sync: Operation = ({ tree, nodes, reader }) => {
  reader.need(16);
  const dataOnly = (reader.u32(8) & FSYNC_DATA_ONLY) !== 0;
  return andThen(tree.sync(nodes.get(reader.node), dataOnly), () => undefined);
};

export const syncAll: Operation = ({ tree }) => andThen(tree.syncAll(), () => undefined);

export const copyRange: Operation = ({ tree, nodes, reader }) => {
  reader.need(56);
  const source = nodes.get(reader.node);
  const target = nodes.get(reader.u64(16));
  const from = reader.u64(8);
  const to = reader.u64(32);
  const length = Math.min(reader.u64(40), COPY_MAX);
  if (reader.u64(48) !== 0) return fail('EINVAL');
  if (to + length > Number.MAX_SAFE_INTEGER) return fail('EFBIG');
  const buffer = new Uint8Array(length);
  const answer = tree.read(source, from, [buffer]);
  const bytes = typeof answer === 'number' ? buffer.subarray(0, answer) : answer;
  const written = andThen(bytes, (data) =>
    data.length === 0 ? 0 : tree.write(target, to, [data], { killPrivileges: true }),
  );
  return andThen(written, number32);
};
