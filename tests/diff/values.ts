// Register and memory contents that hurt: limits of integer types, every class of floating-point number, NaN boxes that
// are right, wrong and nearly right.

import { specials } from '../float/operands.ts';
import { F16, F32, F64, type Format, widthOf } from '../float/oracle.ts';
import type { Random } from './random.ts';

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

const INTEGERS: readonly bigint[] = [
  ...[0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff].map(BigInt),
  ...[31n, 32n, 63n].flatMap((bit) => [(1n << bit) - 1n, 1n << bit, (1n << bit) + 1n, u64(-(1n << bit))]),
  u64(-1n),
  u64(-2n),
  0xffff_ffff_0000_0000n,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_7fff_ffffn,
  0x0123_4567_89ab_cdefn,
  0xaaaa_aaaa_aaaa_aaaan,
  0x00ff_0001_8000_7f00n,
];

/** 64 bits for an integer register. */
export function integerValue(random: Random): bigint {
  switch (random.below(6)) {
    case 0:
      return random.long();
    case 1:
      return random.long() >> BigInt(random.below(64));
    case 2:
      return u64(-(random.long() >> BigInt(random.below(64))));
    case 3: // an interesting 32-bit value under random upper bits
      return ((random.long() >> 32n) << 32n) | (random.pick(INTEGERS) & 0xffff_ffffn);
    default:
      return random.pick(INTEGERS);
  }
}

const SPECIALS = new Map([F16, F32, F64].map((format) => [format, specials(format)]));

function number(random: Random, format: Format): bigint {
  if (random.once(2)) return random.pick(SPECIALS.get(format)!);
  if (random.once(3)) return BigInt.asUintN(widthOf(format), random.long());
  // A number of moderate size, so that sums cancel and conversions to integers stay in range.
  const bias = (1 << (format.exponent - 1)) - 1;
  const exponent = BigInt(Math.min(2 * bias, Math.max(0, bias + random.between(-12, 66))));
  const fraction = BigInt.asUintN(format.fraction, random.long() << BigInt(random.below(format.fraction)));
  const sign = BigInt(random.below(2)) << BigInt(widthOf(format) - 1);
  return sign | (exponent << BigInt(format.fraction)) | fraction;
}

/** 64 bits for a floating-point register: a double, or a NaN-boxed single or half, or a box with a bit wrong. */
export function floatValue(random: Random): bigint {
  const kind = random.below(8);
  if (kind < 3) return number(random, F64);
  const format = kind < 6 ? F32 : F16;
  const width = BigInt(widthOf(format));
  const boxed = u64(-1n << width) | number(random, format);
  if (kind < 7 && !random.once(8)) return boxed;
  return boxed ^ (1n << (width + BigInt(random.below(64 - Number(width)))));
}

/** 64 bits for memory, where integers and floating-point numbers are both loaded from. */
export const memoryValue = (random: Random): bigint =>
  random.once(2) ? integerValue(random) : floatValue(random);
