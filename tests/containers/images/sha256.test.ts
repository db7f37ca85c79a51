import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Sha256 } from '../../../src/containers/images/sha256.ts';

it('SHA-256 of bytes in pieces of any size is what Node says it is of all of them', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }), (pieces) => {
      const hash = new Sha256();
      const expected = createHash('sha256');
      for (const piece of pieces) {
        hash.update(piece);
        expected.update(piece);
      }
      expect(hash.hex()).toBe(expected.digest('hex'));
    }),
    { numRuns: 300 },
  );
});

it('every length around the ends of blocks is padded as it must be', () => {
  for (let length = 0; length <= 200; length++) {
    const bytes = new Uint8Array(length).fill(length);
    const hash = new Sha256();
    hash.update(bytes);
    expect(hash.hex(), String(length)).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
});
