import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c, crc32cState } from '../../src/storage/crc32c.ts';

const ascii = (text: string) => new TextEncoder().encode(text);

// RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRCs.
test.each([
  [ascii('123456789'), 0xe306_9283],
  [new Uint8Array(32), 0x8a91_36aa],
  [new Uint8Array(32).fill(0xff), 0x62a8_ab43],
  [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd_794e],
  [Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113f_db5c],
  [new Uint8Array(), 0],
])('the CRC-32C of a published example is as published', (bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test('the CRC of a whole is that of its parts, one after the other, at any place', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
      const state = crc32cState(crc32cState(0xffff_ffff, bytes.subarray(0, cut)), bytes.subarray(cut));
      expect(~state >>> 0).toBe(crc32c(bytes));
    }),
  );
});
