// A hart's state as bytes, and the marks on pages that were written.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  loadBytes,
  StateFormatError,
  StateReader,
  StateWriter,
  saveBytes,
} from '../../src/core/state-bytes.ts';
import { pagesIn } from '../support/saved-machine.ts';
import { bne, ENGINES } from './both-engines.ts';
import * as CSR from './csr-numbers.ts';
import { CODE, DATA, type Hart, newHart, RAM, S } from './harness.ts';
import { addi, amoadd, LOOP, sc, store } from './instructions.ts';

const PAGE = 4096;
const pageOf = (address: number) => (address - RAM) / PAGE;

describe('bytes of a saved state', () => {
  it('come back as they were written', () => {
    const value = fc.oneof(
      fc.record({ kind: fc.constant('u8' as const), value: fc.nat(0xff) }),
      fc.record({ kind: fc.constant('u16' as const), value: fc.nat(0xffff) }),
      fc.record({ kind: fc.constant('u32' as const), value: fc.nat(0xffff_ffff) }),
      fc.record({ kind: fc.constant('count' as const), value: fc.maxSafeNat() }),
      fc.record({ kind: fc.constant('u64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
      fc.record({ kind: fc.constant('text' as const), value: fc.string({ unit: 'grapheme' }) }),
      fc.record({ kind: fc.constant('block' as const), value: fc.uint8Array({ maxLength: 600 }) }),
    );
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const writer = new StateWriter();
        for (const each of values) (writer[each.kind] as (value: unknown) => void)(each.value);
        const reader = new StateReader(writer.finish(), 1);
        for (const each of values) expect(reader[each.kind]()).toEqual(each.value);
        reader.end();
      }),
    );
  });

  it('are refused when they are cut off, too many, or no value of their kind', () => {
    const of = (...bytes: number[]) => new StateReader(Uint8Array.from(bytes), 1);
    expect(() => of(1, 2, 3).u32()).toThrow(StateFormatError);
    expect(() => of(2).flag()).toThrow(StateFormatError);
    expect(() => of(9).u8(8)).toThrow(/9 is more than 8/);
    expect(() => of(0, 0, 0, 0, 0, 0, 0, 0xff).count()).toThrow(StateFormatError);
    expect(() => of(0, 0, 0, 0, 0, 0, 0xf0, 0x7f).f64()).toThrow(StateFormatError);
    expect(() => of(0xff, 0xff, 0xff, 0xff).block()).toThrow(StateFormatError);
    expect(() => of(0xff, 0xff, 0xff, 0x7f, 1).list(2 ** 31, () => 0)).toThrow(/items in fewer bytes/);
    expect(() => of(1).end()).toThrow(/1 bytes too many/);
    expect(() => new StateWriter().u16(0x1_0000)).toThrow(RangeError);
  });
});

describe('a saved hart', () => {
  const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const anyState = fc.record({
    x: fc.array(bits, { minLength: 31, maxLength: 31 }),
    f: fc.array(bits, { minLength: 32, maxLength: 32 }),
    csrs: fc.array(fc.tuple(fc.nat(0xfff), bits), { maxLength: 40 }),
    pc: bits,
    mode: fc.constantFrom(0 as const, 1 as const, 3 as const),
    timers: fc.tuple(bits, bits),
  });
  const csrs = (hart: Hart) =>
    Array.from({ length: 0x1000 }, (_, csr) => (csr === CSR.TIME ? 0n : hart.core.hart.readCsr(csr)));

  it('goes on in another core with the same registers, CSRs, mode and counters', () => {
    fc.assert(
      fc.property(anyState, ({ x, f, csrs: writes, pc, mode, timers }) => {
        const from = newHart({ ramBytes: 1 << 20 });
        const { core } = from;
        for (const [index, value] of x.entries()) core.hart.setX(index + 1, value);
        for (const [index, value] of f.entries()) core.hart.setF(index, value);
        for (const [csr, value] of writes) core.hart.writeCsr(csr, value);
        core.hart.pc = pc & ~1n;
        core.hart.privilege = mode;
        [core.hart.mtimecmp, core.hart.stimecmp] = timers;
        core.hart.setInterruptLine('sei', true);
        const bytes = saveBytes(core);
        const to = newHart({ ramBytes: 1 << 20 });
        loadBytes(to.core, bytes)();
        expect(saveBytes(to.core)).toEqual(bytes);
        expect(csrs(to)).toEqual(csrs(from));
        expect([to.core.hart.pc, to.core.hart.privilege]).toEqual([pc & ~1n, mode]);
        expect([to.core.hart.mtimecmp, to.core.hart.stimecmp]).toEqual(timers);
        for (let index = 0; index < 32; index++) {
          expect([to.x(index), to.core.hart.getF(index)]).toEqual([from.x(index), f[index]]);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('is refused with bits changed, or runs without a fault of ours', () => {
    const from = newHart({ ramBytes: 1 << 20 });
    from.program([addi(5, 5, 1), store(8, 5, 6), LOOP], S);
    from.setX(6, DATA);
    const good = saveBytes(from.core);
    let taken = 0;
    const to = newHart({ ramBytes: 1 << 20 });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = good.slice();
        bytes[at]! ^= flip;
        to.core.reset();
        const before = saveBytes(to.core);
        let takeOver: () => void;
        try {
          takeOver = loadBytes(to.core, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(StateFormatError);
          expect(saveBytes(to.core)).toEqual(before);
          return;
        }
        taken++;
        takeOver();
        expect(saveBytes(to.core)).toEqual(bytes);
        for (let run = 0; run < 3; run++) to.core.run(1000);
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  it('is refused with an odd pc, and when it was cut off', () => {
    const { core } = newHart({ ramBytes: 1 << 20 });
    const bytes = saveBytes(core);
    expect(() => loadBytes(core, bytes.subarray(0, bytes.length - 1))).toThrow(StateFormatError);
    // x1 to x31 and f0 to f31 come first, then four words, then pc.
    bytes[63 * 8 + 16]! |= 1;
    expect(() => loadBytes(core, bytes)).toThrow(StateFormatError);
  });
});

describe('pages that were written', () => {
  /** Stores to each address in turn, `rounds` times over; x5 counts, x6 is the limit. */
  function storing(hart: Hart, addresses: readonly number[], rounds: number): void {
    const body = addresses.flatMap((_, index) => {
      const register = 8 + index;
      return [store(8, 5, register), amoadd(8, 0, register, 5), sc(8, 7, register, 5)];
    });
    hart.program([...body, addi(5, 5, 1), bne(-4 * (body.length + 1)), LOOP], S);
    hart.setX(5, 0);
    hart.setX(6, rounds);
    for (const [index, address] of addresses.entries()) hart.setX(8 + index, address);
    // Code is translated between two runs.
    for (let left = rounds * (body.length + 2) + 10; left > 0; left -= 2500) hart.core.run(2500);
  }

  it.each(ENGINES)(
    'are marked, and no others, each time that the marks are taken (%s)',
    (_name, hotThreshold) => {
      const hart = newHart({ hotThreshold, ramBytes: 4 << 20 });
      hart.core.takeDirtyPages();
      const address = fc.integer({ min: 1, max: 500 }).map((page) => DATA + page * PAGE + (page % 500) * 8);
      fc.assert(
        fc.property(fc.array(address, { minLength: 1, maxLength: 16 }), (addresses) => {
          const pages = [...new Set(addresses.map((at) => Math.floor(pageOf(at))))].sort((a, b) => a - b);
          for (let time = 0; time < 2; time++) {
            hart.core.takeDirtyPages();
            storing(hart, addresses, 2000);
            const dirty = pagesIn(hart.core.takeDirtyPages());
            expect(dirty.filter((page) => page !== pageOf(CODE))).toEqual(pages);
            expect(pagesIn(hart.core.takeDirtyPages())).toEqual([]);
          }
        }),
        { numRuns: 30 },
      );
      if (hotThreshold) expect(hart.core.counters().translatedInstructions).toBeGreaterThan(1000);
    },
  );

  it('are marked when the host writes them', () => {
    const { core } = newHart({ ramBytes: 1 << 20 });
    core.takeDirtyPages();
    core.ram.fill(1, 5 * PAGE - 1, 7 * PAGE);
    core.noteRamWritten(5 * PAGE - 1, 2 * PAGE + 1);
    expect(pagesIn(core.takeDirtyPages())).toEqual([4, 5, 6]);
  });

  it('are found when they hold anything at all', () => {
    const { core } = newHart({ ramBytes: 1 << 20 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat((1 << 20) - 1), { maxLength: 20 }), (places) => {
        core.ram.fill(0);
        for (const place of places) core.ram[place] = 0x80;
        const pages = [...new Set(places.map((place) => Math.floor(place / PAGE)))].sort((a, b) => a - b);
        expect(pagesIn(core.nonZeroPages())).toEqual(pages);
      }),
    );
  });
});
