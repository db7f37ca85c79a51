import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { compareWithModel, failure, Model, type Operation, operations, pattern } from './backend-model.ts';

const BYTES = 300 * 1024 + 512;

test('a memory drive holds what a plain array of bytes holds', async () => {
  await fc.assert(
    fc.asyncProperty(operations(BYTES, 150_000), async (list) => {
      await compareWithModel(new MemoryBackend({ bytes: BYTES }), list, undefined);
    }),
    { numRuns: 150 },
  );
});

test('what a memory drive is made from is what it holds, and changes leave the original alone', async () => {
  const contents = pattern(1, 200_001);
  const original = contents.slice();
  await fc.assert(
    fc.asyncProperty(operations(200_192, 150_000), async (list) => {
      const model = new Model(200_192);
      model.write(0, original);
      await compareWithModel(new MemoryBackend({ contents }), list, undefined, model);
      expect(Buffer.compare(contents, original)).toBe(0);
    }),
    { numRuns: 30 },
  );
});

test('a memory drive takes memory for what was written and gives back what is zeroed', () => {
  const drive = new MemoryBackend({ bytes: 2 ** 40 });
  drive.write(2 ** 39, pattern(1, 1_000_000));
  expect(drive.bytesUsed).toBeLessThan(1_200_000);
  drive.discard(0, 2 ** 40);
  expect(drive.bytesUsed).toBe(0);
});

test('what is frozen stays as it was, and a drive of it goes its own way', async () => {
  await fc.assert(
    fc.asyncProperty(operations(BYTES, 150_000), operations(BYTES, 150_000), async (before, after) => {
      const drive = new MemoryBackend({ bytes: BYTES });
      const apply = (list: Operation[]) => {
        for (const operation of list) {
          if (operation.kind === 'write')
            drive.write(operation.at, pattern(operation.seed, operation.length));
          else if (operation.kind === 'zero') drive.writeZeroes(operation.at, operation.length);
          else if (operation.kind === 'discard') drive.discard(operation.at, operation.length);
        }
      };
      apply(before);
      const then = new Uint8Array(BYTES);
      drive.read(0, then);
      const frozen = drive.freeze();
      apply(after);
      const copy = new MemoryBackend({ frozen });
      const held = new Uint8Array(BYTES);
      copy.read(0, held);
      expect(Buffer.compare(held, then)).toBe(0);
      copy.write(0, pattern(9, BYTES));
      new MemoryBackend({ frozen }).read(0, held);
      expect(Buffer.compare(held, then)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('frozen pieces that no drive of the size can have are refused', () => {
  const chunks = new Map([[1, new Uint8Array(64 * 1024)]]);
  expect(() => new MemoryBackend({ frozen: { bytes: 65_536, chunks } })).toThrow(StorageError);
  const short = new Map([[0, new Uint8Array(512)]]);
  expect(() => new MemoryBackend({ frozen: { bytes: 65_536, chunks: short } })).toThrow(StorageError);
});

test('a read-only memory drive refuses changes', async () => {
  const drive = new MemoryBackend({ contents: pattern(1, 512), readonly: true });
  for (const change of [
    () => drive.write(0, new Uint8Array(1)),
    () => drive.discard(0, 512),
    () => drive.writeZeroes(0, 512),
  ]) {
    expect(await failure(change)).toMatchObject({ name: 'StorageError', kind: 'denied' });
  }
});

test.each([
  [-1, 1],
  [512, 1],
  [0, 513],
  [0.5, 1],
  [Number.NaN, 1],
  [2 ** 53, 1],
])('a range outside the drive is refused: %d, %d', async (offset, length) => {
  const drive = new MemoryBackend({ bytes: 512 });
  expect(await failure(() => drive.read(offset, new Uint8Array(length)))).toBeInstanceOf(StorageError);
  expect(await failure(() => drive.write(offset, new Uint8Array(length)))).toBeInstanceOf(StorageError);
  expect(await failure(() => drive.writeZeroes(offset, length))).toBeInstanceOf(StorageError);
});

test.each([0, -512, 511, 1.5, Number.NaN, 2 ** 60])('%d bytes are refused as a size', (bytes) => {
  expect(() => new MemoryBackend({ bytes })).toThrow(StorageError);
});
