import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMac, macKey, parseMac, randomMac } from '../../src/network/mac-address.ts';

describe('a MAC address', () => {
  it('reads as it is written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
        bytes[0] = (bytes[0]! & 0xfe) | 0x02;
        const text = formatMac(bytes);
        expect(parseMac(text)).toEqual(bytes);
        expect(parseMac(text.toUpperCase().replaceAll(':', '-'))).toEqual(bytes);
        expect(macKey(bytes, 0)).toBe(Number.parseInt(text.replaceAll(':', ''), 16));
      }),
    );
  });

  it('is refused when it is none, or no one station can have it', () => {
    for (const text of ['', '02:00:00:00:00', '02:00:00:00:00:00:00', '2:0:0:0:0:0', '02:00:00:00:00:0g'])
      expect(() => parseMac(text)).toThrow(/is no MAC address/);
    expect(() => parseMac('ff:ff:ff:ff:ff:ff')).toThrow(/a group's/);
    expect(() => parseMac('00:00:00:00:00:00')).toThrow(/nobody's/);
  });

  it('made at random is one station’s, locally administered, and another each time', () => {
    const all = Array.from({ length: 100 }, () => randomMac());
    for (const mac of all) expect(mac[0]! & 3).toBe(2);
    expect(new Set(all.map(formatMac)).size).toBe(100);
  });
});
