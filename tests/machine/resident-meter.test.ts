import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ResidentMeter } from '../../src/machine/resident-meter.ts';

const PAGE = 4096;

it('pages that hold anything are counted, whatever is written and cleared, once each had its turn', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.array(fc.tuple(fc.nat(300 * PAGE), fc.boolean()), { maxLength: 50 }), { maxLength: 5 }),
      (pages, rounds) => {
        const bytes = new Uint8Array(pages * PAGE);
        const meter = new ResidentMeter();
        for (const round of rounds) {
          for (const [at, set] of round) bytes[at % bytes.length] = set ? 1 : 0;
          meter.look(bytes.buffer, Infinity);
          let expected = 0;
          for (let page = 0; page < pages; page++) {
            if (bytes.subarray(page * PAGE, (page + 1) * PAGE).some((byte) => byte !== 0)) expected += PAGE;
          }
          expect(meter.bytes).toBe(expected);
        }
      },
    ),
  );
});

it('a look takes no longer than it may, and the next goes on where it ended', () => {
  const bytes = new Uint8Array(4096 * PAGE);
  for (let page = 0; page < 4096; page++) bytes[page * PAGE + PAGE - 1] = 1;
  const meter = new ResidentMeter();
  let looks = 0;
  let last = 0;
  while (meter.bytes < bytes.length) {
    meter.look(bytes.buffer, 0);
    expect(meter.bytes - last).toBe(32 * PAGE);
    last = meter.bytes;
    looks++;
  }
  expect(looks).toBe(128);
});

it('memory that has been replaced by a larger one keeps what is known of it', () => {
  const small = new Uint8Array(2 * PAGE).fill(1);
  const meter = new ResidentMeter();
  meter.look(small.buffer, Infinity);
  const large = new Uint8Array(64 * PAGE);
  large.set(small);
  meter.look(large.buffer, 0);
  expect(meter.bytes).toBe(2 * PAGE);
});
