import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChunkStore } from '../../src/storage/chunk-store.ts';
import { ChunkedBackend } from '../../src/storage/chunked-backend.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { compareWithModel, failure, Model, operations, pattern } from './backend-model.ts';

/** A database in memory that can be full, and that tells what is durable. */
class FakeStore implements ChunkStore {
  readonly chunkBytes = 4096;
  readonly chunks = new Map<number, Uint8Array>();
  durable = new Map<number, Uint8Array>();
  limit = Number.POSITIVE_INFINITY;
  isClosed = false;

  async get(chunk: number): Promise<Uint8Array | undefined> {
    return this.chunks.get(chunk)?.slice();
  }

  async put(chunks: ReadonlyMap<number, Uint8Array | undefined>, isDurable: boolean): Promise<void> {
    const next = new Map(this.chunks);
    for (const [chunk, contents] of chunks) {
      if (contents === undefined) next.delete(chunk);
      else next.set(chunk, contents.slice());
    }
    if (next.size > this.limit) throw new StorageError('full', 'no room');
    this.chunks.clear();
    for (const [chunk, contents] of next) this.chunks.set(chunk, contents);
    if (isDurable) this.durable = next;
  }

  close(): void {
    this.isClosed = true;
  }
}

const BYTES = 100 * 1024 + 512;

test('a drive of chunks holds what a plain array of bytes holds, also when it is opened again', async () => {
  await fc.assert(
    fc.asyncProperty(operations(BYTES, 30_000, 60), async (list) => {
      const store = new FakeStore();
      await compareWithModel(new ChunkedBackend(store, BYTES, 'disk'), list, async (old) => {
        await old.close();
        return new ChunkedBackend(store, BYTES, 'disk');
      });
    }),
    { numRuns: 100 },
  );
});

test('what a flush answered is durable, and nothing is stored by halves before', async () => {
  const store = new FakeStore();
  const drive = new ChunkedBackend(store, BYTES, 'disk');
  await drive.write(1000, pattern(1, 20_000));
  expect(store.chunks.size).toBe(0);
  await drive.flush();
  expect(store.durable.size).toBe(6);
  await drive.writeZeroes(0, BYTES);
  await drive.flush();
  expect(store.durable.size).toBe(0);
});

test('a store that is full fails the flush with "full", keeps what was stored and what was not, and goes on later', async () => {
  const store = new FakeStore();
  const drive = new ChunkedBackend(store, BYTES, 'disk');
  const model = new Model(BYTES);
  const write = async (at: number, bytes: Uint8Array) => {
    await drive.write(at, bytes);
    model.write(at, bytes);
  };
  await write(0, pattern(1, 8192));
  await drive.flush();
  store.limit = 3;
  await write(4096, pattern(2, 20_000));
  expect(await failure(() => drive.flush())).toMatchObject({ kind: 'full' });
  expect(store.durable.size).toBe(2);
  const contents = new Uint8Array(BYTES);
  await drive.read(0, contents);
  expect(model.firstDifference(0, contents)).toBe(-1);
  store.limit = 100;
  await drive.flush();
  const again = new ChunkedBackend(store, BYTES, 'disk');
  await again.read(0, contents);
  expect(model.firstDifference(0, contents)).toBe(-1);
});

test('memory stays bounded: a long row of writes reaches the store without a flush, and a full store refuses it', async () => {
  const store = new FakeStore();
  store.limit = 6000;
  const drive = new ChunkedBackend(store, 2 ** 30, 'disk');
  const block = pattern(1, 64 * 1024);
  let written = 0;
  const error = await failure(async () => {
    for (; written < 2 ** 30; written += block.length) await drive.write(written, block);
  });
  expect(error).toMatchObject({ kind: 'full' });
  expect(store.chunks.size).toBeGreaterThan(0);
  expect(written).toBeGreaterThan(16 * 1024 ** 2);
  expect(written).toBeLessThan(64 * 1024 ** 2);
  const contents = new Uint8Array(block.length);
  for (let at = 0; at < written; at += block.length) {
    await drive.read(at, contents);
    expect(Buffer.compare(contents, block)).toBe(0);
  }
});

test('a closed drive refuses everything and has closed its store', async () => {
  const store = new FakeStore();
  const drive = new ChunkedBackend(store, BYTES, 'disk');
  const written = drive.write(0, pattern(1, 512));
  await drive.close();
  await written;
  await drive.close();
  expect([store.isClosed, store.durable.size]).toEqual([true, 1]);
  expect(await failure(() => drive.read(0, new Uint8Array(1)))).toMatchObject({ kind: 'io' });
});
