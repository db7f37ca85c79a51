import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/hypervisor/errors.ts';
import { formatSize, parseMemory, parseSize } from '../../src/hypervisor/size.ts';

describe('a size', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['12b', 12],
    ['64k', 65536],
    ['64KiB', 65536],
    ['256M', 268435456],
    ['512m', 536870912],
    ['512MB', 536870912],
    ['1G', 1073741824],
    ['1.5g', 1610612736],
    [' 2 G ', 2147483648],
    ['1t', 1099511627776],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'M', '-1', '1,5G', '12Q', '0x10', '1e3', '256 M M', '9999999999999999999', '0.3k', 'NaN'])(
    "'%s' is refused by name",
    (text) => {
      expect(() => parseSize(text)).toThrow(OptionError);
      expect(() => parseSize(text)).toThrow(`'${text}' is not a size`);
    },
  );

  it('reads back what formatSize writes', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 1_000_000 }),
        fc.constantFrom(1, 1024, 1024 ** 2, 1024 ** 3),
        (count, unit) => {
          expect(parseSize(formatSize(count * unit))).toBe(count * unit);
        },
      ),
    );
  });
});

describe('the memory of a machine', () => {
  it('lies between 16M and 3G in whole MiB', () => {
    expect(parseMemory('16M')).toBe(16 * 1024 ** 2);
    expect(parseMemory('3G')).toBe(3 * 1024 ** 3);
    expect(parseMemory(128 * 1024 ** 2)).toBe(128 * 1024 ** 2);
    for (const wrong of [
      '15M',
      '3073M',
      '4G',
      '20000k',
      '17000001',
      Number.NaN,
      1.5,
      -1,
      Number.POSITIVE_INFINITY,
    ]) {
      expect(() => parseMemory(wrong)).toThrow(OptionError);
    }
  });

  it('suggests the unit that was left out', () => {
    expect(() => parseMemory('256')).toThrow('did you mean 256M?');
  });
});
