import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InflateError, Inflater, PIECE_BYTES } from '../../src/storage/inflate.ts';

/** Bytes that a stream may not end before (the trailer of gzip). */
const BEHIND = new Uint8Array(8);

function inflate(stream: Uint8Array, pieces: number[] = []): { bytes: Buffer; end: number | undefined } {
  const parts: Uint8Array[] = [];
  const inflater = new Inflater(stream, 0, (piece) => {
    parts.push(piece.slice());
    pieces.push(piece.length);
  });
  const end = inflater.run();
  return { bytes: Buffer.concat(parts), end };
}

/** Bytes with the repetitions, near and far, that make an encoder use all it has. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(3000)),
      fc.tuple(fc.nat(60_000), fc.nat(4000)),
    ),
    { maxLength: 60, size: 'max' },
  )
  .map((parts) => {
    const bytes: number[] = [];
    for (const part of parts) {
      if (part instanceof Uint8Array) bytes.push(...part);
      else if (typeof part[0] === 'number') {
        const from = Math.max(0, bytes.length - part[0]);
        bytes.push(...bytes.slice(from, from + part[1]));
      } else for (let n = 0; n < part[1]; n++) bytes.push(part[0][n % part[0].length]!);
    }
    return Uint8Array.from(bytes);
  });

const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_DEFAULT_STRATEGY } = constants;

describe('inflate', () => {
  it('gives back what zlib packed, at every level and with every strategy', () => {
    fc.assert(
      fc.property(
        content,
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom(Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE),
        fc.integer({ min: 1, max: 9 }),
        (bytes, level, strategy, memLevel) => {
          const packed = deflateRawSync(bytes, { level, strategy, memLevel });
          const pieces: number[] = [];
          const unpacked = inflate(Buffer.concat([packed, BEHIND]), pieces);
          expect(Buffer.compare(unpacked.bytes, bytes)).toBe(0);
          expect(unpacked.end).toBe(packed.length);
          for (const piece of pieces.slice(0, -1)) expect(piece).toBe(PIECE_BYTES);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('uses codes of every length that there is', () => {
    // Frequencies like Fibonacci's numbers make the deepest tree: codes of 15 bits, some literals never used.
    const bytes: number[] = [];
    for (let symbol = 0, count = 1, next = 1; symbol < 24; symbol++) {
      for (let n = 0; n < count; n++) bytes.push(symbol * 7);
      [count, next] = [next, count + next];
    }
    const packed = deflateRawSync(Uint8Array.from(bytes), { strategy: Z_HUFFMAN_ONLY, memLevel: 9 });
    expect(Buffer.compare(inflate(Buffer.concat([packed, BEHIND])).bytes, Uint8Array.from(bytes))).toBe(0);
  });

  it('agrees with zlib on damaged streams: the same bytes, or an InflateError', () => {
    let refused = 0;
    fc.assert(
      fc.property(
        content,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        fc.option(fc.nat(), { freq: 3 }),
        (bytes, damage, cut) => {
          const packed = deflateRawSync(bytes);
          for (const [at, value] of damage) packed[at % packed.length] = value;
          const stream = cut === null ? packed : packed.subarray(0, cut % packed.length);
          let expected: Buffer | undefined;
          try {
            expected = inflateRawSync(stream, { maxOutputLength: 1 << 24 });
          } catch {
            refused++;
          }
          try {
            const { bytes: found } = inflate(Buffer.concat([stream, BEHIND]));
            // Behind a stream that is cut off zlib sees the end, this one the bytes of the trailer.
            if (expected !== undefined) expect(Buffer.compare(found, expected)).toBe(0);
          } catch (error) {
            if (!(error instanceof InflateError)) throw error;
            expect(expected).toBeUndefined();
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(refused).toBeGreaterThan(50);
  });

  it('answers any bytes with bytes or an InflateError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (stream) => {
        try {
          inflate(stream);
        } catch (error) {
          if (!(error instanceof InflateError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('stops as soon as the sink has enough', () => {
    const packed = deflateRawSync(new Uint8Array(10 * PIECE_BYTES));
    let calls = 0;
    const end = new Inflater(Buffer.concat([packed, BEHIND]), 0, () => ++calls < 3).run();
    expect([end, calls]).toEqual([undefined, 3]);
  });
});
