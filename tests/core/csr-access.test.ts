// Who may touch which CSR. Privileged architecture 1.12, chapter 2 and sections 3.1.11 and 4.1.5; Sstc 1.0.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as CSR from './csr-numbers.ts';
import { CAUSE, ENVCFG, STATUS } from './csr-numbers.ts';
import { type Hart, M, MODES, nameOf, newHart, S, tryInstruction, U } from './harness.ts';
import { csrr, csrrc, csrrci, csrrs, csrrsi, csrrw, csrrwi } from './instructions.ts';

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Everything that exists, by the lowest mode that may read it once nothing is switched off. */
const EXISTING = new Set([
  ...[CSR.FFLAGS, CSR.FRM, CSR.FCSR, ...range(0xc00, 0xc1f)],
  ...[0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141, 0x142, 0x143, 0x144, 0x14d, 0x180],
  ...[0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306, 0x30a, 0x320, ...range(0x323, 0x33f)],
  ...[0x340, 0x341, 0x342, 0x343, 0x344, 0x3a0, 0x3a2, ...range(0x3b0, 0x3bf)],
  ...[0xb00, ...range(0xb02, 0xb1f), 0xf11, 0xf12, 0xf13, 0xf14, 0xf15],
]);

/** Nothing switched off: floats, counters and stimecmp are there for every mode. */
function openAll(hart: Hart): void {
  hart.setCsr(CSR.MSTATUS, STATUS.FS_INITIAL);
  hart.setCsr(CSR.MCOUNTEREN, 0xffffffffn);
  hart.setCsr(CSR.SCOUNTEREN, 0xffffffffn);
  hart.setCsr(CSR.MENVCFG, ENVCFG.STCE);
}

describe('a CSR read', () => {
  it.each(MODES.map((mode) => [nameOf(mode), mode] as const))(
    'works in %s-mode exactly where the CSR exists and its address allows the mode',
    (_, mode) => {
      const hart = newHart();
      openAll(hart);
      const wrong: string[] = [];
      for (let csr = 0; csr < 0x1000; csr++) {
        const allowed = EXISTING.has(csr) && ((csr >> 8) & 3) <= mode;
        const word = csrr(5, csr);
        const trap = hart.execute([word], mode);
        const right = allowed ? !trap : trap?.cause === CAUSE.ILLEGAL && trap.tval === BigInt(word);
        if (!right) wrong.push(`0x${csr.toString(16)}: ${allowed ? 'refused' : 'allowed'}`);
      }
      expect(wrong).toEqual([]);
    },
  );
});

describe('a CSR write', () => {
  it('to an address with bits 11:10 set raises illegal instruction, even of the value it holds', () => {
    const hart = newHart();
    openAll(hart);
    for (const csr of [...range(0xc00, 0xc1f), 0xf11, 0xf12, 0xf13, 0xf14, 0xf15]) {
      for (const word of [csrrw(5, csr, 0), csrrs(5, csr, 6), csrrc(0, csr, 6), csrrwi(0, csr, 0)]) {
        expect(hart.execute([word])?.cause).toBe(CAUSE.ILLEGAL);
      }
      expect(hart.execute([csrrsi(5, csr, 1)])?.cause).toBe(CAUSE.ILLEGAL);
      expect(hart.execute([csrrci(5, csr, 1)])?.cause).toBe(CAUSE.ILLEGAL);
    }
  });

  it('is not one with csrrs and csrrc of x0, nor of a zero immediate', () => {
    for (const make of [csrrs, csrrc, csrrsi, csrrci]) {
      expect(tryInstruction(make(5, CSR.MHARTID, 0), M)).toBeUndefined();
    }
  });

  it('by csrrs of a register that holds zero is one', () => {
    expect(tryInstruction(csrrs(5, CSR.MHARTID, 7), M)?.cause).toBe(CAUSE.ILLEGAL);
  });

  it('that is refused leaves rd and the CSR as they were', () => {
    const hart = newHart();
    hart.setX(5, 77);
    hart.setX(6, -1);
    hart.setCsr(CSR.MSCRATCH, 11n);
    expect(hart.execute([csrrw(5, CSR.MSCRATCH, 6)], S)?.cause).toBe(CAUSE.ILLEGAL);
    expect([hart.x(5), hart.csr(CSR.MSCRATCH)]).toEqual([77n, 11n]);
  });

  it('swaps, sets and clears, and gives rd the old value', () => {
    const hart = newHart();
    const values = fc.bigInt({ min: 0n, max: CSR.ALL_ONES });
    fc.assert(
      fc.property(values, values, (old, operand) => {
        for (const [word, result] of [
          [csrrw(5, CSR.MSCRATCH, 6), operand],
          [csrrs(5, CSR.MSCRATCH, 6), old | operand],
          [csrrc(5, CSR.MSCRATCH, 6), old & ~operand],
          [csrrwi(5, CSR.MSCRATCH, 21), 21n],
          [csrrsi(5, CSR.MSCRATCH, 21), old | 21n],
          [csrrci(5, CSR.MSCRATCH, 21), old & ~21n],
        ] as const) {
          hart.setCsr(CSR.MSCRATCH, old);
          hart.setX(6, operand);
          expect(hart.execute([word])).toBeUndefined();
          expect([hart.x(5), hart.csr(CSR.MSCRATCH)]).toEqual([old, result]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('with rd equal to rs1 exchanges the two', () => {
    const hart = newHart();
    hart.setCsr(CSR.MSCRATCH, 1n);
    hart.setX(6, 2);
    hart.execute([csrrw(6, CSR.MSCRATCH, 6)]);
    expect([hart.x(6), hart.csr(CSR.MSCRATCH)]).toEqual([1n, 2n]);
  });
});

describe('counters', () => {
  const cases = range(0, 31).map((bit) => [0xc00 + bit, 1n << BigInt(bit)] as const);
  const read = (csr: number, mode: 0 | 1 | 3, machine: bigint, supervisor: bigint) =>
    tryInstruction(csrr(5, csr), mode, (hart) => {
      hart.setCsr(CSR.MCOUNTEREN, machine);
      hart.setCsr(CSR.SCOUNTEREN, supervisor);
    }) === undefined;

  it('are open to M-mode whatever the enables say', () => {
    for (const [csr] of cases) expect(read(csr, M, 0n, 0n)).toBe(true);
  });
  it('are open to S-mode by their bit of mcounteren alone', () => {
    for (const [csr, bit] of cases) {
      expect(read(csr, S, bit, 0n)).toBe(true);
      expect(read(csr, S, 0xffffffffn & ~bit, 0xffffffffn)).toBe(false);
    }
  });
  it('are open to U-mode by their bit in mcounteren and scounteren', () => {
    for (const [csr, bit] of cases) {
      expect(read(csr, U, bit, bit)).toBe(true);
      expect(read(csr, U, 0xffffffffn, 0xffffffffn & ~bit)).toBe(false);
      expect(read(csr, U, 0xffffffffn & ~bit, 0xffffffffn)).toBe(false);
    }
  });
});

describe('stimecmp', () => {
  const read = (mode: 0 | 1 | 3, environment: bigint, counteren: bigint) =>
    tryInstruction(csrr(5, CSR.STIMECMP), mode, (hart) => {
      hart.setCsr(CSR.MENVCFG, environment);
      hart.setCsr(CSR.MCOUNTEREN, counteren);
      hart.setCsr(CSR.SCOUNTEREN, 0n);
    }) === undefined;
  it('is open to S-mode only with menvcfg.STCE and mcounteren.TM', () => {
    expect(read(S, ENVCFG.STCE, 2n)).toBe(true);
    expect(read(S, 0n, 2n)).toBe(false);
    expect(read(S, ENVCFG.STCE, 0xfffffffdn)).toBe(false);
  });
  it('is open to M-mode without them, and never to U-mode', () => {
    expect(read(M, 0n, 0n)).toBe(true);
    expect(read(U, ENVCFG.STCE, 2n)).toBe(false);
  });
});

describe('satp', () => {
  const access = (word: number, mode: 0 | 1 | 3, status: bigint) =>
    tryInstruction(word, mode, (hart) => hart.setCsr(CSR.MSTATUS, status)) === undefined;
  it('is refused to S-mode, for reads too, while mstatus.TVM is set', () => {
    for (const word of [csrr(5, CSR.SATP), csrrw(0, CSR.SATP, 0)]) {
      expect(access(word, S, 0n)).toBe(true);
      expect(access(word, S, STATUS.TVM)).toBe(false);
      expect(access(word, M, STATUS.TVM)).toBe(true);
    }
  });
});

describe('fcsr, frm and fflags', () => {
  const csrs = [CSR.FFLAGS, CSR.FRM, CSR.FCSR];
  it('are refused while mstatus.FS is off, in M-mode too', () => {
    for (const csr of csrs) {
      for (const mode of MODES) expect(tryInstruction(csrr(5, csr), mode)?.cause).toBe(CAUSE.ILLEGAL);
    }
  });
  it('make FS dirty when written, and leave it alone when read', () => {
    for (const csr of csrs) {
      const hart = newHart();
      hart.setCsr(CSR.MSTATUS, STATUS.FS_CLEAN);
      hart.execute([csrr(5, csr)]);
      expect(hart.csr(CSR.MSTATUS) & (STATUS.FS | STATUS.SD)).toBe(STATUS.FS_CLEAN);
      hart.execute([csrrw(0, csr, 0)]);
      expect(hart.csr(CSR.MSTATUS) & (STATUS.FS | STATUS.SD)).toBe(STATUS.FS | STATUS.SD);
    }
  });
  it('are views of one register', () => {
    const hart = newHart();
    hart.setCsr(CSR.MSTATUS, STATUS.FS_INITIAL);
    hart.setCsr(CSR.FCSR, CSR.ALL_ONES);
    expect([hart.csr(CSR.FCSR), hart.csr(CSR.FRM), hart.csr(CSR.FFLAGS)]).toEqual([0xffn, 7n, 31n]);
    hart.setCsr(CSR.FRM, 2n);
    hart.setCsr(CSR.FFLAGS, 0x81n);
    expect(hart.csr(CSR.FCSR)).toBe(0x41n);
  });
});
