import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GzipError, gunzip, gunzipInto, gunzipStart, isGzip } from '../../src/storage/gzip.ts';

const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));
const LIMIT = 1 << 20;

describe('gunzip', () => {
  it('gives back what was packed, in a buffer that holds nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300_000, size: 'max' }), (content) => {
        const packed = gzip(content);
        expect(isGzip(packed)).toBe(true);
        const whole = gunzip(packed, LIMIT);
        expect(Buffer.compare(whole, content)).toBe(0);
        expect(whole.buffer.byteLength).toBe(content.length);
      }),
      { numRuns: 20 },
    );
  });

  it('takes a view into a larger buffer', () => {
    const packed = gzip(Buffer.from('within'));
    const larger = new Uint8Array(packed.length + 20);
    larger.set(packed, 7);
    expect(Buffer.from(gunzip(larger.subarray(7, 7 + packed.length), LIMIT)).toString()).toBe('within');
  });

  it('reads over the optional fields of the header', () => {
    const packed = gzip(Buffer.from('named'));
    const fields = Buffer.concat([
      Buffer.from([3, 0, 1, 2, 3]),
      Buffer.from('name\0comment\0'),
      Buffer.of(9, 9),
    ]);
    const header = packed.slice(0, 10);
    header[3] = 2 | 4 | 8 | 16;
    const full = new Uint8Array(Buffer.concat([header, fields, packed.subarray(10)]));
    expect(Buffer.from(gunzip(full, LIMIT)).toString()).toBe('named');
    for (let end = 10; end < 10 + fields.length; end++) {
      expect(() => gunzip(full.slice(0, end), LIMIT)).toThrow(GzipError);
    }
  });

  it('stops at the limit, whatever the trailer says', () => {
    const bomb = gzip(Buffer.alloc(5_000_000));
    expect(() => gunzip(bomb, LIMIT)).toThrow(RangeError);
    expect(gunzip(gzip(Buffer.alloc(LIMIT)), LIMIT).length).toBe(LIMIT);
    for (const size of [0, 10, 4_999_999, 5_000_001, 0xffffffff]) {
      const lying = bomb.slice();
      new DataView(lying.buffer).setUint32(lying.length - 4, size, true);
      let seen = 0;
      const count = (bytes: Uint8Array) => {
        seen += bytes.length;
      };
      expect(() => gunzipInto(lying, count)).toThrow(GzipError);
      expect(seen).toBeLessThanOrEqual(Math.min(size, 5_000_000));
    }
  });

  it('refuses what is cut off, damaged or followed by something else', () => {
    const packed = gzip(Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251)));
    for (const end of [3, 10, 17, 18, packed.length >> 1, packed.length - 9, packed.length - 1]) {
      expect(() => gunzip(packed.slice(0, end), LIMIT)).toThrow(GzipError);
    }
    for (const back of [1, 4, 5, 8]) {
      const damaged = packed.slice();
      damaged[damaged.length - back]! ^= 0x40;
      expect(() => gunzip(damaged, 1 << 30)).toThrow(GzipError);
    }
    expect(() => gunzip(new Uint8Array([...packed, 0]), LIMIT)).toThrow(GzipError);
    expect(() => gunzip(new Uint8Array([...packed, ...packed]), LIMIT)).toThrow(GzipError);
  });

  it('answers any damage with the right bytes or a GzipError', () => {
    const content = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * index) % 97));
    const packed = gzip(content);
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.nat(255), (at, value) => {
        const damaged = packed.slice();
        damaged[at] = value;
        try {
          expect(Buffer.compare(gunzip(damaged, 1 << 30), content)).toBe(0);
        } catch (error) {
          if (!(error instanceof GzipError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives the first bytes without looking at the rest', () => {
    const content = new Uint8Array(400_000).map((_, index) => index % 251);
    const packed = gzip(content);
    packed.fill(0xff, packed.length - 20);
    expect(Buffer.compare(gunzipStart(gzip(content), 70_000), content.subarray(0, 70_000))).toBe(0);
    expect(Buffer.compare(gunzipStart(gzip(content), 500_000), content)).toBe(0);
    new DataView(packed.buffer).setUint32(packed.length - 4, 400_000, true);
    expect(Buffer.compare(gunzipStart(packed, 70_000), content.subarray(0, 70_000))).toBe(0);
  });
});
