// A plain array of bytes as the model that every back end is held against.
import fc from 'fast-check';
import type { BlockBackend } from '../../src/storage/block-backend.ts';

export type Operation =
  | { kind: 'write'; at: number; length: number; seed: number }
  | { kind: 'zero' | 'discard' | 'read'; at: number; length: number }
  | { kind: 'flush' | 'reopen' };

/** Fills with bytes that differ by place and seed; never zero, so that lost writes show. */
export function pattern(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = (state >>> 24) | 1;
  }
  return bytes;
}

/** Ranges with a liking for the borders of sectors and chunks. */
export function operations(bytes: number, maxLength: number, count = 40): fc.Arbitrary<Operation[]> {
  const border = fc
    .tuple(fc.integer({ min: 0, max: Math.floor(bytes / 4096) }), fc.integer({ min: -1, max: 1 }))
    .map(([index, off]) => Math.max(0, Math.min(bytes, index * 4096 + off)));
  const place = fc.oneof(border, fc.integer({ min: 0, max: bytes }));
  const length = fc.oneof(
    fc.integer({ min: 0, max: maxLength }),
    fc.constantFrom(1, 512, 4096, 65536).map((size) => Math.min(size, maxLength)),
  );
  const range = fc.tuple(place, length).map(([at, size]) => ({ at, length: Math.min(size, bytes - at) }));
  return fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc
          .tuple(range, fc.nat(1e6))
          .map(([r, seed]): Operation => ({ kind: 'write', ...r, seed })),
      },
      { weight: 5, arbitrary: range.map((r): Operation => ({ kind: 'read', ...r })) },
      { weight: 2, arbitrary: range.map((r): Operation => ({ kind: 'zero', ...r })) },
      { weight: 2, arbitrary: range.map((r): Operation => ({ kind: 'discard', ...r })) },
      { weight: 2, arbitrary: fc.constant<Operation>({ kind: 'flush' }) },
      { weight: 1, arbitrary: fc.constant<Operation>({ kind: 'reopen' }) },
    ),
    { minLength: 1, maxLength: count },
  );
}

/** What a store must hold: bytes, and which of them were discarded and may be anything. */
export class Model {
  readonly contents: Uint8Array;
  readonly unknown: Uint8Array;

  constructor(bytes: number) {
    this.contents = new Uint8Array(bytes);
    this.unknown = new Uint8Array(bytes);
  }

  write(at: number, source: Uint8Array): void {
    this.contents.set(source, at);
    this.unknown.fill(0, at, at + source.length);
  }

  discard(at: number, length: number): void {
    this.unknown.fill(1, at, at + length);
  }

  /** The first byte that is not as it must be, or -1. */
  firstDifference(at: number, bytes: Uint8Array): number {
    for (let index = 0; index < bytes.length; index++) {
      if (this.unknown[at + index] === 0 && this.contents[at + index] !== bytes[index]) return at + index;
    }
    return -1;
  }
}

/** Applies operations to a store and the model and compares what is read, at each read and in the end. */
export async function compareWithModel(
  first: BlockBackend,
  list: readonly Operation[],
  reopen: ((old: BlockBackend) => Promise<BlockBackend>) | undefined,
  model = new Model(first.bytes),
): Promise<BlockBackend> {
  let backend = first;
  const compare = async (at: number, length: number) => {
    const target = pattern(99, length);
    await backend.read(at, target);
    const difference = model.firstDifference(at, target);
    if (difference !== -1) throw new Error(`byte ${difference} is not as it was written`);
  };
  for (const operation of list) {
    switch (operation.kind) {
      case 'write': {
        const source = pattern(operation.seed, operation.length);
        await backend.write(operation.at, source);
        model.write(operation.at, source);
        break;
      }
      case 'zero':
        await backend.writeZeroes(operation.at, operation.length);
        model.write(operation.at, new Uint8Array(operation.length));
        break;
      case 'discard':
        await backend.discard(operation.at, operation.length);
        model.discard(operation.at, operation.length);
        break;
      case 'read':
        await compare(operation.at, operation.length);
        break;
      case 'flush':
        await backend.flush();
        break;
      case 'reopen':
        if (reopen !== undefined) backend = await reopen(backend);
        break;
    }
  }
  await compare(0, backend.bytes);
  return backend;
}

/** Waits for an operation and gives the error it must fail with, thrown at once or later. */
export async function failure(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('the operation did not fail');
}
