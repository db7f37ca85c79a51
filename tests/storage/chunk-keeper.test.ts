import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ChunkCache } from '../../src/storage/chunk-cache.ts';
import { ChunkKeeper } from '../../src/storage/chunk-keeper.ts';

const CHUNK = 1 << 20;

class MapCache implements ChunkCache {
  readonly kept = new Map<number, Uint8Array>();
  refuses = false;
  isClosed = false;

  async get(chunk: number): Promise<Uint8Array | undefined> {
    return this.kept.get(chunk);
  }

  async put(chunk: number, contents: Uint8Array): Promise<void> {
    if (this.refuses) throw new Error('no room');
    this.kept.set(chunk, contents);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

let cache: MapCache;
let keeper: ChunkKeeper;
const numbers = () => [...cache.kept.keys()];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  cache = new MapCache();
  keeper = new ChunkKeeper(cache);
});
afterEach(() => vi.useRealTimers());

test('chunks are kept, one after the other, once nobody has read for three seconds', async () => {
  for (const chunk of [3, 1, 2]) keeper.put(chunk, new Uint8Array(CHUNK).fill(chunk));
  for (let read = 0; read < 8; read++) {
    await vi.advanceTimersByTimeAsync(1500);
    keeper.noteRead();
  }
  expect(numbers()).toEqual([]);
  await vi.advanceTimersByTimeAsync(3000);
  expect(numbers()).toEqual([3]);
  await vi.advanceTimersByTimeAsync(500);
  expect(numbers()).toEqual([3, 1, 2]);
  keeper.put(4, new Uint8Array(1));
  await vi.advanceTimersByTimeAsync(4000);
  expect(numbers()).toEqual([3, 1, 2, 4]);
});

test('a chunk waits twenty seconds at most, however much is read', async () => {
  keeper.put(1, new Uint8Array(CHUNK));
  for (let read = 0; read < 42; read++) {
    keeper.noteRead();
    await vi.advanceTimersByTimeAsync(500);
  }
  expect(numbers()).toEqual([1]);
});

test('what waits is there for who asks, and takes no more than 32 MiB', async () => {
  for (let chunk = 0; chunk < 40; chunk++) keeper.put(chunk, new Uint8Array(CHUNK).fill(chunk));
  await vi.advanceTimersByTimeAsync(0);
  expect(numbers()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect((await keeper.get(39))?.[0]).toBe(39);
  expect((await keeper.get(2))?.[0]).toBe(2);
  expect(await keeper.get(40)).toBe(undefined);
});

test('closing keeps what waits, and a cache that refuses is no error', async () => {
  for (const chunk of [0, 1, 2]) keeper.put(chunk, new Uint8Array(CHUNK));
  await keeper.close();
  expect(numbers()).toEqual([0, 1, 2]);
  expect(cache.isClosed).toBe(true);
  keeper.put(3, new Uint8Array(CHUNK));
  await vi.advanceTimersByTimeAsync(5000);
  expect(numbers()).toEqual([0, 1, 2]);
  const refusing = new ChunkKeeper(cache);
  cache.refuses = true;
  refusing.put(4, new Uint8Array(CHUNK));
  await refusing.close();
  expect(numbers()).toEqual([0, 1, 2]);
});
