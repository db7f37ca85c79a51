// Physical memory protection against a model written from the specification. Privileged architecture 1.12, section
// 3.7.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Privilege } from '../../src/core/core-types.ts';
import * as CSR from './csr-numbers.ts';
import { CAUSE, STATUS } from './csr-numbers.ts';
import { CODE, DATA, type Hart, M, MODES, newHart, poke, S, U } from './harness.ts';
import { addi, amoadd, cboZero, jalr, LOOP, load, lr, NOP, store } from './instructions.ts';
import { PageTables, RWX } from './page-tables.ts';

const R = 1;
const W = 2;
const X = 4;
const TOR = 1 << 3;
const NA4 = 2 << 3;
const NAPOT = 3 << 3;
const L = 0x80;

interface Entry {
  config: number;
  address: bigint;
}

function setEntries(hart: Hart, entries: readonly Entry[]): void {
  for (const [index, { address }] of entries.entries()) hart.setCsr(CSR.PMPADDR0 + index, address);
  for (const [csr, first] of [
    [CSR.PMPCFG0, 0],
    [CSR.PMPCFG2, 8],
  ] as const) {
    let value = 0n;
    for (let at = 0; at < 8; at++) value |= BigInt(entries[first + at]?.config ?? 0) << BigInt(8 * at);
    hart.setCsr(csr, value);
  }
}
const napot = (base: number, bytes: number, config: number): Entry => ({
  address: (BigInt(base) >> 2n) | (BigInt(bytes) / 8n - 1n),
  config: NAPOT | config,
});
const EVERYTHING: Entry = { address: (1n << 54n) - 1n, config: NAPOT | R | W | X };

/** The bytes an entry matches, byte by byte as the specification's table 3.10 has them. */
function matches(entries: readonly Entry[], index: number, byte: bigint): boolean {
  const { config, address } = entries[index]!;
  const word = byte >> 2n;
  switch (config & 0x18) {
    case TOR:
      return word < address && word >= (index ? entries[index - 1]!.address : 0n);
    case NA4:
      return word === address;
    case NAPOT: {
      let ones = 0n;
      while ((address >> ones) & 1n) ones++;
      return word >> (ones + 1n) === address >> (ones + 1n);
    }
    default:
      return false;
  }
}

function allowed(
  entries: readonly Entry[],
  mode: Privilege,
  right: number,
  address: number,
  size: number,
): boolean {
  const bytes = Array.from({ length: size }, (_, at) => BigInt(address + at));
  for (let index = 0; index < entries.length; index++) {
    const hits = bytes.filter((byte) => matches(entries, index, byte)).length;
    if (hits === 0) continue;
    if (hits < size) return false;
    const { config } = entries[index]!;
    if (mode === M && !(config & L)) return true;
    return (config & right) !== 0;
  }
  return mode === M;
}

describe('an access', () => {
  // A small window within a page, so that edges meet. (An access over two pages is checked as two.)
  const window = DATA + 0x100;
  const word = fc.integer({ min: 0, max: 16 }).map((at) => BigInt(window / 4 + at));
  const config = fc
    .record({
      mode: fc.constantFrom(0, TOR, NA4, NAPOT),
      rights: fc.constantFrom(0, R, X, R | W, R | X, R | W | X),
    })
    .map(({ mode, rights }) => mode | rights);
  const entry: fc.Arbitrary<Entry> = fc.record({ config, address: word });

  it('by MPRV is allowed exactly where the first entry that matches any byte matches all and grants it', () => {
    const hart = newHart();
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        fc.constantFrom<Privilege>(U, S, M),
        fc.constantFrom<1 | 2 | 4 | 8>(1, 2, 4, 8),
        fc.integer({ min: -8, max: 72 }),
        fc.boolean(),
        (some, background, mode, size, at, write) => {
          const entries = background ? [...some, EVERYTHING] : some;
          setEntries(hart, [
            ...entries,
            ...Array.from({ length: 16 - entries.length }, () => ({ config: 0, address: 0n })),
          ]);
          hart.setCsr(CSR.MSTATUS, STATUS.MPRV | (BigInt(mode) << 11n));
          hart.setX(5, window + at);
          const trap = hart.execute([write ? store(size, 6, 5) : load(size, 7, 5)]);
          if (allowed(entries, mode, write ? W : R, window + at, size)) expect(trap).toBeUndefined();
          else {
            const cause = write ? CAUSE.STORE_ACCESS : CAUSE.LOAD_ACCESS;
            expect([trap?.cause, trap?.tval]).toEqual([cause, BigInt(window + at)]);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('is checked in M-mode too by a locked entry', () => {
    for (const rights of [0, R, R | W, X, R | X]) {
      const hart = newHart({});
      setEntries(hart, [napot(DATA, 64, rights | L), EVERYTHING]);
      hart.setX(5, DATA);
      expect(hart.execute([load(8, 7, 5)]) === undefined).toBe((rights & R) !== 0);
      expect(hart.execute([store(8, 7, 5)]) === undefined).toBe((rights & W) !== 0);
    }
  });

  it('by an atomic needs write permission and faults as a store', () => {
    const hart = newHart();
    setEntries(hart, [napot(DATA, 4096, R), EVERYTHING]);
    hart.setX(5, DATA);
    expect(hart.execute([amoadd(8, 7, 5, 6)], S)).toMatchObject({
      cause: CAUSE.STORE_ACCESS,
      tval: BigInt(DATA),
    });
    expect(hart.execute([lr(8, 7, 5)], S)).toBeUndefined();
  });

  it('of a cache block needs all of it', () => {
    const hart = newHart();
    setEntries(hart, [{ config: NA4 | R | W, address: BigInt(DATA + 60) >> 2n }, EVERYTHING]);
    hart.setX(5, DATA);
    expect(hart.execute([cboZero(5)], M)).toMatchObject({ cause: CAUSE.STORE_ACCESS });
    hart.setX(5, DATA + 64);
    expect(hart.execute([cboZero(5)], M)).toBeUndefined();
  });
});

describe('without a matching entry', () => {
  it('M-mode may do everything, S- and U-mode nothing', () => {
    for (const mode of MODES) {
      const hart = newHart();
      setEntries(hart, []);
      hart.setCsr(CSR.PMPCFG0, 0n);
      const trap = hart.execute([NOP], mode);
      if (mode === M) expect(trap).toBeUndefined();
      else expect(trap).toMatchObject({ cause: CAUSE.FETCH_ACCESS, tval: BigInt(CODE) });
    }
  });
});

describe('a fetch', () => {
  it('stops at the first instruction that lies outside, within a page', () => {
    for (const bytes of [8, 16, 64, 4096]) {
      const hart = newHart();
      poke(
        hart.core,
        CODE,
        Array.from({ length: 1100 }, () => NOP),
      );
      setEntries(hart, [napot(CODE, bytes, X)]);
      hart.core.hart.pc = BigInt(CODE);
      hart.core.hart.privilege = U;
      hart.step(bytes / 4 + 1);
      expect(hart.csr(CSR.MTVAL)).toBe(BigInt(CODE + bytes));
      expect(hart.csr(CSR.MEPC)).toBe(BigInt(CODE + bytes));
      expect(hart.core.instructions).toBe(bytes / 4);
    }
  });

  it('of an instruction that ends outside faults with the address of its second half', () => {
    const hart = newHart();
    // c.nop, then a 4-byte instruction whose upper half is beyond the region.
    poke(hart.core, CODE, Uint8Array.of(0x01, 0, 0x01, 0, 0x01, 0, 0x13, 0, 0, 0));
    setEntries(hart, [napot(CODE, 8, X)]);
    hart.core.hart.pc = BigInt(CODE + 6);
    hart.core.hart.privilege = S;
    expect(hart.step()).toMatchObject({
      cause: CAUSE.FETCH_ACCESS,
      tval: BigInt(CODE + 8),
      epc: BigInt(CODE + 6),
    });
  });

  it('needs X, and data in the same region does not', () => {
    const hart = newHart();
    setEntries(hart, [napot(CODE, 4096, R | W), EVERYTHING]);
    expect(hart.execute([NOP], S)).toMatchObject({ cause: CAUSE.FETCH_ACCESS });
    expect(hart.execute([NOP], M)).toBeUndefined();
  });

  it('runs loops and jumps right in a page that an entry cuts', () => {
    const hart = newHart();
    setEntries(hart, [napot(CODE + 0x800, 16, 0), EVERYTHING]);
    hart.setX(5, CODE);
    poke(hart.core, CODE + 8, [LOOP]);
    hart.program([addi(6, 6, 1), jalr(0, 5)], U);
    hart.core.run(200);
    expect([hart.x(6), hart.core.hart.pc]).toEqual([100n, BigInt(CODE)]);
  });

  it('sees a change of PMP at once, in code already executed', () => {
    const hart = newHart();
    expect(hart.execute([NOP], S)).toBeUndefined();
    hart.setCsr(CSR.PMPCFG0, BigInt(NAPOT | R | W));
    expect(hart.execute([NOP], S)).toMatchObject({ cause: CAUSE.FETCH_ACCESS });
    hart.setCsr(CSR.PMPCFG0, BigInt(NAPOT | R | W | X));
    expect(hart.execute([NOP], S)).toBeUndefined();
  });
});

describe('the page-table walk', () => {
  it('is an access of S-mode: a table that PMP closes is an access fault of the original access', () => {
    const hart = newHart();
    const tables = new PageTables(hart);
    tables.map(BigInt(DATA), DATA, RWX);
    tables.map(BigInt(CODE), CODE, RWX);
    tables.enable();
    setEntries(hart, [napot(tables.root, 4096, 0), EVERYTHING]);
    expect(hart.execute([NOP], S)).toMatchObject({ cause: CAUSE.FETCH_ACCESS, tval: BigInt(CODE) });
    hart.setCsr(CSR.MSTATUS, STATUS.MPRV | STATUS.MPP_S);
    hart.setX(5, DATA);
    expect(hart.execute([store(8, 6, 5)])).toMatchObject({ cause: CAUSE.STORE_ACCESS, tval: BigInt(DATA) });
  });
  it('may read a table that is read-only, but not set A or D in it', () => {
    const hart = newHart();
    const tables = new PageTables(hart);
    const slot = tables.map(BigInt(DATA), DATA, RWX & ~0x80n);
    tables.enable();
    setEntries(hart, [napot(Math.floor(slot / 4096) * 4096, 4096, R), EVERYTHING]);
    hart.setCsr(CSR.MSTATUS, STATUS.MPRV | STATUS.MPP_S);
    hart.setX(5, DATA);
    expect(hart.execute([load(8, 7, 5)])).toBeUndefined();
    expect(hart.execute([store(8, 6, 5)])).toMatchObject({ cause: CAUSE.STORE_ACCESS, tval: BigInt(DATA) });
    expect(hart.read64(slot) & 0x80n).toBe(0n);
  });
});

describe('a locked entry', () => {
  it('keeps its configuration and address until reset', () => {
    const hart = newHart({});
    hart.setCsr(CSR.PMPADDR0 + 1, 0x2000_0123n);
    hart.setCsr(CSR.PMPCFG0, BigInt((NA4 | R | L) << 8) | 0x1fn);
    hart.setCsr(CSR.PMPADDR0 + 1, 5n);
    hart.setCsr(CSR.PMPCFG0, 0n);
    expect(hart.csr(CSR.PMPADDR0 + 1)).toBe(0x2000_0123n);
    expect(hart.csr(CSR.PMPCFG0)).toBe(BigInt((NA4 | R | L) << 8));
    hart.core.reset();
    expect([hart.csr(CSR.PMPADDR0 + 1), hart.csr(CSR.PMPCFG0)]).toEqual([0n, 0n]);
  });
  it('of top-of-range kind locks the address below it too, another kind does not', () => {
    for (const [mode, locked] of [
      [TOR, true],
      [NA4, false],
      [NAPOT, false],
      [0, false],
    ] as const) {
      const hart = newHart({});
      hart.setCsr(CSR.PMPADDR0 + 1, 0x1000n);
      hart.setCsr(CSR.PMPCFG0, BigInt((mode | L) << 16) | 0x1fn);
      hart.setCsr(CSR.PMPADDR0 + 1, 0x2000n);
      expect(hart.csr(CSR.PMPADDR0 + 1)).toBe(locked ? 0x1000n : 0x2000n);
    }
  });
});

describe('pmpcfg', () => {
  it('never holds W without R, and has no bits 5 and 6', () => {
    const hart = newHart();
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: CSR.ALL_ONES }), (value) => {
        hart.core.reset();
        hart.setCsr(CSR.PMPCFG2, value & ~0x8080808080808080n);
        const read = hart.csr(CSR.PMPCFG2);
        for (let at = 0n; at < 8n; at++) {
          const wanted = Number((value >> (8n * at)) & 0x1fn);
          const got = Number((read >> (8n * at)) & 0xffn);
          expect(got & (R | W)).not.toBe(W);
          expect(got & ~(R | W)).toBe(wanted & ~(R | W));
          if ((wanted & (R | W)) !== W) expect(got).toBe(wanted);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('an empty top-of-range entry', () => {
  it('matches nothing, not even an access across its place', () => {
    const hart = newHart();
    setEntries(hart, [
      { config: 0, address: BigInt(DATA + 8) >> 2n },
      { config: TOR, address: BigInt(DATA + 4) >> 2n },
      { config: NAPOT | R | W | X, address: (1n << 54n) - 1n },
    ]);
    hart.setX(5, DATA + 6);
    expect(hart.execute([load(8, 7, 5)], S)).toBeUndefined();
  });
});
