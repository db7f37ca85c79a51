import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BlockBackend } from '../../src/storage/block-backend.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { OverlayBackend } from '../../src/storage/overlay-backend.ts';
import { overlayStoreBytes } from '../../src/storage/overlay-layout.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { Model, operations, pattern } from './backend-model.ts';

const BYTES = 60 * 1024 + 512;
const CHUNK = 4096;

/** A store whose changes fail now and then, having been done by halves or wholly. */
class FlakyStore implements BlockBackend {
  readonly bytes: number;
  readonly readonly = false;
  readonly #inner: MemoryBackend;
  readonly #luck: Iterator<number>;
  isFlaky = true;
  failures = 0;

  constructor(inner: MemoryBackend, luck: Iterable<number>) {
    this.bytes = inner.bytes;
    this.#inner = inner;
    this.#luck = luck[Symbol.iterator]();
  }

  #draw(): number {
    return this.isFlaky ? (this.#luck.next().value as number) : 99;
  }

  #fail(): never {
    this.failures++;
    throw new StorageError('io', 'the medium failed');
  }

  read(offset: number, target: Uint8Array): undefined {
    if (this.#draw() === 0) this.#fail();
    this.#inner.read(offset, target);
  }

  write(offset: number, source: Uint8Array): undefined {
    const luck = this.#draw();
    if (luck === 0) this.#fail();
    const isCut = luck === 1;
    this.#inner.write(offset, isCut ? source.subarray(0, Math.floor(source.length / 1024) * 512) : source);
    if (isCut || luck === 2) this.#fail();
  }

  writeZeroes(offset: number, length: number): undefined {
    this.write(offset, new Uint8Array(length));
  }

  discard(offset: number, length: number): undefined {
    if (this.#draw() === 0) this.#fail();
    this.#inner.write(offset, new Uint8Array(length).fill(0xdd));
  }

  flush(): undefined {
    if (this.#draw() < 2) this.#fail();
  }

  close(): undefined {}
}

test('when the store fails now and then, what fails is what was asked, and everything else stays right', async () => {
  let failures = 0;
  await fc.assert(
    fc.asyncProperty(operations(BYTES, 20_000, 60), fc.infiniteStream(fc.nat(11)), async (list, luck) => {
      const base = new MemoryBackend({ contents: pattern(7, BYTES), readonly: true });
      const medium = new MemoryBackend({ bytes: overlayStoreBytes(BYTES, CHUNK) });
      const store = new FlakyStore(medium, luck);
      store.isFlaky = false;
      const overlay = await OverlayBackend.open(base, store, { chunkBytes: CHUNK });
      store.isFlaky = true;
      const model = new Model(BYTES);
      model.write(0, pattern(7, BYTES));
      for (const [index, operation] of list.entries()) {
        const { at, length } = 'at' in operation ? operation : { at: 0, length: 0 };
        const source = operation.kind === 'write' ? pattern(operation.seed, length) : new Uint8Array(length);
        const isChange = operation.kind === 'write' || operation.kind === 'zero';
        try {
          if (operation.kind === 'write') await overlay.write(at, source);
          else if (operation.kind === 'zero') await overlay.writeZeroes(at, length);
          else if (operation.kind === 'discard') await overlay.discard(at, length);
          else if (operation.kind === 'flush') await overlay.flush();
          else if (operation.kind === 'reopen') await overlay.snapshot(`s${index}`);
          else await overlay.read(at, source);
          if (isChange) model.write(at, source);
          if (operation.kind === 'discard') model.discard(at, length);
        } catch (error) {
          expect(error).toMatchObject({ name: 'StorageError', kind: 'io' });
          failures++;
          // What a failed change leaves is old or new, in its sectors.
          if (isChange) {
            const start = Math.floor(at / 512) * 512;
            model.discard(start, Math.min(BYTES, Math.ceil((at + length) / 512) * 512) - start);
          }
        }
      }
      store.isFlaky = false;
      const contents = new Uint8Array(BYTES);
      await overlay.read(0, contents);
      expect(model.firstDifference(0, contents)).toBe(-1);
      await overlay.flush();
      const again = await OverlayBackend.open(base, medium);
      await again.read(0, contents);
      expect(model.firstDifference(0, contents)).toBe(-1);
    }),
    { numRuns: 300, endOnFailure: true },
  );
  expect(failures).toBeGreaterThan(300);
});

test('going back to a snapshot that failed at its last step is taken back by the next flush', async () => {
  const base = new MemoryBackend({ contents: pattern(7, BYTES), readonly: true });
  const medium = new MemoryBackend({ bytes: overlayStoreBytes(BYTES, CHUNK) });
  // The flush after the superblock is the one that fails: checkpoint, flush, superblock, flush.
  const store = new FlakyStore(medium, [9, 9, 9, 0]);
  store.isFlaky = false;
  const overlay = await OverlayBackend.open(base, store, { chunkBytes: CHUNK });
  await overlay.snapshot('early');
  await overlay.write(0, pattern(1, 5000));
  await overlay.flush();
  store.isFlaky = true;
  await expect(overlay.restoreSnapshot('early')).rejects.toMatchObject({ kind: 'io' });
  store.isFlaky = false;
  await overlay.flush();
  const contents = new Uint8Array(5000);
  await (await OverlayBackend.open(base, medium)).read(0, contents);
  expect(Buffer.from(contents).equals(pattern(1, 5000))).toBe(true);
});
