// Hot code that the translator has taken over, where privilege, translation and timers change under it: the outcome
// must be the interpreter's, instruction for instruction.
import { describe, expect, it } from 'vitest';
import { bne, compare, ENGINES } from './both-engines.ts';
import * as CSR from './csr-numbers.ts';
import { CAUSE, STATUS } from './csr-numbers.ts';
import { CODE, DATA, M_HANDLER, newHart, poke, RAM, S, U } from './harness.ts';
import * as I from './instructions.ts';
import { PageTables, PTE, RWX } from './page-tables.ts';

describe('hot code', () => {
  it('sees a PTE that it changes itself, after sfence.vma', () => {
    const va = 0x10_0000_0000n;
    compare(
      (hart) => {
        const tables = new PageTables(hart);
        tables.map(BigInt(RAM), RAM, RWX, 2);
        const slot = tables.map(va, DATA, RWX);
        tables.enable();
        hart.write64(DATA, 1n);
        hart.write64(DATA + 0x1000, 1000n);
        // x10: the PTE's address, x11 and x12 its two values, swapped each round; x13 the page; x14 the sum.
        hart.setX(10, slot);
        hart.setX(11, hart.read64(slot));
        hart.setX(12, hart.read64(slot) + (1n << 10n));
        hart.setX(13, va);
        hart.setX(6, 3000);
        const padding = Array.from({ length: 20 }, () => I.addi(18, 18, 1));
        const body = [I.load(8, 15, 13), add(14, 14, 15), I.store(8, 12, 10), I.sfenceVma(13)];
        const swap = [I.addi(16, 12, 0), I.addi(12, 11, 0), I.addi(11, 16, 0)];
        hart.program([...padding, ...body, ...swap, I.addi(5, 5, 1), bne(-112), I.LOOP], S);
      },
      [9000, 20_000, 20_000, 70_000],
    );
  });

  it('obeys SUM as it toggles it', () => {
    const va = 0x10_0000_0000n;
    compare(
      (hart) => {
        const tables = new PageTables(hart);
        tables.map(BigInt(RAM), RAM, RWX, 2);
        tables.map(va, DATA, RWX | PTE.U);
        tables.enable();
        // The handler skips the load that was refused.
        poke(hart.core, M_HANDLER, [
          I.csrr(20, CSR.MEPC),
          I.addi(20, 20, 4),
          I.csrw(CSR.MEPC, 20),
          I.addi(21, 21, 1),
          I.MRET,
        ]);
        hart.setX(13, va);
        hart.setX(17, STATUS.SUM);
        hart.setX(6, -1);
        hart.program(
          [
            ...Array.from({ length: 20 }, () => I.addi(18, 18, 1)),
            I.csrrs(0, CSR.SSTATUS, 17),
            I.load(8, 15, 13),
            I.csrrc(0, CSR.SSTATUS, 17),
            I.load(8, 16, 13),
            I.addi(5, 5, 1),
            bne(-100),
          ],
          S,
        );
      },
      [20_000, 3333, 20_000],
    );
  });

  it('is refused to U-mode on a page of S-mode, however hot it is', () => {
    for (const [, hotThreshold] of ENGINES) {
      const hart = newHart({ hotThreshold });
      const tables = new PageTables(hart);
      tables.map(BigInt(RAM), RAM, RWX, 2);
      tables.enable();
      hart.setX(6, -1);
      hart.program([I.addi(5, 5, 1), I.addi(7, 7, 1), bne(-8)], S);
      hart.core.run(50_000);
      if (hotThreshold) expect(hart.core.counters().translatedInstructions).toBeGreaterThan(1000);
      hart.core.hart.privilege = U;
      hart.core.hart.pc = BigInt(CODE);
      hart.core.run(10_000);
      expect(hart.csr(CSR.MCAUSE)).toBe(CAUSE.FETCH_PAGE);
      expect(hart.csr(CSR.MTVAL)).toBe(BigInt(CODE));
    }
  });

  it('is illegal again as soon as mstatus.FS is off', () => {
    compare(
      (hart) => {
        poke(hart.core, M_HANDLER, [I.addi(21, 21, 1), I.csrrs(0, CSR.MSTATUS, 17), I.MRET]);
        hart.setX(17, STATUS.FS);
        hart.setX(6, -1);
        hart.setCsr(CSR.MSTATUS, STATUS.FS | STATUS.MPP);
        hart.program([
          I.fmvDX(1, 5),
          I.faddD(2, 1, 2),
          ...Array.from({ length: 12 }, () => I.addi(18, 18, 1)),
          I.addi(5, 5, 1),
          I.csrrc(0, CSR.MSTATUS, 17),
          bne(-64),
        ]);
      },
      [30_000, 5000],
    );
  });

  it('is refused once PMP closes its page, and goes on when PMP opens it', () => {
    for (const [, hotThreshold] of ENGINES) {
      const hart = newHart({ hotThreshold });
      hart.setX(6, -1);
      hart.program([I.addi(5, 5, 1), I.addi(7, 7, 1), bne(-8)], S);
      hart.core.run(50_000);
      hart.setCsr(CSR.PMPCFG0, 0x1bn);
      const { pc } = hart.core.hart;
      hart.core.run(1);
      expect([hart.csr(CSR.MCAUSE), hart.csr(CSR.MEPC)]).toEqual([CAUSE.FETCH_ACCESS, pc]);
      hart.setCsr(CSR.PMPCFG0, 0x1fn);
      hart.core.hart.privilege = S;
      hart.core.hart.pc = pc;
      hart.core.run(30_000);
      expect(hart.core.hart.privilege).toBe(S);
      expect(hart.core.instructions).toBe(80_000);
    }
  });
});

const add = (rd: number, rs1: number, rs2: number): number =>
  ((rs2 << 20) | (rs1 << 15) | (rd << 7) | 0x33) >>> 0;
