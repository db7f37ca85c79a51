// The page-table walk: who may access a page, A and D, superpages, reserved encodings. Privileged architecture 1.12,
// sections 4.3 to 4.6, Svnapot 1.0, Svpbmt 1.0, Svadu 1.0.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Privilege } from '../../src/core/core-types.ts';
import * as CSR from './csr-numbers.ts';
import { CAUSE, ENVCFG, STATUS } from './csr-numbers.ts';
import { CODE, DATA, type Hart, M, newHart, S, type Trap, U } from './harness.ts';
import { load, NOP, store } from './instructions.ts';
import { PageTables, PTE, RWX, SCHEMES } from './page-tables.ts';

type Access = 'load' | 'store' | 'fetch';
const PAGE_FAULT = { load: CAUSE.LOAD_PAGE, store: CAUSE.STORE_PAGE, fetch: CAUSE.FETCH_PAGE } as const;
const ACCESS_FAULT = {
  load: CAUSE.LOAD_ACCESS,
  store: CAUSE.STORE_ACCESS,
  fetch: CAUSE.FETCH_ACCESS,
} as const;
const VA = 0x12_3456_7000n;
/** What stores leave: two instructions without effect, so that a fetch there goes well. */
const STORED = 0x0020001300100013n;

/** One access at a virtual address as `mode`: loads and stores by M-mode with MPRV, fetches by the mode itself. */
function access(hart: Hart, kind: Access, va: bigint, mode: Privilege, status = 0n): Trap | undefined {
  if (kind === 'fetch') {
    hart.setCsr(CSR.MSTATUS, status);
    hart.core.hart.pc = BigInt.asUintN(64, va);
    hart.core.hart.privilege = mode;
    return hart.step();
  }
  hart.setCsr(CSR.MSTATUS, status | STATUS.MPRV | (BigInt(mode) << 11n));
  hart.setX(5, va);
  hart.setX(6, STORED);
  return hart.execute([kind === 'load' ? load(8, 7, 5) : store(8, 6, 5)]);
}

function prepare(scheme: (typeof SCHEMES)[number] = SCHEMES[0]): { hart: Hart; tables: PageTables } {
  const hart = newHart();
  const tables = new PageTables(hart, scheme);
  tables.enable();
  for (let at = 0; at < 4096; at += 4) hart.core.ram.set([NOP & 0xff, 0, 0, 0], DATA - 0x8000_0000 + at);
  hart.core.noteRamWritten(DATA - 0x8000_0000, 4096);
  return { hart, tables };
}

/** The specification's steps 5 to 9, as a table of refusals. */
function refused(
  kind: Access,
  mode: Privilege,
  flags: bigint,
  status: bigint,
  hardwareDirty: boolean,
): boolean {
  if (!(flags & PTE.V) || (!(flags & PTE.R) && flags & PTE.W)) return true;
  if (!(flags & (PTE.R | PTE.X))) return true; // a pointer at the last level
  const right = { load: flags & PTE.R, store: flags & PTE.W, fetch: flags & PTE.X }[kind];
  const asExecutable = kind === 'load' && status & STATUS.MXR && flags & PTE.X;
  if (!right && !asExecutable) return true;
  if (mode === U && !(flags & PTE.U)) return true;
  if (mode === S && flags & PTE.U && (kind === 'fetch' || !(status & STATUS.SUM))) return true;
  const marks = kind === 'store' ? PTE.A | PTE.D : PTE.A;
  return (flags & marks) !== marks && !hardwareDirty;
}

describe.each(SCHEMES.map((scheme) => [scheme.name, scheme] as const))('%s', (_, scheme) => {
  it('grants what V, R, W, X, U, A, D, SUM, MXR and ADUE grant, and marks A and D', () => {
    const { hart } = prepare(scheme);
    fc.assert(
      fc.property(
        fc.constantFrom<Access>('load', 'store', 'fetch'),
        fc.constantFrom<Privilege>(S, U),
        fc.integer({ min: 0, max: 255 }).map(BigInt),
        fc.constantFrom(0n, STATUS.SUM, STATUS.MXR, STATUS.SUM | STATUS.MXR),
        fc.boolean(),
        fc.constantFrom(...Array.from({ length: scheme.levels }, (_level, level) => level)),
        (kind, mode, flags, status, hardwareDirty, level) => {
          // A valid pointer above the last level leads on: that is another test.
          if (level > 0 && flags & PTE.V && !(flags & (PTE.R | PTE.W | PTE.X))) return;
          const root = new PageTables(hart, scheme);
          // A superpage's frame begins at physical 0: its bytes at DATA are those at VA's low bits = DATA.
          const va = level ? BigInt(DATA) % (1n << BigInt(12 + 9 * level)) : VA;
          const frame = level ? BigInt(DATA) - va : BigInt(DATA);
          const slot = root.map(va, frame, flags, level);
          hart.setCsr(CSR.MENVCFG, hardwareDirty ? ENVCFG.ADUE : 0n);
          root.enable();
          const trap = access(hart, kind, va, mode, status);
          const pte = hart.read64(slot);
          if (refused(kind, mode, flags, status, hardwareDirty)) {
            expect([trap?.cause, trap?.tval]).toEqual([PAGE_FAULT[kind], va]);
            expect(pte & 0xffn).toBe(flags);
          } else {
            expect(trap).toBeUndefined();
            expect(pte & 0xffn).toBe(flags | PTE.A | (kind === 'store' ? PTE.D : 0n));
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('reaches the same byte by a leaf at every level', () => {
    for (let level = 0; level < scheme.levels; level++) {
      const { hart, tables } = prepare(scheme);
      const bytes = 1n << BigInt(12 + 9 * level);
      const va = (3n * bytes) | (BigInt(DATA) % bytes);
      tables.map(va, BigInt(DATA) - (BigInt(DATA) % bytes), RWX, level);
      hart.write64(DATA + 0x128, 0xfeedn);
      expect(access(hart, 'load', va + 0x128n, S)).toBeUndefined();
      expect(hart.x(7)).toBe(0xfeedn);
    }
  });

  it('refuses a superpage whose frame is not aligned to its size', () => {
    for (let level = 1; level < scheme.levels; level++) {
      for (let bit = 0; bit < 9 * level; bit++) {
        const { hart, tables } = prepare(scheme);
        tables.map(0n, 1n << BigInt(12 + bit), RWX, level);
        expect(access(hart, 'load', 0x1000n, S)?.cause).toBe(CAUSE.LOAD_PAGE);
      }
    }
  });

  it('refuses addresses whose upper bits do not repeat the top one', () => {
    const { hart, tables } = prepare(scheme);
    const top = BigInt(12 + 9 * scheme.levels);
    const high = -(1n << (top - 1n));
    tables.map(BigInt.asUintN(64, high), DATA);
    tables.map(0n, DATA);
    expect(access(hart, 'load', high, S)).toBeUndefined();
    expect(access(hart, 'load', 0n, S)).toBeUndefined();
    for (let bit = top; bit < 64n; bit++) {
      for (const kind of ['load', 'store', 'fetch'] as const) {
        for (const va of [1n << bit, BigInt.asUintN(64, high) ^ (1n << bit)]) {
          const trap = access(hart, kind, va, S);
          expect([trap?.cause, trap?.tval]).toEqual([PAGE_FAULT[kind], va]);
        }
      }
    }
  });

  it('reads its tables from RAM only: elsewhere is an access fault of the original access', () => {
    for (let level = 0; level < scheme.levels - 1; level++) {
      for (const outside of [0x1000_0000n, 0x8040_0000n, (1n << 56n) - 4096n]) {
        const { hart, tables } = prepare(scheme);
        const pointer = tables.slot(VA, level + 1);
        hart.write64(pointer, ((outside >> 12n) << 10n) | PTE.V);
        for (const kind of ['load', 'store', 'fetch'] as const) {
          const trap = access(hart, kind, VA, S);
          expect([trap?.cause, trap?.tval]).toEqual([ACCESS_FAULT[kind], VA]);
        }
      }
    }
  });
});

describe('reserved encodings', () => {
  const loadOf = (flags: bigint, environment = ENVCFG.ADUE) => {
    const { hart, tables } = prepare();
    hart.setCsr(CSR.MENVCFG, environment);
    tables.map(VA, DATA, flags);
    return access(hart, 'load', VA, S)?.cause;
  };
  it('bits 54 to 60 of a leaf are page faults', () => {
    for (let bit = 54n; bit <= 60n; bit++) expect(loadOf(RWX | (1n << bit))).toBe(CAUSE.LOAD_PAGE);
    expect(loadOf(RWX | (3n << 8n) | PTE.G)).toBeUndefined();
  });
  it('memory types need menvcfg.PBMTE, and 3 is none', () => {
    for (const type of [PTE.NC, PTE.IO]) {
      expect(loadOf(RWX | type)).toBe(CAUSE.LOAD_PAGE);
      expect(loadOf(RWX | type, ENVCFG.PBMTE)).toBeUndefined();
    }
    expect(loadOf(RWX | PTE.NC | PTE.IO, ENVCFG.PBMTE)).toBe(CAUSE.LOAD_PAGE);
  });
  it('a pointer with D, A, U, N or a memory type is a page fault', () => {
    for (const extra of [PTE.D, PTE.A, PTE.U, PTE.N, PTE.NC, PTE.IO, 1n << 54n]) {
      const { hart, tables } = prepare();
      hart.setCsr(CSR.MENVCFG, ENVCFG.PBMTE);
      tables.map(VA, DATA);
      const pointer = tables.slot(VA, 1);
      hart.write64(pointer, hart.read64(pointer) | extra);
      expect(access(hart, 'load', VA, S)?.cause).toBe(CAUSE.LOAD_PAGE);
    }
  });
  it('a pointer at the last level is a page fault', () => {
    expect(loadOf(PTE.V)).toBe(CAUSE.LOAD_PAGE);
  });
});

describe('Svnapot', () => {
  it('maps 64 KiB by any of sixteen entries with 1000 in the low bits of the frame', () => {
    const { hart, tables } = prepare();
    const frame = BigInt(DATA);
    for (let page = 0n; page < 16n; page++) {
      tables.map(VA - 0x7000n + (page << 12n), frame | 0x8000n, RWX | PTE.N);
      hart.write64(DATA + Number(page << 12n), page + 100n);
    }
    for (let page = 0n; page < 16n; page++) {
      expect(access(hart, 'load', VA - 0x7000n + (page << 12n), S)).toBeUndefined();
      expect(hart.x(7)).toBe(page + 100n);
    }
  });
  it('has no other size, and none for superpages', () => {
    for (let low = 0n; low < 16n; low++) {
      if (low === 8n) continue;
      const { hart, tables } = prepare();
      tables.map(VA, BigInt(DATA) + (low << 12n), RWX | PTE.N);
      expect(access(hart, 'load', VA, S)?.cause).toBe(CAUSE.LOAD_PAGE);
    }
    const { hart, tables } = prepare();
    tables.map(0n, 0x8000_0000n, RWX | PTE.N, 1);
    expect(access(hart, 'load', 0x1000n, S)?.cause).toBe(CAUSE.LOAD_PAGE);
  });
});

describe('MPRV', () => {
  it('gives M-mode’s loads and stores, not its fetches, the translation and rights of MPP', () => {
    const { hart, tables } = prepare();
    tables.map(VA, DATA, RWX | PTE.U);
    hart.write64(DATA, 42n);
    expect(access(hart, 'load', VA, U)).toBeUndefined();
    expect(hart.x(7)).toBe(42n);
    expect(access(hart, 'load', VA, S)?.cause).toBe(CAUSE.LOAD_PAGE);
    expect(access(hart, 'load', VA, S, STATUS.SUM)).toBeUndefined();
    expect(access(hart, 'load', BigInt(DATA), M)).toBeUndefined();
    expect(hart.x(7)).toBe(42n);
  });
  it('a page fault under it is M-mode’s, with M-mode as the mode before', () => {
    const { hart } = prepare();
    hart.setCsr(CSR.MEDELEG, 0xb3ffn);
    const trap = access(hart, 'store', VA, S);
    expect(trap).toEqual({ to: M, cause: CAUSE.STORE_PAGE, tval: VA, epc: BigInt(CODE) });
    expect((hart.csr(CSR.MSTATUS) & STATUS.MPP) >> 11n).toBe(3n);
  });
});

describe('an access over two pages', () => {
  const at = VA + 0x1000n - 4n;
  const second = VA + 0x1000n;
  it('reads and writes both frames', () => {
    const { hart, tables } = prepare();
    tables.map(VA, DATA + 0x3000);
    tables.map(second, DATA + 0x1000);
    expect(access(hart, 'store', at, S)).toBeUndefined();
    expect(access(hart, 'load', at, S)).toBeUndefined();
    expect(hart.x(7)).toBe(STORED);
    expect(hart.read64(DATA + 0x3ff8) >> 32n).toBe(STORED & 0xffffffffn);
    expect(hart.read64(DATA + 0x1000) & 0xffffffffn).toBe(STORED >> 32n);
  });
  it('faults with the second page’s address when only that is missing, and writes nothing', () => {
    for (const kind of ['load', 'store'] as const) {
      const { hart, tables } = prepare();
      tables.map(VA, DATA + 0x3000);
      const before = hart.read64(DATA + 0x3ff8);
      expect(access(hart, kind, at, S)).toMatchObject({ cause: PAGE_FAULT[kind], tval: second });
      expect(hart.read64(DATA + 0x3ff8)).toBe(before);
    }
  });
  it('faults with its own address when the first page is missing', () => {
    for (const kind of ['load', 'store'] as const) {
      const { hart, tables } = prepare();
      tables.map(second, DATA);
      expect(access(hart, kind, at, S)).toMatchObject({ cause: PAGE_FAULT[kind], tval: at });
    }
  });
  it('as a fetch faults with the second page’s address and the instruction’s own pc', () => {
    const { hart, tables } = prepare();
    tables.map(VA, DATA);
    hart.core.ram.set([0x13, 0x00], DATA - 0x8000_0000 + 0xffe);
    hart.core.noteRamWritten(DATA - 0x8000_0000 + 0xffe, 2);
    const pc = VA + 0xffen;
    expect(access(hart, 'fetch', pc, S)).toMatchObject({ cause: CAUSE.FETCH_PAGE, tval: second, epc: pc });
    tables.map(second, DATA + 0x2000);
    expect(access(hart, 'fetch', pc, S)).toBeUndefined();
    expect(hart.core.hart.pc).toBe(pc + 4n);
  });
});

describe('bare addresses', () => {
  it('outside RAM and devices are access faults with the whole address', () => {
    for (const va of [0n, 0x7fff_fff8n, 0x8040_0000n, 1n << 63n, CSR.ALL_ONES - 7n, 0x1_8000_0000n]) {
      for (const kind of ['load', 'store', 'fetch'] as const) {
        const hart = newHart();
        const trap = access(hart, kind, va, S);
        expect([trap?.cause, trap?.tval]).toEqual([ACCESS_FAULT[kind], va]);
      }
    }
  });
});
