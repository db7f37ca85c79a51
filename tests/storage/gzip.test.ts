import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gunzip, isGzip } from '../../src/storage/gzip.ts';

const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));
const LIMIT = 1 << 20;

describe('gunzip', () => {
  it('gives back what was packed, in a buffer that holds nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300_000, size: 'max' }), async (content) => {
        const packed = gzip(content);
        expect(isGzip(packed)).toBe(true);
        const whole = await gunzip(packed, LIMIT);
        expect(Buffer.compare(whole, content)).toBe(0);
        expect(whole.buffer.byteLength).toBe(content.length);
      }),
      { numRuns: 20 },
    );
  });

  it('takes a view into a larger buffer', async () => {
    const packed = gzip(Buffer.from('within'));
    const larger = new Uint8Array(packed.length + 20);
    larger.set(packed, 7);
    expect(Buffer.from(await gunzip(larger.subarray(7, 7 + packed.length), LIMIT)).toString()).toBe('within');
  });

  it('stops at the limit, whatever the trailer says', async () => {
    const bomb = gzip(Buffer.alloc(5_000_000));
    await expect(gunzip(bomb, LIMIT)).rejects.toThrow(RangeError);
    expect((await gunzip(gzip(Buffer.alloc(LIMIT)), LIMIT)).length).toBe(LIMIT);
    const modest = bomb.slice();
    new DataView(modest.buffer).setUint32(modest.length - 4, 10, true);
    await expect(gunzip(modest, LIMIT)).rejects.toThrow();
  });

  it('refuses what is cut off or damaged', async () => {
    const packed = gzip(Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251)));
    for (const end of [3, 10, packed.length >> 1, packed.length - 9, packed.length - 1]) {
      await expect(gunzip(packed.slice(0, end), LIMIT)).rejects.toThrow();
    }
    const damaged = packed.slice();
    damaged[damaged.length - 6]! ^= 0xff;
    await expect(gunzip(damaged, LIMIT)).rejects.toThrow();
  });
});
