import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lz4Error, lz4Bound, lz4Pack, lz4Unpack } from '../../src/storage/lz4.ts';

const pack = (bytes: Uint8Array) => lz4Pack(bytes, new Uint8Array(lz4Bound(bytes.length))).slice();

function unpack(block: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  lz4Unpack(block, result);
  return result;
}

/** Bytes with matches of all distances and lengths: pieces of what was there before, runs, and noise. */
const contents = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('noise' as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
      fc.record({ kind: fc.constant('run' as const), byte: fc.nat(255), length: fc.nat(1000) }),
      fc.record({ kind: fc.constant('again' as const), back: fc.nat(100_000), length: fc.nat(700) }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => {
    const bytes: number[] = [];
    for (const piece of pieces) {
      if (piece.kind === 'noise') bytes.push(...piece.bytes);
      else if (piece.kind === 'run') bytes.push(...new Array<number>(piece.length).fill(piece.byte));
      else {
        const from = Math.max(0, bytes.length - 1 - piece.back);
        for (let index = 0; index < piece.length && bytes.length > 0; index++)
          bytes.push(bytes[from + index]!);
      }
    }
    return Uint8Array.from(bytes);
  });

const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe('LZ4', () => {
  it('gives back what was packed', () => {
    fc.assert(
      fc.property(contents, (bytes) => isSame(unpack(pack(bytes), bytes.length), bytes)),
      { numRuns: 300 },
    );
  });

  it('packs zeroes and texts, and what does not pack grows by less than its bound says', () => {
    expect(pack(new Uint8Array(1 << 20)).length).toBeLessThan(5000);
    const text = new TextEncoder().encode('a guest that stands at its prompt. '.repeat(400));
    expect(pack(text).length).toBeLessThan(text.length / 50);
    const noise = Uint8Array.from({ length: 100_000 }, (_, index) => Math.imul(index + 7, 0x9e3779b1) >>> 13);
    expect(pack(noise).length).toBeLessThanOrEqual(lz4Bound(noise.length));
    expect(() => lz4Pack(noise, new Uint8Array(noise.length))).toThrow(RangeError);
  });

  it('finds a match 65,535 bytes back, and none farther', () => {
    for (const distance of [65_535, 65_536, 70_000]) {
      const bytes = new Uint8Array(distance + 64);
      const word = Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2, 1, 11, 12, 13);
      bytes.set(word);
      bytes.set(word, distance);
      expect(isSame(unpack(pack(bytes), bytes.length), bytes)).toBe(true);
    }
  });

  it('reads what the lz4 program of the LZ4 project has written', () => {
    // lz4 -9c --no-frame-crc -BI, v1.9.4; a frame's header has 11 bytes here, its end 4.
    const frame =
      '04224d1860408243000000f01074686520717569636b2062726f776e20666f78206a756d7073206f766572201f00' +
      'af6c617a7920646f672c202d00183f3b206101001ca020656e64206f6620697400000000';
    const block = Buffer.from(frame, 'hex').subarray(11, -4);
    const text =
      'the quick brown fox jumps over the lazy dog, the quick brown fox jumps over the lazy dog; ' +
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa end of it';
    expect(new TextDecoder().decode(unpack(block, text.length))).toBe(text);
    const padded = text.length + 1;
    expect(() => unpack(block, padded)).toThrow(`${text.length} bytes instead of ${padded}`);
    expect(() => unpack(block, text.length - 1)).toThrow(`more than ${text.length - 1} bytes`);
  });

  it('refuses blocks that cannot be, each in words', () => {
    const of = (...bytes: number[]) => Uint8Array.from(bytes);
    expect(() => unpack(of(), 10)).toThrow('cut off');
    expect(() => unpack(of(0xf0), 100)).toThrow('cut off');
    expect(() => unpack(of(0x40, 1, 2), 100)).toThrow('cut off');
    expect(() => unpack(of(0x10, 1, 1), 100)).toThrow('cut off');
    expect(() => unpack(of(0x1f, 1, 1, 0), 100)).toThrow('cut off');
    expect(() => unpack(of(0x10, 1, 0, 0, 0), 100)).toThrow('beyond the start');
    expect(() => unpack(of(0x10, 1, 2, 0, 0), 100)).toThrow('beyond the start');
    expect(() => unpack(of(0x1f, 1, 1, 0, 255, 255, 0, 0), 100)).toThrow('more than 100 bytes');
  });

  it('whatever a block holds, it is unpacked or refused, and nothing beside its place is written', () => {
    fc.assert(
      fc.property(
        contents,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(400),
        (bytes, changes, cut) => {
          const block = pack(bytes);
          for (const [at, value] of changes) block[at % block.length] = value;
          const around = new Uint8Array(bytes.length + 128).fill(0x5a);
          try {
            lz4Unpack(block.subarray(0, block.length - (cut % 3)), around.subarray(64, 64 + bytes.length));
          } catch (error) {
            if (!(error instanceof Lz4Error)) throw error;
          }
          const edges = [...around.subarray(0, 64), ...around.subarray(64 + bytes.length)];
          return edges.every((byte) => byte === 0x5a);
        },
      ),
      { numRuns: 500 },
    );
  });
});
