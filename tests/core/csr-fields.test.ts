// What CSRs hold after a write (WARL), after reset, and which fields are views of others. Privileged architecture
// 1.12, sections 3.1 and 4.1.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as CSR from './csr-numbers.ts';
import { ALL_ONES, ENVCFG, STATUS } from './csr-numbers.ts';
import { newHart } from './harness.ts';

const word64 = fc.bigInt({ min: 0n, max: ALL_ONES });

/** What a CSR reads after `value` was written to a fresh hart. */
function written(csr: number, value: bigint, before?: bigint): bigint {
  const hart = newHart();
  if (before !== undefined) hart.setCsr(csr, before);
  hart.setCsr(csr, value);
  return hart.csr(csr);
}

/** Bits of a CSR that a write can set. */
const WRITABLE: readonly (readonly [string, number, bigint])[] = [
  ['mscratch', CSR.MSCRATCH, ALL_ONES],
  ['sscratch', CSR.SSCRATCH, ALL_ONES],
  ['mtval', CSR.MTVAL, ALL_ONES],
  ['stval', CSR.STVAL, ALL_ONES],
  ['mepc (IALIGN is 16)', CSR.MEPC, ALL_ONES & ~1n],
  ['sepc', CSR.SEPC, ALL_ONES & ~1n],
  ['mideleg', CSR.MIDELEG, CSR.SSI | CSR.STI | CSR.SEI],
  ['mie', CSR.MIE, 0xaaan],
  ['mip (Sstc off)', CSR.MIP, CSR.SSI | CSR.STI | CSR.SEI],
  ['medeleg (all exceptions below M-mode’s own ecall)', CSR.MEDELEG, 0xb3ffn],
  ['mcounteren', CSR.MCOUNTEREN, 0xffffffffn],
  ['scounteren', CSR.SCOUNTEREN, 0xffffffffn],
  ['mcountinhibit (no TM)', CSR.MCOUNTINHIBIT, 5n],
  ['misa', CSR.MISA, 0n],
  ['mhpmcounter3', CSR.MHPMCOUNTER3, 0n],
  ['mhpmevent3', CSR.MHPMEVENT3, 0n],
  ['stimecmp', CSR.STIMECMP, ALL_ONES],
  ['pmpaddr0', CSR.PMPADDR0 + 1, (1n << 54n) - 1n],
  ['menvcfg', CSR.MENVCFG, 0xe0000000000000f1n],
  ['senvcfg', CSR.SENVCFG, 0xf1n],
];

describe('a write', () => {
  it.each(WRITABLE)('of %s changes its writable bits and no other', (_, csr, mask) => {
    const hart = newHart();
    const fixed = hart.csr(csr) & ~mask;
    fc.assert(
      fc.property(word64, (value) => {
        // CBIE = 2 is reserved (tested below).
        if ((csr === CSR.MENVCFG || csr === CSR.SENVCFG) && ((value >> 4n) & 3n) === 2n) return;
        hart.setCsr(csr, value);
        expect(hart.csr(csr)).toBe((value & mask) | fixed);
      }),
      { numRuns: 60 },
    );
  });

  it('of misa keeps RV64 with A, C, D, F, I, M, S and U', () => {
    const letters = [...'ACDFIMSU'].reduce((bits, l) => bits | (1n << BigInt(l.charCodeAt(0) - 65)), 0n);
    expect(written(CSR.MISA, 0n)).toBe((2n << 62n) | letters);
  });
});

describe('mstatus', () => {
  it('ignores MPP = 2 and keeps the mode it had', () => {
    for (const old of [0n, 1n, 3n])
      expect((written(CSR.MSTATUS, 2n << 11n, old << 11n) >> 11n) & 3n).toBe(old);
    for (const mode of [0n, 1n, 3n]) expect((written(CSR.MSTATUS, mode << 11n) >> 11n) & 3n).toBe(mode);
  });
  it('shows 64-bit S- and U-mode, little-endian data and no vector state, whatever is written', () => {
    for (const value of [0n, ALL_ONES]) {
      const status = written(CSR.MSTATUS, value);
      expect([(status & STATUS.UXL) >> 32n, (status & STATUS.SXL) >> 34n]).toEqual([2n, 2n]);
      expect(status & ((3n << 36n) | (1n << 6n) | (3n << 9n) | (3n << 15n))).toBe(0n);
    }
  });
  it('shows SD only while FS is dirty', () => {
    for (let fs = 0n; fs < 4n; fs++) expect(written(CSR.MSTATUS, fs << 13n) >> 63n).toBe(fs === 3n ? 1n : 0n);
    expect(written(CSR.MSTATUS, STATUS.SD) >> 63n).toBe(0n);
  });
  it('is seen through sstatus without the fields of M-mode', () => {
    const hart = newHart();
    const visible =
      STATUS.SIE | STATUS.SPIE | STATUS.SPP | STATUS.FS | STATUS.SUM | STATUS.MXR | STATUS.UXL | STATUS.SD;
    hart.setCsr(CSR.MSTATUS, ALL_ONES);
    expect(hart.csr(CSR.SSTATUS)).toBe(hart.csr(CSR.MSTATUS) & visible);
    const machine = hart.csr(CSR.MSTATUS) & ~visible;
    hart.setCsr(CSR.SSTATUS, 0n);
    expect(hart.csr(CSR.MSTATUS) & ~visible).toBe(machine);
    expect(hart.csr(CSR.SSTATUS)).toBe(2n << 32n);
    hart.setCsr(CSR.MSTATUS, 0n);
    hart.setCsr(CSR.SSTATUS, ALL_ONES);
    expect(hart.csr(CSR.MSTATUS) & ~visible).toBe(2n << 34n);
  });
});

describe('mtvec and stvec', () => {
  it.each([
    ['mtvec', CSR.MTVEC],
    ['stvec', CSR.STVEC],
  ])('%s: the base keeps its bits, the mode is direct or vectored', (_, csr) => {
    fc.assert(
      fc.property(word64, (value) => {
        const read = written(csr, value);
        expect(read >> 2n).toBe(value >> 2n);
        expect(read & 2n).toBe(0n);
        if ((value & 2n) === 0n) expect(read).toBe(value);
      }),
      { numRuns: 40 },
    );
  });
});

describe('satp', () => {
  it('holds Bare, Sv39, Sv48 and Sv57 with every address space and root', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0n, 8n, 9n, 10n),
        fc.bigInt({ min: 0n, max: (1n << 60n) - 1n }),
        (mode, rest) => {
          const value = (mode << 60n) | rest;
          expect(written(CSR.SATP, value)).toBe(value);
        },
      ),
      { numRuns: 40 },
    );
  });
  it('is not changed at all by a write with another mode', () => {
    const old = (8n << 60n) | 0x12345n;
    for (const mode of [1n, 2n, 3n, 4n, 5n, 6n, 7n, 11n, 12n, 13n, 14n, 15n]) {
      expect(written(CSR.SATP, (mode << 60n) | 0x777n, old)).toBe(old);
    }
  });
});

describe('menvcfg and senvcfg', () => {
  it('keep CBIE when the reserved value 2 is written', () => {
    for (const csr of [CSR.MENVCFG, CSR.SENVCFG]) {
      for (const old of [0n, 1n, 3n]) expect(written(csr, (2n << 4n) | 1n, old << 4n)).toBe((old << 4n) | 1n);
    }
  });
  it('let the walk set A and D after reset', () => {
    expect(newHart().csr(CSR.MENVCFG)).toBe(ENVCFG.ADUE);
  });
});

describe('sie and sip', () => {
  it('show and change only interrupts that are delegated', () => {
    const hart = newHart();
    hart.setCsr(CSR.MIE, ALL_ONES);
    hart.setCsr(CSR.MIP, ALL_ONES);
    expect([hart.csr(CSR.SIE), hart.csr(CSR.SIP)]).toEqual([0n, 0n]);
    hart.setCsr(CSR.SIE, 0n);
    expect(hart.csr(CSR.MIE)).toBe(0xaaan);
    hart.setCsr(CSR.MIDELEG, CSR.STI);
    expect([hart.csr(CSR.SIE), hart.csr(CSR.SIP)]).toEqual([CSR.STI, CSR.STI]);
    hart.setCsr(CSR.SIE, 0n);
    expect(hart.csr(CSR.MIE)).toBe(0xaaan & ~CSR.STI);
  });
  it('let S-mode write SSIP, and no other pending bit', () => {
    const hart = newHart();
    hart.setCsr(CSR.MIDELEG, 0x222n);
    hart.setCsr(CSR.SIP, ALL_ONES);
    expect(hart.csr(CSR.MIP)).toBe(CSR.SSI);
    hart.setCsr(CSR.MIP, 0x222n);
    hart.setCsr(CSR.SIP, 0n);
    expect(hart.csr(CSR.MIP)).toBe(CSR.STI | CSR.SEI);
    hart.setCsr(CSR.MIDELEG, 0n);
    hart.setCsr(CSR.SIP, CSR.SSI);
    expect(hart.csr(CSR.MIP) & CSR.SSI).toBe(0n);
  });
});

describe('reset', () => {
  it('leaves M-mode with interrupts, translation and PMP off', () => {
    const { core } = newHart();
    core.hart.writeCsr(CSR.SATP, (8n << 60n) | 1n);
    core.hart.writeCsr(CSR.MSTATUS, ALL_ONES);
    core.hart.privilege = 0;
    core.reset();
    expect(core.hart.privilege).toBe(3);
    expect(core.hart.pc).toBe(0x1000n);
    for (const csr of [CSR.SATP, CSR.PMPCFG0, CSR.PMPADDR0, CSR.MIE, CSR.MIP, CSR.MIDELEG, CSR.MEDELEG]) {
      expect(core.hart.readCsr(csr)).toBe(0n);
    }
    expect(core.hart.readCsr(CSR.MSTATUS)).toBe((2n << 32n) | (2n << 34n));
    expect(core.instructions).toBe(0);
  });
});
