import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DISK_HEADER_BYTES, decodeDiskHeader, encodeDiskHeader } from '../../src/storage/disk-header.ts';
import { StorageError } from '../../src/storage/storage-error.ts';

test('a header tells the size that was put into it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 37 }), (sectors) => {
      expect(decodeDiskHeader(encodeDiskHeader(sectors * 512), 'a disk')).toBe(sectors * 512);
    }),
  );
});

test('nothing, or a page of zeroes, is a disk that was never finished', () => {
  expect(decodeDiskHeader(new Uint8Array(), 'a disk')).toBeUndefined();
  expect(decodeDiskHeader(new Uint8Array(DISK_HEADER_BYTES), 'a disk')).toBeUndefined();
});

test('a header with any bit changed, or cut off, is refused by the name of its disk', () => {
  fc.assert(
    fc.property(fc.nat(31), fc.nat(7), fc.nat(31), (byte, bit, length) => {
      const header = encodeDiskHeader(2 ** 30);
      header[byte]! ^= 1 << bit;
      expect(() => decodeDiskHeader(header, 'the disk "x"')).toThrow(StorageError);
      expect(() => decodeDiskHeader(header, 'the disk "x"')).toThrow(/the disk "x"/);
      expect(() =>
        decodeDiskHeader(encodeDiskHeader(512).subarray(0, Math.max(1, length)), 'a disk'),
      ).toThrow(StorageError);
    }),
  );
});
