// What sfence.vma, satp and mode changes must make visible. Privileged architecture 1.12, section 4.2.1.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as CSR from './csr-numbers.ts';
import { CAUSE, ENVCFG, STATUS } from './csr-numbers.ts';
import { CODE, DATA, type Hart, newHart, S, U } from './harness.ts';
import { addi, load, sfenceVma, sinvalVma, store } from './instructions.ts';
import { PageTables, PTE, RWX, SCHEMES } from './page-tables.ts';

const VA = 0x20_0000_0000n;
const ONE = DATA;
const TWO = DATA + 0x20_0000;

/** S-mode with its code mapped one to one; two frames that hold 1 and 2. */
function prepare(scheme: (typeof SCHEMES)[number] = SCHEMES[0]): { hart: Hart; tables: PageTables } {
  const hart = newHart();
  const tables = new PageTables(hart, scheme);
  tables.map(BigInt(CODE), CODE);
  tables.enable();
  hart.write64(ONE, 1n);
  hart.write64(TWO, 2n);
  return { hart, tables };
}
/** The value at a virtual address as S-mode loads it, or the cause of the trap. */
function valueAt(hart: Hart, va: bigint): bigint | string {
  hart.setX(5, va);
  const trap = hart.execute([load(8, 7, 5)], S);
  return trap ? `cause ${trap.cause}` : hart.x(7);
}
function fence(hart: Hart, word: number, va = 0n): void {
  hart.setX(5, va);
  hart.setX(6, 1);
  expect(hart.execute([word], S)).toBeUndefined();
}

describe('after a PTE has changed', () => {
  const fences: [string, number][] = [
    ['sfence.vma', sfenceVma()],
    ['sfence.vma of the address', sfenceVma(5)],
    ['sfence.vma of the address and address space', sfenceVma(5, 6)],
    ['sfence.vma of the address space', sfenceVma(0, 6)],
    ['sinval.vma of the address', sinvalVma(5)],
  ];
  it.each(fences)('%s shows loads the new one', (_, word) => {
    const { hart, tables } = prepare();
    tables.map(VA, ONE);
    expect(valueAt(hart, VA)).toBe(1n);
    tables.map(VA, TWO);
    fence(hart, word, VA);
    expect(valueAt(hart, VA)).toBe(2n);
    tables.map(VA, TWO, 0n);
    fence(hart, word, VA);
    expect(valueAt(hart, VA)).toBe('cause 13');
  });

  it.each(fences)('%s shows it stores and fetches too', (_, word) => {
    const { hart, tables } = prepare();
    tables.map(VA, ONE);
    hart.setX(5, VA);
    hart.setX(6, 9);
    hart.execute([store(8, 6, 5)], S);
    tables.map(VA, TWO);
    fence(hart, word, VA);
    hart.setX(5, VA);
    hart.setX(6, 8);
    hart.execute([store(8, 6, 5)], S);
    expect([hart.read64(ONE), hart.read64(TWO)]).toEqual([9n, 8n]);

    hart.write64(ONE, BigInt(addi(8, 0, 11)));
    hart.write64(TWO, BigInt(addi(8, 0, 22)));
    hart.core.hart.pc = VA;
    hart.step();
    tables.map(VA, ONE);
    fence(hart, word, VA);
    hart.core.hart.pc = VA;
    hart.step();
    expect(hart.x(8)).toBe(11n);
  });

  it('sfence.vma of any address in a superpage ends all that was cut from it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2),
        fc.array(fc.bigInt({ min: 0n, max: 0x1ffn }), { minLength: 1, maxLength: 20 }),
        fc.bigInt({ min: 0n, max: 0x1ffn }),
        (level, touched, fenced) => {
          const { hart, tables } = prepare();
          const bytes = 1n << BigInt(12 + 9 * level);
          const va = 5n << 30n;
          // Frames at 0x8000_0000 and, unmapped, nowhere.
          tables.map(va, 0x8000_0000n, RWX, level);
          for (const page of touched) expect(valueAt(hart, va + (page << 12n))).not.toBe('cause 13');
          tables.map(va, 0x8000_0000n, 0n, level);
          fence(hart, sfenceVma(5), va + ((fenced << 12n) % bytes));
          for (const page of touched) expect(valueAt(hart, va + (page << 12n))).toBe('cause 13');
        },
      ),
      { numRuns: 30 },
    );
  });

  it('sfence.vma of any address in a 64 KiB page ends its other parts', () => {
    const { hart, tables } = prepare();
    for (let page = 0n; page < 16n; page++) tables.map(VA + (page << 12n), ONE + 0x8000, RWX | PTE.N);
    expect(valueAt(hart, VA + 0x3000n)).toBe(0n);
    for (let page = 0n; page < 16n; page++) tables.map(VA + (page << 12n), ONE, 0n);
    fence(hart, sfenceVma(5), VA + 0x9000n);
    expect(valueAt(hart, VA + 0x3000n)).toBe('cause 13');
  });

  it('sfence.vma of all ends more entries than the TLB has', () => {
    const { hart, tables } = prepare();
    for (let page = 0n; page < 1500n; page++) {
      tables.map(VA + (page << 12n), ONE);
      expect(valueAt(hart, VA + (page << 12n))).toBe(1n);
    }
    for (let page = 0n; page < 1500n; page++) tables.map(VA + (page << 12n), TWO);
    fence(hart, sfenceVma());
    for (let page = 0n; page < 1500n; page++) expect(valueAt(hart, VA + (page << 12n))).toBe(2n);
  });

  it('sfence.vma of one address by the hundred leaves no other address wrong', () => {
    const { hart, tables } = prepare();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 4095n }), fc.boolean()), { maxLength: 200 }),
        (steps) => {
          for (const [page, second] of steps) {
            const va = VA + (page << 12n);
            tables.map(va, second ? TWO : ONE);
            fence(hart, sfenceVma(5), va);
            expect(valueAt(hart, va)).toBe(second ? 2n : 1n);
          }
        },
      ),
      { numRuns: 10 },
    );
  });
});

describe('without a fence', () => {
  it('a write of satp changes address space', () => {
    const { hart, tables } = prepare();
    tables.map(VA, ONE);
    expect(valueAt(hart, VA)).toBe(1n);
    const before = hart.csr(CSR.SATP);
    hart.setCsr(CSR.SATP, 0n);
    expect(valueAt(hart, VA)).toBe('cause 5');
    hart.setCsr(CSR.SATP, before);
    expect(valueAt(hart, VA)).toBe(1n);
  });

  it('SUM, MXR and the mode take effect at once, on pages already in use', () => {
    const { hart, tables } = prepare();
    tables.map(VA, ONE, RWX | PTE.U);
    tables.map(VA + 0x1000n, TWO, PTE.V | PTE.X | PTE.A);
    const both = () => [valueAt(hart, VA), valueAt(hart, VA + 0x1000n)];
    const results: unknown[] = [];
    for (const status of [0n, STATUS.SUM, STATUS.MXR, STATUS.SUM | STATUS.MXR, 0n]) {
      hart.setCsr(CSR.SSTATUS, status);
      results.push(both());
    }
    const no = 'cause 13';
    expect(results).toEqual([
      [no, no],
      [1n, no],
      [no, 2n],
      [1n, 2n],
      [no, no],
    ]);
  });

  it('a page in use by S-mode stays closed to U-mode, and the other way round', () => {
    const { hart, tables } = prepare();
    tables.map(VA, ONE);
    tables.map(BigInt(CODE), CODE, RWX);
    expect(valueAt(hart, VA)).toBe(1n);
    tables.map(BigInt(CODE), CODE, RWX | PTE.U);
    fence(hart, 0x13, 0n);
    hart.setCsr(CSR.SATP, hart.csr(CSR.SATP));
    hart.setX(5, VA);
    expect(hart.execute([load(8, 7, 5)], U)?.cause).toBe(CAUSE.LOAD_PAGE);
    expect(hart.execute([load(8, 7, 5)], S)?.cause).toBe(CAUSE.FETCH_PAGE);
  });

  it('menvcfg.ADUE and PBMTE take effect at once', () => {
    const { hart, tables } = prepare();
    const slot = tables.map(VA, ONE, PTE.V | PTE.R | PTE.W | PTE.X);
    hart.setCsr(CSR.MENVCFG, 0n);
    expect(valueAt(hart, VA)).toBe('cause 13');
    hart.setCsr(CSR.MENVCFG, ENVCFG.ADUE);
    expect(valueAt(hart, VA)).toBe(1n);
    expect(hart.read64(slot) & (PTE.A | PTE.D)).toBe(PTE.A);
  });

  it('a store after a load marks the page dirty', () => {
    const { hart, tables } = prepare();
    const slot = tables.map(VA, ONE, PTE.V | PTE.R | PTE.W);
    expect(valueAt(hart, VA)).toBe(1n);
    expect(hart.read64(slot) & (PTE.A | PTE.D)).toBe(PTE.A);
    hart.setX(5, VA);
    hart.execute([store(8, 0, 5)], S);
    expect(hart.read64(slot) & (PTE.A | PTE.D)).toBe(PTE.A | PTE.D);
  });
});
