// What a kernel was told of a tree outlives the machine: saved, and found again by name.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadBytes, StateFormatError, saveBytes } from '../../../src/core/state-bytes.ts';
import type { FileSystem } from '../../../src/storage/tree/file-system.ts';
import { HostDirectory } from '../../../src/storage/tree/host-directory-node.ts';
import { MemoryTree } from '../../../src/storage/tree/memory-tree.ts';
import { PickedDirectory } from '../../../src/storage/tree/picked-directory.ts';
import { ROOT_NODE } from '../../../src/virtio/fs/fuse-protocol.ts';
import { FuseServer } from '../../../src/virtio/fs/fuse-server.ts';
import { FakeDirectory } from '../../storage/tree/fake-handles.ts';
import { FuseClient, pack } from './fuse-client.ts';

async function clientOf(tree: FileSystem): Promise<FuseClient> {
  const client = new FuseClient(new FuseServer(tree));
  await client.init();
  return client;
}

/** The kernel of a saved machine, served anew over a tree. */
function restored(client: FuseClient, tree: FileSystem): FuseClient {
  const server = new FuseServer(tree);
  loadBytes(server, saveBytes(client.server))();
  return new FuseClient(server);
}

const readAll = async (client: FuseClient, node: number) => (await client.read(node, 0, 100)).toString();
const errorOf = async (client: FuseClient, node: number) =>
  (await client.call('GETATTR', node, pack(0, 0, 0n))).error;

async function makeFile(client: FuseClient, directory: number, name: string, text: string): Promise<number> {
  const { node } = await client.create(directory, name);
  await client.write(node, 0, text);
  return node;
}

describe('a restored FUSE server', () => {
  it('goes on with nodes by the numbers that the kernel knows', async () => {
    const tree = new MemoryTree();
    const client = await clientOf(tree);
    const directory = (await client.mkdir(ROOT_NODE, 'directory')).node;
    const file = await makeFile(client, directory, 'file', 'contents');
    const again = restored(client, tree);
    expect(await readAll(again, file)).toBe('contents');
    expect((await again.lookup(directory, 'file')).node).toBe(file);
    expect((await again.list(directory)).map(({ name }) => name)).toEqual(['.', '..', 'file']);
    expect((await again.create(directory, 'new')).node).toBeGreaterThan(file);
  });

  it('answers EIO before INIT when the saved one had not seen it', async () => {
    const server = new FuseServer(new MemoryTree());
    expect(await errorOf(restored(new FuseClient(server), new MemoryTree()), ROOT_NODE)).toBe('EIO');
  });

  it('finds what was renamed, exchanged, linked and removed under the name that is left', async () => {
    const tree = new MemoryTree();
    const client = await clientOf(tree);
    const [one, two, three] = [
      await makeFile(client, ROOT_NODE, 'one', 'first'),
      await makeFile(client, ROOT_NODE, 'two', 'second'),
      await makeFile(client, ROOT_NODE, 'three', 'third'),
    ];
    const directory = (await client.mkdir(ROOT_NODE, 'd')).node;
    await client.done('RENAME', ROOT_NODE, pack(BigInt(directory), 'one', 'moved'));
    await client.done('RENAME2', ROOT_NODE, pack(BigInt(directory), 2, 0, 'two', 'moved'));
    await client.done('LINK', directory, pack(BigInt(three), 'other'));
    await client.done('UNLINK', ROOT_NODE, pack('three'));
    const gone = await makeFile(client, ROOT_NODE, 'gone', 'gone');
    await client.done('UNLINK', ROOT_NODE, pack('gone'));
    await client.done('RENAME', ROOT_NODE, pack(BigInt(ROOT_NODE), 'd', 'e'));
    const again = restored(client, tree);
    expect(await Promise.all([one, two, three].map((node) => readAll(again, node)))).toEqual([
      'first',
      'second',
      'third',
    ]);
    // It has no name left that it could be found by.
    expect(await errorOf(again, gone)).toBe('ESTALE');
  });

  it('answers ESTALE for what is not there any more, or is of another type', async () => {
    const client = await clientOf(new MemoryTree());
    const lost = await makeFile(client, ROOT_NODE, 'lost', '');
    const changed = await makeFile(client, ROOT_NODE, 'changed', '');
    const directory = (await client.mkdir(ROOT_NODE, 'directory')).node;
    const below = await makeFile(client, directory, 'below', '');
    const other = new MemoryTree();
    other.makeDirectory(other.root, 'changed', { mode: 0o755, uid: 0, gid: 0 });
    const again = restored(client, other);
    for (const node of [lost, changed, directory, below]) expect(await errorOf(again, node)).toBe('ESTALE');
    expect(await errorOf(again, ROOT_NODE)).toBe('ok');
    await again.forget(lost, 1);
    expect(again.server.knownNodes).toBe(4);
  });

  it('tells a file of the host from another one that has taken its name', async () => {
    const path = mkdtempSync(join(tmpdir(), 'hypertab-fuse-state-'));
    try {
      writeFileSync(join(path, 'same'), 'same');
      writeFileSync(join(path, 'replaced'), 'old');
      const client = await clientOf(new HostDirectory(path));
      const same = (await client.lookup(ROOT_NODE, 'same')).node;
      const replaced = (await client.lookup(ROOT_NODE, 'replaced')).node;
      writeFileSync(join(path, 'new'), 'new');
      renameSync(join(path, 'new'), join(path, 'replaced'));
      const again = restored(client, new HostDirectory(path));
      expect(await readAll(again, same)).toBe('same');
      expect(await errorOf(again, replaced)).toBe('ESTALE');
      expect(await readAll(again, (await again.lookup(ROOT_NODE, 'replaced')).node)).toBe('new');
    } finally {
      rmSync(path, { recursive: true });
    }
  });

  it('lets requests wait while a tree that answers later is looked through', async () => {
    const directory = new FakeDirectory();
    const inner = (await directory.getDirectoryHandle('inner', { create: true })) as FakeDirectory;
    await inner.getFileHandle('file', { create: true });
    const client = await clientOf(new PickedDirectory(directory.asHandle));
    const node = (await client.lookup((await client.lookup(ROOT_NODE, 'inner')).node, 'file')).node;
    const again = restored(client, new PickedDirectory(directory.asHandle));
    expect(await errorOf(again, node)).toBe('ok');
    const settled = restored(client, new PickedDirectory(directory.asHandle));
    await settled.server.settle();
    expect(saveBytes(settled.server)).toEqual(saveBytes(client.server));
    const late = restored(client, new PickedDirectory(directory.asHandle));
    const answer = late.server.handle([pack(1)], [new Uint8Array(64)]);
    late.server.reset();
    expect(await answer).toHaveLength(0);
  });

  it('holds one reference for all lookups, and gives it back with the last', async () => {
    const tree = new MemoryTree();
    const client = await clientOf(tree);
    const before = tree.statistics().blocksFree;
    const node = await makeFile(client, ROOT_NODE, 'file', 'x'.repeat(5000));
    await client.lookup(ROOT_NODE, 'file');
    await client.lookup(ROOT_NODE, 'file');
    const again = restored(client, tree);
    client.server.reset();
    await again.lookup(ROOT_NODE, 'file');
    await again.done('UNLINK', ROOT_NODE, pack('file'));
    await again.forget(node, 3);
    expect((await readAll(again, node)).length).toBe(100);
    await again.forget(node, 1);
    expect(again.server.knownNodes).toBe(1);
    expect(tree.statistics().blocksFree).toBe(before);
  });

  it('saves what it has loaded as it was, after any operations', async () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('make' as const), at: fc.nat(3), name }),
      fc.record({ kind: fc.constant('mkdir' as const), at: fc.nat(3), name }),
      fc.record({ kind: fc.constant('lookup' as const), at: fc.nat(3), name }),
      fc.record({ kind: fc.constant('unlink' as const), at: fc.nat(3), name }),
      fc.record({ kind: fc.constant('rename' as const), at: fc.nat(3), name, to: fc.nat(3), newName: name }),
      fc.record({ kind: fc.constant('forget' as const), at: fc.nat(3) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const tree = new MemoryTree();
        const client = await clientOf(tree);
        const directories = [ROOT_NODE];
        const nodes = new Map<number, string>();
        for (const each of steps) {
          const at = directories[each.at % directories.length]!;
          if (each.kind === 'make') await client.call('MKNOD', at, pack(0o100644, 0, 0, 0, each.name));
          else if (each.kind === 'mkdir') {
            const made = await client.call('MKDIR', at, pack(0o755, 0, each.name));
            if (made.error === 'ok') directories.push(Number(made.payload.readBigUInt64LE(0)));
          } else if (each.kind === 'lookup') await client.call('LOOKUP', at, pack(each.name));
          else if (each.kind === 'unlink') await client.call('UNLINK', at, pack(each.name));
          else if (each.kind === 'rename') {
            const to = directories[each.to % directories.length]!;
            await client.call('RENAME', at, pack(BigInt(to), each.name, each.newName));
          } else if (at !== ROOT_NODE) await client.forget(at, 1);
        }
        for (let node = 2; node < 60; node++) nodes.set(node, await errorOf(client, node));
        const again = restored(client, tree);
        expect(saveBytes(again.server)).toEqual(saveBytes(client.server));
        for (const [node, error] of nodes) {
          // What has lost its name is the one thing that does not come back.
          const now = await errorOf(again, node);
          if (now !== error) expect([error, now]).toEqual(['ok', 'ESTALE']);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('refuses bytes that no server writes, and takes others without a fault', async () => {
    const tree = new MemoryTree();
    const client = await clientOf(tree);
    const directory = (await client.mkdir(ROOT_NODE, 'directory')).node;
    await makeFile(client, directory, 'file', 'contents');
    const good = saveBytes(client.server);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, flip, cut) => {
          const bytes = cut ? good.slice(0, at) : good.slice();
          if (!cut) bytes[at]! ^= flip;
          const server = new FuseServer(tree);
          try {
            loadBytes(server, bytes)();
          } catch (error) {
            expect(error).toBeInstanceOf(StateFormatError);
            return;
          }
          expect(cut).toBe(false);
          const again = new FuseClient(server);
          for (const node of [1, 2, 3, 4]) await again.call('GETATTR', node, pack(0, 0, 0n));
          for (const node of [2, 3, 4]) await again.forget(node, 5);
          server.reset();
        },
      ),
      { numRuns: 300 },
    );
  });
});
