import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BlockBackend } from '../../src/storage/block-backend.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { OverlayBackend } from '../../src/storage/overlay-backend.ts';
import { overlayLayout, overlayStoreBytes } from '../../src/storage/overlay-layout.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { compareWithModel, failure, Model, operations, pattern } from './backend-model.ts';

const BYTES = 100 * 1024 + 512;
const CHUNK = 4096;

/** Answers everything later, some things much later. */
class LateBackend implements BlockBackend {
  readonly #inner: BlockBackend;
  #turn = 0;
  constructor(inner: BlockBackend) {
    this.#inner = inner;
  }
  get bytes() {
    return this.#inner.bytes;
  }
  get readonly() {
    return this.#inner.readonly;
  }
  async #later(step: () => unknown) {
    this.#turn = (this.#turn * 7 + 3) % 11;
    for (let wait = this.#turn; wait > 0; wait--) await Promise.resolve();
    await step();
  }
  read = (offset: number, target: Uint8Array) => this.#later(() => this.#inner.read(offset, target));
  write = (offset: number, source: Uint8Array) => this.#later(() => this.#inner.write(offset, source));
  flush = () => this.#later(() => this.#inner.flush());
  discard = (offset: number, length: number) => this.#later(() => this.#inner.discard(offset, length));
  writeZeroes = (offset: number, length: number) =>
    this.#later(() => this.#inner.writeZeroes(offset, length));
  close = async () => undefined;
}

const makeStore = (chunkBytes = CHUNK) => new MemoryBackend({ bytes: overlayStoreBytes(BYTES, chunkBytes) });
const makeBase = () => new MemoryBackend({ contents: pattern(7, BYTES), bytes: BYTES });

function modelOfBase(): Model {
  const model = new Model(BYTES);
  model.write(0, pattern(7, BYTES));
  return model;
}

async function contentsOf(backend: BlockBackend): Promise<Buffer> {
  const contents = new Uint8Array(backend.bytes);
  await backend.read(0, contents);
  return Buffer.from(contents);
}

test.each([
  ['at once', (backend: BlockBackend) => backend],
  ['later', (backend: BlockBackend) => new LateBackend(backend)],
])(
  'an overlay over back ends that answer %s holds what a plain array of bytes holds; the base never changes',
  async (_, wrap) => {
    await fc.assert(
      fc.asyncProperty(
        operations(BYTES, 30_000, 60),
        fc.constantFrom(4096, 16384),
        async (list, chunkBytes) => {
          const base = makeBase();
          const store = makeStore(chunkBytes);
          const open = () => OverlayBackend.open(wrap(base), wrap(store), { chunkBytes });
          const reopen = async (old: BlockBackend) => {
            await old.flush();
            return open();
          };
          await compareWithModel(await open(), list, reopen, modelOfBase());
          expect((await contentsOf(base)).equals(pattern(7, BYTES))).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  },
);

test('operations that are under way together on separate ranges do not disturb each other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(1e6), { minLength: 5, maxLength: 40 }), async (seeds) => {
      const overlay = await OverlayBackend.open(new LateBackend(makeBase()), new LateBackend(makeStore()), {
        chunkBytes: CHUNK,
      });
      const model = modelOfBase();
      const part = Math.floor(BYTES / seeds.length);
      // Two rounds, so that the second meets chunks that the first has made the overlay's own.
      for (let round = 0; round < 2; round++) {
        await Promise.all(
          seeds.flatMap((seed, index) => {
            const at = index * part;
            if ((seed + round) % 5 === 0) {
              model.write(at, new Uint8Array(part));
              return [overlay.writeZeroes(at, part), overlay.flush()];
            }
            const source = pattern(seed + round, part);
            model.write(at, source);
            return [overlay.write(at, source), overlay.read(0, new Uint8Array(0))];
          }),
        );
      }
      expect(model.firstDifference(0, await contentsOf(overlay))).toBe(-1);
    }),
    { numRuns: 60 },
  );
});

test('snapshots keep their contents through any later change, and give their room back', async () => {
  const script = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: operations(BYTES, 30_000, 8).map((list) => ({ kind: 'work' as const, list })) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restore', 'delete'), pick: fc.nat(9) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('discard' as const) }) },
    ),
    { minLength: 3, maxLength: 15 },
  );
  await fc.assert(
    fc.asyncProperty(script, async (steps) => {
      const base = makeBase();
      const store = makeStore();
      let overlay = await OverlayBackend.open(base, store, { chunkBytes: CHUNK });
      const kept = new Map<string, Buffer>();
      let count = 0;
      for (const step of steps) {
        if (step.kind === 'work') {
          const model = new Model(BYTES);
          model.write(0, await contentsOf(overlay));
          const reopen = async (old: BlockBackend) => {
            await old.flush();
            return OverlayBackend.open(base, store);
          };
          overlay = (await compareWithModel(overlay, step.list, reopen, model)) as OverlayBackend;
        } else if (step.kind === 'snapshot' && kept.size < 5) {
          const name = `s${count++}`;
          await overlay.snapshot(name);
          kept.set(name, await contentsOf(overlay));
          expect(overlay.isAt(name)).toBe(true);
        } else if (step.kind === 'discard') {
          await overlay.discardChanges();
          expect((await contentsOf(overlay)).equals(pattern(7, BYTES))).toBe(true);
        } else if ('pick' in step && kept.size > 0) {
          const name = [...kept.keys()][step.pick % kept.size]!;
          if (step.kind === 'delete') {
            await overlay.deleteSnapshot(name);
            kept.delete(name);
          } else {
            await overlay.restoreSnapshot(name);
            expect((await contentsOf(overlay)).equals(kept.get(name)!)).toBe(true);
            expect(overlay.isAt(name)).toBe(true);
          }
        }
        const contents = await contentsOf(overlay);
        for (const [name, then] of kept) if (overlay.isAt(name)) expect(contents.equals(then)).toBe(true);
        expect(overlay.snapshots).toEqual([...kept.keys()]);
      }
      await overlay.flush();
      const again = await OverlayBackend.open(base, store);
      for (const name of [...kept.keys(), 'none']) expect(again.isAt(name)).toBe(overlay.isAt(name));
      for (const [name, contents] of kept) {
        await again.restoreSnapshot(name);
        expect((await contentsOf(again)).equals(contents)).toBe(true);
      }
      for (const name of kept.keys()) await again.deleteSnapshot(name);
      await again.discardChanges();
      expect(again.bytesUsed).toBe(0);
    }),
    { numRuns: 80 },
  );
});

test('commit moves all changes into the base and leaves the overlay empty', async () => {
  await fc.assert(
    fc.asyncProperty(operations(BYTES, 30_000, 30), async (list) => {
      const base = makeBase();
      const overlay = await OverlayBackend.open(base, makeStore(), { chunkBytes: CHUNK });
      await compareWithModel(overlay, list, undefined, modelOfBase());
      const contents = await contentsOf(overlay);
      await overlay.commit();
      expect((await contentsOf(base)).equals(contents)).toBe(true);
      expect((await contentsOf(overlay)).equals(contents)).toBe(true);
      expect(overlay.bytesUsed).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test('commit is refused over a read-only base and below snapshots', async () => {
  const readonly = new MemoryBackend({ contents: pattern(7, BYTES), readonly: true });
  const fixed = await OverlayBackend.open(readonly, makeStore(), { chunkBytes: CHUNK });
  expect(await failure(() => fixed.commit())).toMatchObject({ kind: 'denied' });
  const overlay = await OverlayBackend.open(makeBase(), makeStore(), { chunkBytes: CHUNK });
  await overlay.snapshot('one');
  expect(await failure(() => overlay.commit())).toMatchObject({
    kind: 'denied',
    message: expect.stringContaining('one'),
  });
  expect(await failure(() => overlay.snapshot('one'))).toMatchObject({ kind: 'denied' });
  expect(await failure(() => overlay.restoreSnapshot('two'))).toMatchObject({ kind: 'denied' });
});

test('a journal that is full becomes a checkpoint, thousands of flushes long', async () => {
  const base = makeBase();
  const store = makeStore();
  const overlay = await OverlayBackend.open(base, store, { chunkBytes: CHUNK });
  const model = modelOfBase();
  for (let turn = 0; turn < 5000; turn++) {
    const at = (turn * 7919) % (BYTES - 8192);
    if (turn % 3 === 0) {
      const start = Math.floor(at / CHUNK) * CHUNK;
      overlay.discard(start, CHUNK);
      model.write(start, new Uint8Array(CHUNK));
    } else {
      overlay.write(at, pattern(turn, 600));
      model.write(at, pattern(turn, 600));
    }
    await overlay.flush();
  }
  const again = await OverlayBackend.open(base, store);
  expect(model.firstDifference(0, await contentsOf(again))).toBe(-1);
  expect(again.bytesUsed).toBeLessThanOrEqual(BYTES + CHUNK);
});

test('a store with no room left refuses the write with "full" and keeps everything before it', async () => {
  const small = new MemoryBackend({ bytes: overlayStoreBytes(BYTES, CHUNK) - 3 * 26 * CHUNK - 20 * CHUNK });
  const overlay = await OverlayBackend.open(makeBase(), small, { chunkBytes: CHUNK });
  const model = modelOfBase();
  let refused = 0;
  for (let chunk = 0; chunk < 25; chunk++) {
    try {
      await overlay.write(chunk * CHUNK + 100, pattern(chunk, 500));
      model.write(chunk * CHUNK + 100, pattern(chunk, 500));
    } catch (error) {
      expect(error).toMatchObject({ name: 'StorageError', kind: 'full' });
      refused++;
    }
  }
  expect(refused).toBe(19);
  await overlay.flush();
  expect(model.firstDifference(0, await contentsOf(overlay))).toBe(-1);
});

test('an overlay is refused over another base, over one that changed, and on a store that holds something else', async () => {
  const store = makeStore();
  const withIdentity = (identity: string) => Object.assign(makeBase(), { identity });
  await (await OverlayBackend.open(withIdentity('a'), store, { chunkBytes: CHUNK })).flush();
  expect(await failure(() => OverlayBackend.open(withIdentity('b'), store))).toMatchObject({
    kind: 'corrupt',
    message: expect.stringContaining('changed'),
  });
  const larger = new MemoryBackend({ bytes: BYTES + 512 });
  expect(await failure(() => OverlayBackend.open(larger, store))).toMatchObject({ kind: 'corrupt' });
  const foreign = new MemoryBackend({ contents: pattern(1, overlayStoreBytes(BYTES, CHUNK)) });
  expect(await failure(() => OverlayBackend.open(makeBase(), foreign))).toMatchObject({
    kind: 'corrupt',
    message: expect.stringContaining('no overlay'),
  });
  const tiny = new MemoryBackend({ bytes: 4096 });
  expect(await failure(() => OverlayBackend.open(makeBase(), tiny))).toMatchObject({ kind: 'io' });
});

test("damage anywhere in the overlay's own data is refused by name or changes nothing that is read", async () => {
  const base = makeBase();
  const store = makeStore();
  const overlay = await OverlayBackend.open(base, store, { chunkBytes: CHUNK });
  await overlay.write(0, pattern(1, 50_000));
  await overlay.snapshot('early');
  await overlay.write(20_000, pattern(2, 50_000));
  await overlay.flush();
  const contents = await contentsOf(overlay);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.nat(511), fc.nat(8191 + 4096), fc.nat(overlayLayout(BYTES, CHUNK).dataStart - 1)),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const byte = new Uint8Array(1);
        store.read(at, byte);
        store.write(at, Uint8Array.of(byte[0]! ^ flip));
        try {
          const damaged = await OverlayBackend.open(base, store);
          // A damaged last record reads as one that was never finished; all else must be as it was.
          if (at < 8192 || at >= 8192 + 1024) expect((await contentsOf(damaged)).equals(contents)).toBe(true);
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
          expect(error.kind).toBe('corrupt');
        } finally {
          store.write(at, byte);
        }
      },
    ),
    { numRuns: 400 },
  );
});
