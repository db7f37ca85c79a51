import { beforeEach, describe, expect, it } from 'vitest';
import { FileLocks } from '../../../src/storage/tree/file-locks.ts';
import { treeOfFiles } from '../../../src/storage/tree/file-set.ts';
import type { Inode, Sharing } from '../../../src/storage/tree/file-system.ts';
import { MemoryTree } from '../../../src/storage/tree/memory-tree.ts';
import { PickedDirectory } from '../../../src/storage/tree/picked-directory.ts';
import { INIT, ROOT_NODE } from '../../../src/virtio/fs/fuse-protocol.ts';
import { FuseServer } from '../../../src/virtio/fs/fuse-server.ts';
import { FakeDirectory } from '../../storage/tree/fake-handles.ts';
import { FuseClient, pack, parseAttributes, parseEntry } from './fuse-client.ts';

let tree: MemoryTree;
let client: FuseClient;
beforeEach(async () => {
  tree = new MemoryTree({ capacity: 1 << 24 });
  client = new FuseClient(new FuseServer(tree));
  await client.init();
});

describe('INIT', () => {
  const flagsOf = (sharing: Sharing) => new FuseClient(new FuseServer(new MemoryTree({ sharing }))).init();

  it('agrees on large writes, plus listings and opening without messages', async () => {
    const flags = await flagsOf('exclusive');
    for (const bit of [
      'BIG_WRITES',
      'MAX_PAGES',
      'DO_READDIRPLUS',
      'NO_OPEN_SUPPORT',
      'PARALLEL_DIROPS',
    ] as const) {
      expect(flags.has(INIT[bit])).toBe(true);
    }
    const body = pack(7, 41, 131_072, 0xffff_ffff, 0, Buffer.alloc(44));
    const reply = await client.done('INIT', 0, body);
    expect(reply.readUInt32LE(20)).toBe(1 << 20);
    expect(reply.readUInt16LE(28)).toBe(256);
  });

  it('has a guest look again at what others may change, and keeps no written pages there', async () => {
    for (const sharing of ['exclusive', 'shared', 'immutable'] as const) {
      expect((await flagsOf(sharing)).has(INIT.WRITEBACK_CACHE)).toBe(false);
    }
    expect((await flagsOf('shared')).has(INIT.AUTO_INVAL_DATA)).toBe(true);
    expect((await flagsOf('immutable')).has(INIT.AUTO_INVAL_DATA)).toBe(false);
  });

  it('agrees on nothing that was not offered', async () => {
    const reply = await client.done('INIT', 0, pack(7, 31, 4096, 1 << INIT.MAX_PAGES));
    expect(reply.readUInt32LE(12)).toBe(1 << INIT.MAX_PAGES);
  });

  it('refuses an old kernel and offers a newer one our version', async () => {
    expect((await client.call('INIT', 0, pack(7, 12, 0, 0))).error).toBe('EPROTO');
    const reply = await client.done('INIT', 0, pack(8, 0, 0, 0));
    expect([reply.readUInt32LE(0), reply.readUInt32LE(4)]).toEqual([7, 38]);
  });

  it('comes before everything else, and again after DESTROY', async () => {
    const fresh = new FuseClient(new FuseServer(tree));
    expect((await fresh.call('GETATTR', ROOT_NODE, pack(0, 0, 0n))).error).toBe('EIO');
    await fresh.init();
    expect((await fresh.call('GETATTR', ROOT_NODE, pack(0, 0, 0n))).error).toBe('ok');
    await fresh.done('DESTROY', 0);
    expect((await fresh.call('GETATTR', ROOT_NODE, pack(0, 0, 0n))).error).toBe('EIO');
  });
});

describe('nodes', () => {
  it('live as long as the kernel has lookups of them', async () => {
    const { node } = await client.create(ROOT_NODE, 'a');
    expect((await client.lookup(ROOT_NODE, 'a')).node).toBe(node);
    await client.done('UNLINK', ROOT_NODE, pack('a'));
    await client.write(node, 0, 'still there');
    await client.forget(node, 1);
    expect((await client.read(node, 0, 100)).toString()).toBe('still there');
    await client.forget(node, 1);
    expect((await client.call('GETATTR', node, pack(0, 0, 0n))).error).toBe('ESTALE');
    expect(client.server.knownNodes).toBe(1);
  });

  it('have numbers that are never used twice', async () => {
    const seen = new Set<number>();
    for (let round = 0; round < 100; round++) {
      const { node } = await client.create(ROOT_NODE, 'a');
      expect(seen.has(node)).toBe(false);
      seen.add(node);
      await client.done('UNLINK', ROOT_NODE, pack('a'));
      await client.forget(node, 1);
    }
  });

  it('are the same for all names of a file', async () => {
    const { node } = await client.create(ROOT_NODE, 'a');
    const linked = parseEntry(await client.done('LINK', ROOT_NODE, pack(BigInt(node), 'b')));
    expect(linked).toMatchObject({ node, links: 2 });
  });

  it('are forgotten in batches, and no more often than they were looked up', async () => {
    const nodes = await Promise.all(
      [1, 2, 3].map(async (i) => (await client.create(ROOT_NODE, `f${i}`)).node),
    );
    const list = nodes.flatMap((node) => [BigInt(node), 1000n]);
    expect(
      await client.raw(Buffer.concat([pack(40 + 8 + 48, 42, 1n, 0n, 0, 0, 0, 0, 3, 0), pack(...list)])),
    ).toBeUndefined();
    expect(client.server.knownNodes).toBe(1);
    await client.forget(ROOT_NODE, 10);
    expect((await client.lookup(ROOT_NODE, 'f1')).node).toBeGreaterThan(nodes[2]!);
  });

  it('that are told of after a reset are held by nobody', async () => {
    const directory = new FakeDirectory();
    await directory.getFileHandle('a', { create: true });
    const picked = new PickedDirectory(directory.asHandle);
    const late = new FuseClient(new FuseServer(picked));
    await late.init();
    const answer = late.call('LOOKUP', ROOT_NODE, pack('a'));
    late.server.reset();
    await answer;
    expect(late.server.knownNodes).toBe(1);
    expect((await picked.lookup(picked.root, 'a'))!.inode.references).toBe(1);
    await late.init();
    expect((await late.lookup(ROOT_NODE, 'a')).node).toBeGreaterThan(ROOT_NODE);
  });

  it('give their memory back once forgotten', async () => {
    const before = tree.statistics().blocksFree;
    for (let round = 0; round < 50; round++) {
      const { node } = await client.create(ROOT_NODE, 'big');
      await client.write(node, 0, Buffer.alloc(65_000, 1));
      await client.done('UNLINK', ROOT_NODE, pack('big'));
      await client.forget(node, 1);
    }
    expect(tree.statistics().blocksFree).toBe(before);
  });
});

describe('names', () => {
  it('that are not there may be remembered where nobody else can make them', async () => {
    expect(await client.lookup(ROOT_NODE, 'none')).toMatchObject({ node: 0 });
    expect((await client.lookup(ROOT_NODE, 'none')).entryValid).toBeGreaterThan(1000);
    const shared = new FuseClient(new FuseServer(new MemoryTree({ sharing: 'shared' })));
    await shared.init();
    expect((await shared.call('LOOKUP', ROOT_NODE, pack('none'))).error).toBe('ENOENT');
    expect((await shared.create(ROOT_NODE, 'a')).entryValid).toBe(1);
  });

  it.each([[''], ['.'], ['..'], ['a/b'], ['/']])('%j is no name', async (name) => {
    expect((await client.call('LOOKUP', ROOT_NODE, pack(name))).error).toBe('EINVAL');
    expect((await client.call('MKDIR', ROOT_NODE, pack(0o755, 0, name))).error).toBe('EINVAL');
    await client.create(ROOT_NODE, 'x');
    expect((await client.call('RENAME', ROOT_NODE, pack(1n, 'x', name))).error).toBe('EINVAL');
  });

  it('may have 255 bytes, end with a NUL, and hold any other byte', async () => {
    expect((await client.create(ROOT_NODE, '\x01\xff\n'.repeat(85))).node).toBeGreaterThan(1);
    expect((await client.call('LOOKUP', ROOT_NODE, pack('n'.repeat(256)))).error).toBe('ENAMETOOLONG');
    expect((await client.call('LOOKUP', ROOT_NODE, Buffer.from('abc'))).error).toBe('EINVAL');
  });

  it('are renamed, exchanged and whited out', async () => {
    const a = await client.create(ROOT_NODE, 'a');
    const b = await client.mkdir(ROOT_NODE, 'b');
    expect((await client.call('RENAME2', ROOT_NODE, pack(1n, 1, 0, 'a', 'b'))).error).toBe('EEXIST');
    await client.done('RENAME2', ROOT_NODE, pack(1n, 2, 0, 'a', 'b'));
    expect((await client.lookup(ROOT_NODE, 'a')).node).toBe(b.node);
    expect((await client.lookup(ROOT_NODE, 'b')).node).toBe(a.node);
    await client.done('RENAME2', ROOT_NODE, pack(BigInt(b.node), 4, 0, 'b', 'c'));
    expect(await client.lookup(ROOT_NODE, 'b')).toMatchObject({ mode: 0o020000, device: 0 });
    expect((await client.lookup(b.node, 'c')).node).toBe(a.node);
    expect((await client.call('RENAME2', ROOT_NODE, pack(1n, 8, 0, 'a', 'd'))).error).toBe('EINVAL');
    expect((await client.call('RENAME', ROOT_NODE, pack(BigInt(b.node), 'a', 'd'))).error).toBe('EINVAL');
  });
});

describe('data', () => {
  it.each([[7], [40], [4096]])('arrive whole in pieces of %i bytes', async (piece) => {
    client.piece = piece;
    const { node } = await client.create(ROOT_NODE, 'a');
    const data = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index & 0xff));
    expect(await client.write(node, 70_000, data)).toBe(10_000);
    expect(await client.read(node, 70_000, 20_000)).toEqual(data);
    expect(await client.read(node, 69_990, 20)).toEqual(
      Buffer.concat([Buffer.alloc(10), data.subarray(0, 10)]),
    );
    expect(await client.read(node, 80_000, 10)).toHaveLength(0);
  });

  it('a reply never has more than there is room for', async () => {
    const { node } = await client.create(ROOT_NODE, 'a');
    await client.write(node, 0, Buffer.alloc(1000, 1));
    const body = pack(0n, 0n, 1000, 0, 0n, 0, 0);
    expect(await client.done('READ', node, body, 16 + 10)).toHaveLength(10);
    expect((await client.call('GETATTR', node, pack(0, 0, 0n), 20)).error).toBe('EOVERFLOW');
    expect(await client.done('READDIR', ROOT_NODE, body, 16 + 20)).toHaveLength(0);
  });

  it('holes are found and made', async () => {
    const { node } = await client.create(ROOT_NODE, 'a');
    await client.write(node, 1 << 20, 'data');
    const seek = async (offset: number, whence: number) =>
      client
        .call('LSEEK', node, pack(0n, BigInt(offset), whence, 0))
        .then(({ error, payload }) => (error === 'ok' ? Number(payload.readBigUInt64LE(0)) : error));
    expect(await seek(0, 3)).toBe(1 << 20);
    expect(await seek(0, 4)).toBe(0);
    expect(await seek((1 << 20) + 4, 3)).toBe('ENXIO');
    expect(await seek(0, 0)).toBe('EINVAL');
    await client.done('FALLOCATE', node, pack(0n, 1n << 20n, 2n, 3, 0));
    expect((await client.read(node, 1 << 20, 10)).toString()).toBe('\0\0ta');
    await client.done('FALLOCATE', node, pack(0n, 0n, 2n << 20n, 0, 0));
    const { size } = parseAttributes((await client.done('GETATTR', node, pack(0, 0, 0n))).subarray(16));
    expect(size).toBe(2 << 20);
    expect((await client.call('FALLOCATE', node, pack(0n, 0n, 1n << 52n, 0, 0))).error).toBe('EFBIG');
    expect((await client.call('FALLOCATE', node, pack(0n, 0n, 1n << 40n, 0, 0))).error).toBe('ENOSPC');
    expect((await client.call('FALLOCATE', node, pack(0n, 0n, 10n, 8, 0))).error).toBe('EOPNOTSUPP');
  });

  it('are copied within the server', async () => {
    const a = await client.create(ROOT_NODE, 'a');
    const b = await client.create(ROOT_NODE, 'b');
    await client.write(a.node, 0, 'hello world');
    const body = pack(0n, 6n, BigInt(b.node), 0n, 2n, 100n, 0n);
    expect((await client.done('COPY_FILE_RANGE', a.node, body)).readUInt32LE(0)).toBe(5);
    expect((await client.read(b.node, 0, 100)).toString()).toBe('\0\0world');
  });

  it('a full tree says so, and nothing is lost', async () => {
    const { node } = await client.create(ROOT_NODE, 'a');
    await client.write(node, 0, 'kept');
    const body = (offset: number) => pack(0n, BigInt(offset), 65_000, 0, 0n, 0, 0, Buffer.alloc(65_000, 1));
    let error = 'ok';
    for (let at = 1; at < 1000 && error === 'ok'; at++) {
      error = (await client.call('WRITE', node, body(at * 65_536))).error;
    }
    expect(error).toBe('ENOSPC');
    expect((await client.read(node, 0, 4)).toString()).toBe('kept');
  });

  it('set-user-ID and capabilities are lost by a write of someone without privileges', async () => {
    const { node } = await client.create(ROOT_NODE, 'a', 0o104755);
    await client.done('SETXATTR', node, pack(4, 0, 'security.capability', Buffer.from('caps')));
    await client.done('WRITE', node, pack(0n, 0n, 1, 4, 0n, 0, 0, Buffer.from('x')));
    const { mode } = parseAttributes((await client.done('GETATTR', node, pack(0, 0, 0n))).subarray(16));
    expect(mode.toString(8)).toBe('100755');
    expect((await client.call('GETXATTR', node, pack(0, 0, 'security.capability'))).error).toBe('ENODATA');
  });
});

describe('listings', () => {
  it.each([[200], [4096], [1 << 17]])('are whole in portions of %i bytes', async (size) => {
    const names = Array.from({ length: 300 }, (_, index) => `file${index}`);
    for (const name of names) await client.create(ROOT_NODE, name);
    const found = (await client.list(ROOT_NODE, size)).map(({ name }) => name);
    expect(found).toEqual(['.', '..', ...names]);
  });

  it('with attributes count as lookups, those of . and .. do not', async () => {
    await client.create(ROOT_NODE, 'a');
    await client.forget((await client.lookup(ROOT_NODE, 'a')).node, 2);
    const bytes = await client.done('READDIRPLUS', ROOT_NODE, pack(0n, 0n, 4096, 0, 0n, 0, 0));
    const size = (length: number) => 128 + ((24 + length + 7) & ~7);
    const entries = [0, size(1), size(1) + size(2)].map((at) => parseEntry(bytes.subarray(at)));
    expect(entries.map(({ node }) => node > 0)).toEqual([false, false, true]);
    expect(entries[2]).toMatchObject({ mode: 0o100644, uid: 1000, gid: 1001 });
    expect(bytes).toHaveLength(size(1) * 2 + size(2));
    expect(client.server.knownNodes).toBe(2);
    await client.forget(entries[2]!.node, 1);
    expect(client.server.knownNodes).toBe(1);
  });

  it('that do not fit take no lookups', async () => {
    for (const name of ['a', 'b', 'c']) {
      const { node } = await client.create(ROOT_NODE, name);
      await client.forget(node, 1);
    }
    const room = 2 * 160 + 160;
    await client.done('READDIRPLUS', ROOT_NODE, pack(0n, 0n, room, 0, 0n, 0, 0));
    expect(client.server.knownNodes).toBe(2);
  });
});

describe('extended attributes', () => {
  it('are set, listed, read and removed', async () => {
    const { node } = await client.create(ROOT_NODE, 'a');
    await client.done('SETXATTR', node, pack(3, 1, 'user.one', Buffer.from([1, 0, 255])));
    expect((await client.call('SETXATTR', node, pack(0, 1, 'user.one'))).error).toBe('EEXIST');
    expect((await client.call('SETXATTR', node, pack(0, 2, 'user.two'))).error).toBe('ENODATA');
    expect((await client.done('GETXATTR', node, pack(0, 0, 'user.one'))).readUInt32LE(0)).toBe(3);
    expect([...(await client.done('GETXATTR', node, pack(10, 0, 'user.one')))]).toEqual([1, 0, 255]);
    expect((await client.call('GETXATTR', node, pack(2, 0, 'user.one'))).error).toBe('ERANGE');
    expect((await client.done('LISTXATTR', node, pack(100, 0))).toString()).toBe('user.one\0');
    await client.done('REMOVEXATTR', node, pack('user.one'));
    expect((await client.call('REMOVEXATTR', node, pack('user.one'))).error).toBe('ENODATA');
    expect((await client.call('SETXATTR', node, pack(100, 0, 'user.x'))).error).toBe('EINVAL');
    for (const name of ['system.posix_acl_access', 'other.name', 'user.']) {
      expect((await client.call('SETXATTR', node, pack(0, 0, name))).error).toBe('EOPNOTSUPP');
    }
  });

  it('are not asked for again where there are none', async () => {
    const trees = [
      treeOfFiles([{ path: 'a', contents: Buffer.from('text') }]),
      new PickedDirectory(new FakeDirectory().asHandle),
    ];
    for (const without of trees) {
      const other = new FuseClient(new FuseServer(without));
      await other.init();
      for (const [opcode, body] of [
        ['GETXATTR', pack(0, 0, 'security.capability')],
        ['SETXATTR', pack(0, 0, 'user.a')],
        ['REMOVEXATTR', pack('user.a')],
      ] as const) {
        expect((await other.call(opcode, ROOT_NODE, body)).error).toBe('ENOSYS');
      }
      expect(await other.done('LISTXATTR', ROOT_NODE, pack(100, 0))).toHaveLength(0);
    }
  });
});

it('a read-only tree changes in no way', async () => {
  const { node } = await client.create(ROOT_NODE, 'a');
  await client.write(node, 0, 'text');
  tree.seal();
  const changes: Parameters<FuseClient['call']>[] = [
    ['SETATTR', node, Buffer.alloc(88)],
    ['MKNOD', ROOT_NODE, pack(0o100644, 0, 0, 0, 'x')],
    ['CREATE', ROOT_NODE, pack(0, 0o644, 0, 0, 'x')],
    ['MKDIR', ROOT_NODE, pack(0o755, 0, 'x')],
    ['SYMLINK', ROOT_NODE, pack('x', 'y')],
    ['LINK', ROOT_NODE, pack(BigInt(node), 'x')],
    ['UNLINK', ROOT_NODE, pack('a')],
    ['RMDIR', ROOT_NODE, pack('a')],
    ['RENAME', ROOT_NODE, pack(1n, 'a', 'x')],
    ['RENAME2', ROOT_NODE, pack(1n, 0, 0, 'a', 'x')],
    ['WRITE', node, pack(0n, 0n, 1, 0, 0n, 0, 0, Buffer.from('x'))],
    ['FALLOCATE', node, pack(0n, 0n, 1n, 0, 0)],
    ['SETXATTR', node, pack(0, 0, 'user.a')],
    ['REMOVEXATTR', node, pack('user.a')],
    ['COPY_FILE_RANGE', node, pack(0n, 0n, BigInt(node), 0n, 0n, 1n, 0n)],
    ['TMPFILE', ROOT_NODE, pack(0, 0o644, 0, 0, '')],
  ];
  for (const change of changes) expect((await client.call(...change)).error).toBe('EROFS');
  expect((await client.read(node, 0, 10)).toString()).toBe('text');
});

it('opening takes no messages, and unknown requests are refused by name', async () => {
  const { node } = await client.create(ROOT_NODE, 'a');
  for (const opcode of [
    'OPEN',
    'OPENDIR',
    'FLUSH',
    'GETLK',
    'SETLK',
    'ACCESS',
    'BMAP',
    'POLL',
    'STATX',
  ] as const) {
    expect((await client.call(opcode, node, Buffer.alloc(64))).error).toBe('ENOSYS');
  }
  expect((await client.call('IOCTL', node, Buffer.alloc(64))).error).toBe('ENOTTY');
  expect((await client.call('RELEASE', node, Buffer.alloc(24))).error).toBe('ok');
});

it('a file is made and opened in one step, and made without a name', async () => {
  const made = await client.done('CREATE', ROOT_NODE, pack(2, 0o600, 0, 0, 'a'));
  expect(made).toHaveLength(128 + 16);
  expect(parseEntry(made)).toMatchObject({ mode: 0o100600, uid: 1000, links: 1 });
  const nameless = parseEntry(await client.done('TMPFILE', ROOT_NODE, pack(2, 0o600, 0, 0, '')));
  expect(nameless.links).toBe(0);
  await client.write(nameless.node, 0, 'text');
  expect(parseEntry(await client.done('LINK', ROOT_NODE, pack(BigInt(nameless.node), 'b')))).toMatchObject({
    node: nameless.node,
    links: 1,
    size: 4,
  });
});

describe('locks that clients share', () => {
  const END = (1n << 63n) - 1n;
  const lock = (owner: bigint, type: number, start: bigint, end: bigint, flock = 0) =>
    pack(0n, owner, start, end, type, 7, flock, 0);
  const locks = () => ({ posix: new FileLocks<Inode>(), flock: new FileLocks<Inode>() });
  let one: FuseClient;
  let two: FuseClient;
  let node: number;
  let other: number;
  beforeEach(async () => {
    const shared = locks();
    one = new FuseClient(new FuseServer(tree, { locks: shared }));
    two = new FuseClient(new FuseServer(tree, { locks: shared }));
    expect((await one.init()).has(INIT.POSIX_LOCKS)).toBe(true);
    await two.init();
    node = (await one.create(ROOT_NODE, 'locked')).node;
    other = (await two.lookup(ROOT_NODE, 'locked')).node;
  });

  it('keep others out of a range, and only of it', async () => {
    await one.done('SETLK', node, lock(1n, 1, 0n, 99n));
    expect((await two.call('SETLK', other, lock(1n, 0, 50n, 60n))).error).toBe('EAGAIN');
    await two.done('SETLK', other, lock(1n, 1, 100n, END));
    const held = await two.done('GETLK', other, lock(1n, 1, 0n, END));
    expect([held.readBigUInt64LE(0), held.readBigUInt64LE(8), held.readUInt32LE(16)]).toEqual([0n, 99n, 1]);
    await one.done('SETLK', node, lock(1n, 2, 40n, 59n));
    await two.done('SETLK', other, lock(1n, 1, 50n, 55n));
    expect((await two.call('SETLK', other, lock(1n, 1, 39n, 39n))).error).toBe('EAGAIN');
    expect((await two.call('SETLK', other, lock(1n, 1, 60n, 60n))).error).toBe('EAGAIN');
  });

  it('let readers share', async () => {
    await one.done('SETLK', node, lock(1n, 0, 0n, END));
    await two.done('SETLK', other, lock(1n, 0, 0n, END));
    expect((await two.call('SETLK', other, lock(1n, 1, 0n, END))).error).toBe('EAGAIN');
  });

  it('are waited for, and end with FLUSH, RELEASE or an interrupt', async () => {
    await one.done('SETLK', node, lock(1n, 1, 0n, END));
    const waiting = two.call('SETLKW', other, lock(1n, 1, 0n, END));
    await one.done('FLUSH', node, pack(0n, 0, 0, 1n));
    expect((await waiting).error).toBe('ok');
    await two.done('SETLK', other, lock(5n, 1, 0n, END, 1));
    const flock = one.call('SETLKW', node, lock(1n, 1, 0n, END, 1));
    await two.done('RELEASE', other, pack(0n, 0, 2, 5n));
    expect((await flock).error).toBe('ok');
    const { request } = await import('./fuse-client.ts');
    const again = two.raw(request(33, other, lock(9n, 1, 0n, END, 1), 4711n));
    expect(await two.raw(request(36, 0, pack(4711n)))).toBeUndefined();
    expect((await again)!.readInt32LE(4)).toBe(-4);
  });

  it('that wait for each other are refused', async () => {
    const second = await one.create(ROOT_NODE, 'second');
    const secondOther = (await two.lookup(ROOT_NODE, 'second')).node;
    await one.done('SETLK', node, lock(1n, 1, 0n, END));
    await two.done('SETLK', secondOther, lock(1n, 1, 0n, END));
    const waiting = one.call('SETLKW', second.node, lock(1n, 1, 0n, END));
    expect((await two.call('SETLKW', other, lock(1n, 1, 0n, END))).error).toBe('EDEADLK');
    await two.done('SETLK', secondOther, lock(1n, 2, 0n, END));
    expect((await waiting).error).toBe('ok');
  });
});
