import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { OverlayBackend } from '../../src/storage/overlay-backend.ts';
import { overlayStoreBytes } from '../../src/storage/overlay-layout.ts';
import { operations, pattern } from './backend-model.ts';
import { CrashingStore, copyOf, PowerLoss } from './crashing-store.ts';

const BYTES = 40 * 1024 + 1536;
const CHUNK = 4096;
const STORE = overlayStoreBytes(BYTES, CHUNK);
const SECTOR = 512;
const ANYTHING = Symbol('anything');

/** What each sector may hold after a crash: what was flushed, or anything written there since. */
class CrashModel {
  /** Last written contents of each sector. */
  current: (string | typeof ANYTHING)[];
  allowed: Set<string | typeof ANYTHING>[];

  constructor(contents: Uint8Array) {
    this.current = Array.from({ length: contents.length / SECTOR }, (_, sector) =>
      key(contents.subarray(sector * SECTOR, (sector + 1) * SECTOR)),
    );
    this.allowed = this.current.map((value) => new Set([value]));
  }

  write(at: number, source: Uint8Array | undefined, length = source?.length ?? 0): void {
    for (let done = 0; done < length; done += SECTOR) {
      const sector = (at + done) / SECTOR;
      const value = source === undefined ? ANYTHING : key(source.subarray(done, done + SECTOR));
      this.current[sector] = value;
      this.allowed[sector]!.add(value);
    }
  }

  flushed(): void {
    this.allowed = this.current.map((value) => new Set([value]));
  }

  check(contents: Uint8Array): void {
    for (const [sector, allowed] of this.allowed.entries()) {
      if (allowed.has(ANYTHING)) continue;
      const value = key(contents.subarray(sector * SECTOR, (sector + 1) * SECTOR));
      expect(allowed.has(value), `sector ${sector} holds neither what was flushed nor what was written`).toBe(
        true,
      );
    }
  }

  /** After a crash the contents are what they are. */
  adopt(contents: Uint8Array): void {
    Object.assign(this, new CrashModel(contents));
  }
}

const key = (sector: Uint8Array) => Buffer.from(sector).toString('latin1');

test('after a loss of power at any instant, what flush answered is there and nothing strange', async () => {
  const rounds = fc.array(
    fc.record({
      list: operations(BYTES, 20_000, 30),
      operations: fc.integer({ min: 0, max: 40 }),
      luck: fc.infiniteStream(fc.boolean()),
    }),
    { minLength: 1, maxLength: 4 },
  );
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(rounds, async (list) => {
      const base = new MemoryBackend({ contents: pattern(7, BYTES), readonly: true });
      const model = new CrashModel(pattern(7, BYTES));
      let medium = new MemoryBackend({ bytes: STORE });
      for (const round of list) {
        const store = new CrashingStore(medium, copyOf(medium, STORE), round.operations);
        try {
          const overlay = await OverlayBackend.open(base, store, { chunkBytes: CHUNK });
          for (const operation of round.list) {
            const at = 'at' in operation ? Math.floor(operation.at / SECTOR) * SECTOR : 0;
            const length = 'at' in operation ? Math.floor(operation.length / SECTOR) * SECTOR : 0;
            if (operation.kind === 'write') {
              const source = pattern(operation.seed, length);
              model.write(at, source);
              await overlay.write(at, source);
            } else if (operation.kind === 'zero') {
              model.write(at, new Uint8Array(length));
              await overlay.writeZeroes(at, length);
            } else if (operation.kind === 'discard') {
              model.write(at, undefined, length);
              await overlay.discard(at, length);
            } else if (operation.kind === 'flush') {
              await overlay.flush();
              model.flushed();
            }
          }
        } catch (error) {
          if (!(error instanceof PowerLoss)) throw error;
          crashes++;
        }
        const luck = round.luck[Symbol.iterator]();
        medium = store.after(() => luck.next().value as boolean);
        const overlay = await OverlayBackend.open(base, copyOf(medium, STORE), { chunkBytes: CHUNK });
        const contents = new Uint8Array(BYTES);
        await overlay.read(0, contents);
        model.check(contents);
        model.adopt(contents);
      }
    }),
    { numRuns: 300 },
  );
  expect(crashes).toBeGreaterThan(60);
});

test('room that a change gives up is not used again before that change is durable', async () => {
  const base = new MemoryBackend({ contents: pattern(7, BYTES), readonly: true });
  const medium = new MemoryBackend({ bytes: STORE });
  const before = await OverlayBackend.open(base, medium, { chunkBytes: CHUNK });
  await before.write(0, pattern(1, CHUNK));
  await before.flush();
  const store = new CrashingStore(medium, copyOf(medium, STORE), 1000);
  const overlay = await OverlayBackend.open(base, store);
  await overlay.writeZeroes(0, CHUNK);
  await overlay.write(CHUNK, pattern(2, CHUNK));
  const after = await OverlayBackend.open(
    base,
    store.after(() => true),
  );
  const contents = new Uint8Array(CHUNK);
  await after.read(0, contents);
  expect(Buffer.from(contents).equals(pattern(1, CHUNK))).toBe(true);
});

test('a loss of power in snapshot, restore, delete, discard and commit leaves the state before or after', async () => {
  const first = pattern(1, BYTES);
  const second = pattern(2, BYTES);
  const baseContents = pattern(7, BYTES);
  const read = async (overlay: OverlayBackend) => {
    const contents = new Uint8Array(BYTES);
    await overlay.read(0, contents);
    return Buffer.from(contents);
  };
  const steps: [string, (overlay: OverlayBackend) => Promise<void>, Uint8Array[]][] = [
    ['snapshot', (overlay) => overlay.snapshot('later'), [second]],
    ['restore', (overlay) => overlay.restoreSnapshot('early'), [second, first]],
    ['delete', (overlay) => overlay.deleteSnapshot('early'), [second]],
    ['discard', (overlay) => overlay.discardChanges(), [second, baseContents]],
    [
      'commit',
      async (overlay) => {
        await overlay.deleteSnapshot('early');
        await overlay.commit();
      },
      [second],
    ],
  ];
  for (const [name, step, outcomes] of steps) {
    let crashed = true;
    for (let operations = 0; crashed; operations++) {
      const base = new MemoryBackend({ contents: baseContents, bytes: BYTES });
      const medium = new MemoryBackend({ bytes: STORE });
      const before = await OverlayBackend.open(base, medium, { chunkBytes: CHUNK });
      await before.write(0, first);
      await before.snapshot('early');
      await before.write(0, second);
      await before.flush();
      const store = new CrashingStore(medium, copyOf(medium, STORE), operations);
      try {
        await step(await OverlayBackend.open(base, store));
        crashed = false;
      } catch (error) {
        if (!(error instanceof PowerLoss)) throw error;
      }
      let turn = operations;
      const after = await OverlayBackend.open(
        base,
        store.after(() => {
          turn = (turn * 5 + 3) % 7;
          return turn > 2;
        }),
      );
      const contents = await read(after);
      expect(
        outcomes.some((outcome) => contents.equals(outcome)),
        `${name} cut at ${operations}`,
      ).toBe(true);
      if (!crashed) expect(contents.equals(outcomes.at(-1)!), name).toBe(true);
      if (after.snapshots.includes('early')) {
        await after.restoreSnapshot('early');
        expect((await read(after)).equals(first), `${name} cut at ${operations}: snapshot`).toBe(true);
      }
    }
  }
});
