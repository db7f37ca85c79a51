// What sfence.vma, satp and mode changes must make visible. Privileged architecture 1.12, section 4.2.1.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as CSR from './csr-numbers.ts';
import { CAUSE, ENVCFG, STATUS } from './csr-numbers.ts';
import { CODE, DATA, type Hart, newHart, S, U } from './harness.ts';
import { addi, csrw, load, sfenceVma, sinvalVma, store } from './instructions.ts';
import { PageTables, PTE, RWX, SCHEMES, TABLES } from './page-tables.ts';

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

describe('mappings of every address space (G)', () => {
  /** Space 1 is that of `prepare`; space 2 shares all of its tables but for one page of 4 KiB, `local`. */
  function spaces(): {
    hart: Hart;
    tables: PageTables;
    enter(space: 1 | 2): void;
    local: bigint;
    mapTwo(pa: number): void;
  } {
    const { hart, tables } = prepare();
    const local = (7n << 30n) + 0x5000n; // beside VA's entry in the TLB
    const satp = hart.csr(CSR.SATP);
    const [root, middle, leaf] = [0, 1, 2].map((page) => TABLES + 0x10_0000 + page * 4096) as [
      number,
      number,
      number,
    ];
    const pointer = (to: number) => (BigInt(to / 4096) << 10n) | PTE.V;
    const enter = (space: 1 | 2) => {
      for (let at = 0; at < 4096; at += 8) hart.write64(root + at, hart.read64(TABLES + at));
      hart.write64(root + 7 * 8, pointer(middle));
      hart.write64(middle, pointer(leaf));
      const value = space === 1 ? satp : (8n << 60n) | (2n << 44n) | BigInt(root / 4096);
      hart.setX(9, value);
      expect(hart.execute([csrw(CSR.SATP, 9)], S)).toBeUndefined();
    };
    return {
      hart,
      tables,
      enter,
      local,
      mapTwo: (pa) => hart.write64(leaf + 5 * 8, (BigInt(pa / 4096) << 10n) | RWX),
    };
  }

  it('stay in the TLB over a write of satp and a fence of an address space, and others do not', () => {
    const { hart, tables, enter, local } = spaces();
    tables.map(VA, ONE, RWX | PTE.G);
    tables.map(local, TWO);
    /** Page walks of a load, the code's page being in the TLB. */
    const walks = (va: bigint) => {
      hart.execute([addi(8, 8, 0)], S);
      const before = hart.core.counters().pageWalks;
      valueAt(hart, va);
      return hart.core.counters().pageWalks - before;
    };
    expect([walks(VA), walks(VA), walks(local), walks(local)]).toEqual([1, 0, 1, 0]);
    enter(1);
    expect([walks(VA), walks(local)]).toEqual([0, 1]);
    fence(hart, sfenceVma(0, 6));
    expect([walks(VA), walks(local)]).toEqual([0, 1]);
    fence(hart, sfenceVma());
    expect([walks(VA), walks(local)]).toEqual([1, 1]);
    hart.setCsr(CSR.SATP, 0n);
    hart.setCsr(CSR.SATP, (8n << 60n) | BigInt(TABLES / 4096));
    expect(walks(VA)).toBe(1);
  });

  it('are told from those of one space, whatever was touched in which order', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.record({
              kind: fc.constant('enter' as const),
              space: fc.constantFrom(1 as const, 2 as const),
            }),
            fc.record({ kind: fc.constant('read' as const), page: fc.integer({ min: 0, max: 5 }) }),
            fc.record({
              kind: fc.constant('map' as const),
              page: fc.integer({ min: 0, max: 5 }),
              global: fc.boolean(),
              frame: fc.constantFrom(ONE, TWO),
            }),
          ),
          { maxLength: 40 },
        ),
        (steps) => {
          const { hart, tables, enter, local, mapTwo } = spaces();
          // Pages 0 to 3 are the same in both spaces; 8,192 pages apart, they share entries of the TLB. 4 is each's own.
          const address = (page: number) => (page < 4 ? VA + (BigInt(page) << 25n) : local);
          const frames = new Map<number, number>();
          tables.map(local, ONE);
          mapTwo(TWO);
          let space: 1 | 2 = 1;
          enter(1);
          for (const step of steps) {
            if (step.kind === 'enter') {
              space = step.space;
              enter(space);
            } else if (step.kind === 'map' && step.page < 4) {
              tables.map(address(step.page), step.frame, step.global ? RWX | PTE.G : RWX);
              frames.set(step.page, step.frame);
              enter(space);
              fence(hart, sfenceVma(5), address(step.page));
            } else {
              const frame = step.page < 4 ? frames.get(step.page) : space === 1 ? ONE : TWO;
              const value = frame === undefined ? 'cause 13' : frame === ONE ? 1n : 2n;
              expect(valueAt(hart, address(step.page))).toBe(value);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('without a fence', () => {
  it('a page made valid is seen by loads, stores and fetches that just failed (Svvptc)', () => {
    const { hart, tables } = prepare();
    tables.map(VA, ONE, 0n);
    expect(valueAt(hart, VA)).toBe('cause 13');
    tables.map(VA, ONE);
    expect(valueAt(hart, VA)).toBe(1n);

    const second = VA + 0x1000n;
    hart.setX(5, second);
    expect(hart.execute([store(8, 0, 5)], S)?.cause).toBe(CAUSE.STORE_PAGE);
    tables.map(second, TWO);
    hart.setX(5, second);
    expect(hart.execute([store(8, 0, 5)], S)).toBeUndefined();
    expect(hart.read64(TWO)).toBe(0n);

    const third = VA + 0x2000n;
    hart.core.hart.privilege = S;
    hart.core.hart.pc = third;
    expect(hart.step()?.cause).toBe(CAUSE.FETCH_PAGE);
    hart.write64(TWO, BigInt(addi(8, 0, 33)));
    tables.map(third, TWO);
    hart.core.hart.privilege = S;
    hart.core.hart.pc = third;
    expect(hart.step()).toBeUndefined();
    expect(hart.x(8)).toBe(33n);
  });

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
