// LR/SC reservations and the alignment of atomics. Unprivileged ISA, chapter 8 (A extension).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAUSE } from './csr-numbers.ts';
import { DATA, type Hart, newHart, S } from './harness.ts';
import { amoadd, ECALL, lr, NOP, sc, store } from './instructions.ts';
import { PageTables, RWX } from './page-tables.ts';

/** x5 = DATA, x6 = 7; the result of the last sc goes to x8. */
function run(words: readonly number[], prepare: (hart: Hart) => void = () => {}): Hart {
  const hart = newHart();
  hart.setX(5, DATA);
  hart.setX(6, 7);
  hart.setX(8, 99);
  prepare(hart);
  expect(hart.execute(words)).toBeUndefined();
  return hart;
}

describe('sc', () => {
  it('succeeds after lr of the same address and stores', () => {
    for (const size of [4, 8] as const) {
      const hart = run([lr(size, 7, 5), sc(size, 8, 5, 6)], (h) => h.write64(DATA, 0x8000000080000001n));
      expect(hart.x(8)).toBe(0n);
      expect(hart.x(7)).toBe(size === 4 ? 0xffffffff80000001n : 0x8000000080000001n);
      expect(hart.read64(DATA)).toBe(size === 4 ? 0x8000000000000007n : 7n);
    }
  });
  it('fails without lr, and stores nothing', () => {
    const hart = run([sc(8, 8, 5, 6)]);
    expect([hart.x(8), hart.read64(DATA)]).toEqual([1n, 0n]);
  });
  it('fails after another sc, whether that failed or not', () => {
    expect(run([lr(8, 7, 5), sc(8, 9, 5, 6), sc(8, 8, 5, 6)]).x(8)).toBe(1n);
    const hart = run([lr(8, 7, 5), sc(8, 9, 10, 6), sc(8, 8, 5, 6)], (h) => h.setX(10, DATA + 64));
    expect([hart.x(9), hart.x(8), hart.read64(DATA + 64)]).toEqual([1n, 1n, 0n]);
  });
  it('pairs with the latest lr only', () => {
    const hart = run([lr(8, 7, 5), lr(8, 7, 10), sc(8, 8, 5, 6)], (h) => h.setX(10, DATA + 64));
    expect([hart.x(8), hart.read64(DATA)]).toEqual([1n, 0n]);
  });
  it('fails when the host has written the place in between, and only there', () => {
    for (const [offset, result] of [
      [0, 1n],
      [7, 1n],
      [8, 0n],
      [-1, 0n],
    ] as const) {
      const hart = newHart();
      hart.setX(5, DATA);
      hart.execute([lr(8, 7, 5)]);
      hart.core.noteRamWritten(DATA - 0x8000_0000 + offset, 1);
      hart.execute([sc(8, 8, 5, 6)]);
      expect(hart.x(8)).toBe(result);
    }
  });
  it('knows the reservation by physical address', () => {
    const hart = newHart();
    const tables = new PageTables(hart);
    for (const va of [0x10_0000_0000n, 0x20_0000_0000n]) tables.map(va, DATA, RWX);
    tables.map(0x30_0000_0000n, DATA + 0x1000, RWX);
    tables.map(0x8000_1000n, 0x8000_1000n, RWX);
    tables.enable();
    hart.setX(5, 0x10_0000_0000n);
    hart.setX(10, 0x30_0000_0000n);
    hart.execute([lr(8, 7, 5), sc(8, 8, 10, 6)], S);
    expect(hart.x(8)).toBe(1n);
  });
  it('in a loop with a store to other memory still succeeds', () => {
    const hart = run([lr(8, 7, 5), store(8, 6, 5, 256), sc(8, 8, 5, 6)]);
    expect([hart.x(8), hart.read64(DATA), hart.read64(DATA + 256)]).toEqual([0n, 7n, 7n]);
  });
});

describe('a misaligned atomic', () => {
  it('raises load address misaligned for lr, store address misaligned for sc and amo', () => {
    const hart = newHart();
    fc.assert(
      fc.property(fc.constantFrom<4 | 8>(4, 8), fc.integer({ min: 1, max: 7 }), (size, offset) => {
        if (offset % size === 0) return;
        hart.setX(5, DATA + offset);
        const tval = BigInt(DATA + offset);
        expect(hart.execute([lr(size, 7, 5)])).toMatchObject({ cause: CAUSE.LOAD_MISALIGNED, tval });
        expect(hart.execute([sc(size, 7, 5, 6)])).toMatchObject({ cause: CAUSE.STORE_MISALIGNED, tval });
        expect(hart.execute([amoadd(size, 7, 5, 6)])).toMatchObject({ cause: CAUSE.STORE_MISALIGNED, tval });
      }),
    );
  });
});

describe('an atomic on a missing page', () => {
  it('is a load page fault for lr, a store page fault for amo', () => {
    const hart = newHart();
    const tables = new PageTables(hart);
    tables.map(0x8000_1000n, 0x8000_1000n, RWX);
    tables.enable();
    hart.setX(5, 0x10_0000_0008n);
    expect(hart.execute([lr(8, 7, 5)], S)).toMatchObject({ cause: CAUSE.LOAD_PAGE, tval: 0x10_0000_0008n });
    expect(hart.execute([amoadd(4, 7, 5, 6)], S)).toMatchObject({
      cause: CAUSE.STORE_PAGE,
      tval: 0x10_0000_0008n,
    });
  });
});

describe('an atomic on a device', () => {
  it('is an access fault and does not touch the device', () => {
    const hart = newHart();
    hart.host.registers.set(0x1000_0000, 5n);
    hart.setX(5, 0x1000_0000);
    expect(hart.execute([lr(4, 7, 5)])).toMatchObject({ cause: CAUSE.LOAD_ACCESS });
    expect(hart.execute([amoadd(4, 7, 5, 6)])).toMatchObject({ cause: CAUSE.STORE_ACCESS });
    expect(hart.host.writes).toEqual([]);
  });
});

describe('a reservation', () => {
  it('ends at reset', () => {
    const hart = newHart({});
    hart.setX(5, DATA);
    expect(hart.execute([NOP, lr(8, 7, 5)])).toBeUndefined();
    hart.core.reset();
    hart.setX(5, DATA);
    hart.execute([sc(8, 8, 5, 6), ECALL]);
    expect(hart.x(8)).toBe(1n);
  });
});
