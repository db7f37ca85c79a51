// What kernels do without a trap (interrupts off and on, SUM, the registers of a trap's entry, cbo.zero) in code that the
// translator has taken over: the outcome is the interpreter's, and the code stays translated.
import { describe, expect, it } from 'vitest';
import { bne, ENGINES, stateOf } from './both-engines.ts';
import * as CSR from './csr-numbers.ts';
import { CAUSE, STATUS } from './csr-numbers.ts';
import { CODE, DATA, type Hart, M_HANDLER, newHart, poke, S, S_HANDLER, U } from './harness.ts';
import * as I from './instructions.ts';

/** Of the instructions, this much must have been translated; the first 20,000 of 100,000 are interpreted anyhow. */
const MOST = 0.72;
const CBZE = 0x80n;
const COUNTERS = 7n;

/** A loop around `body` for ever: x5 counts, x6 is never reached. */
function loop(hart: Hart, body: readonly number[], mode: 0 | 1 | 3 = S): void {
  hart.setX(6, -1);
  const words = [...body, I.addi(5, 5, 1)];
  hart.program([...words, bne(-4 * words.length)], mode);
}

/** The same program in both engines: equal states after each slice. Answers the translated share of the instructions. */
function share(prepare: (hart: Hart) => void, slices: readonly number[] = [40_000, 777, 60_000]): number {
  let translated = 0;
  const outcomes = ENGINES.map(([, hotThreshold]) => {
    const hart = newHart({ hotThreshold });
    prepare(hart);
    const states = slices.map((slice) => {
      hart.core.run(slice);
      return { state: stateOf(hart), data: hart.read64(DATA), sum: hart.csr(CSR.SSTATUS) };
    });
    translated = hart.core.counters().translatedInstructions / hart.core.instructions;
    return states;
  });
  expect(outcomes[1]).toEqual(outcomes[0]);
  return translated;
}

describe('translated code of a kernel', () => {
  it('turns interrupts off, and on as they were', () => {
    const translated = share((hart) => {
      loop(hart, [I.csrrci(15, CSR.SSTATUS, 2), I.addi(7, 7, 1), I.csrrs(0, CSR.SSTATUS, 15)]);
      // What is read from sstatus has more than SIE set; a kernel keeps that bit alone.
      hart.setCsr(CSR.MSTATUS, STATUS.SIE);
    });
    // csrrs with the whole of sstatus sets UXL's place too, which is the interpreter's.
    expect(translated).toBeGreaterThan(0.3);
    const usual = share((hart) => {
      hart.setCsr(CSR.MSTATUS, STATUS.SIE);
      const mask = I.addi(16, 0, 2);
      const keep = ((16 << 20) | (15 << 15) | (7 << 12) | (15 << 7) | 0x33) >>> 0;
      loop(hart, [mask, I.csrrci(15, CSR.SSTATUS, 2), keep, I.addi(7, 7, 1), I.csrrs(17, CSR.SSTATUS, 15)]);
    });
    expect(usual).toBeGreaterThan(MOST);
  });

  it('takes an interrupt that waits right behind the instruction that lets it', () => {
    for (const letIn of [I.csrrsi(0, CSR.SSTATUS, 2), I.csrrs(0, CSR.SSTATUS, 17)]) {
      const translated = share(
        (hart) => {
          hart.setCsr(CSR.MIDELEG, 2n);
          hart.setCsr(CSR.SIE, 2n);
          hart.setX(17, 2);
          // The handler counts, clears SSIP and goes on behind.
          poke(hart.core, S_HANDLER, [
            I.addi(20, 20, 1),
            I.csrr(21, CSR.SEPC),
            I.csrrci(0, CSR.SIP, 2),
            I.SRET,
          ]);
          const work = Array.from({ length: 30 }, () => I.addi(7, 7, 1));
          loop(hart, [
            I.csrrci(0, CSR.SSTATUS, 2),
            ...work,
            I.csrrsi(0, CSR.SIP, 2),
            ...work,
            letIn,
            ...work,
          ]);
        },
        [30_000, 1001, 3, 50_000],
      );
      expect(translated).toBeGreaterThan(0.5);
    }
  });

  it('swaps and reads the registers of a trap entry', () => {
    const translated = share((hart) => {
      hart.setX(13, 0x123456789abcdefn);
      loop(hart, [
        I.csrrw(13, CSR.SSCRATCH, 13),
        I.addi(13, 13, 1),
        I.csrw(CSR.SEPC, 13),
        I.csrr(14, CSR.SEPC),
        I.csrw(CSR.SCAUSE, 5),
        I.csrrw(15, CSR.SCAUSE, 14),
        I.csrw(CSR.STVAL, 15),
        I.csrr(16, CSR.STVAL),
      ]);
    });
    expect(translated).toBeGreaterThan(MOST);
  });

  it('zeroes blocks', () => {
    const translated = share((hart) => {
      hart.setCsr(CSR.MENVCFG, CBZE);
      hart.setX(13, DATA + 0x1234);
      hart.setX(14, DATA + 0x1238);
      loop(hart, [I.store(8, 5, 14), I.cboZero(13), I.load(8, 15, 14), I.store(8, 5, 14), I.load(8, 16, 14)]);
    });
    expect(translated).toBeGreaterThan(MOST);
  });

  it('leaves the bytes on both sides of a zeroed block alone', () => {
    for (const [, hotThreshold] of ENGINES) {
      const hart = newHart({ hotThreshold });
      hart.setCsr(CSR.MENVCFG, CBZE);
      hart.core.ram.fill(0xee, 0x10000, 0x12000);
      hart.setX(13, DATA + 0x10ff);
      loop(hart, [I.cboZero(13), I.addi(7, 7, 1)]);
      hart.core.run(40_000);
      const at = (offset: number) => hart.core.ram[0x10000 + offset];
      expect([at(0x10bf), at(0x10c0), at(0x10ff), at(0x1100)]).toEqual([0xee, 0, 0, 0xee]);
    }
  });

  it('reads the clock where it may', () => {
    const translated = share((hart) => {
      hart.host.now = 12_345;
      hart.setCsr(CSR.MCOUNTEREN, COUNTERS);
      hart.setCsr(CSR.SCOUNTEREN, COUNTERS);
      loop(hart, [I.csrr(15, CSR.TIME), I.addi(7, 7, 1)], U);
    });
    expect(translated).toBeGreaterThan(MOST);
  });

  it.each([
    ['sstatus', I.csrrci(15, CSR.SSTATUS, 2), 0n],
    ['sscratch', I.csrrw(15, CSR.SSCRATCH, 15), 0n],
    ['cbo.zero', I.cboZero(13), CBZE],
  ])('that U-mode enters is refused %s', (_, word, environment) => {
    for (const [, hotThreshold] of ENGINES) {
      const hart = newHart({ hotThreshold });
      hart.setCsr(CSR.MENVCFG, environment);
      hart.setX(13, DATA);
      loop(hart, [I.addi(7, 7, 1), word]);
      hart.core.run(50_000);
      if (hotThreshold) expect(hart.core.counters().translatedInstructions).toBeGreaterThan(25_000);
      poke(hart.core, M_HANDLER, [I.LOOP]);
      hart.core.hart.privilege = U;
      hart.core.hart.pc = BigInt(CODE);
      hart.core.run(100);
      expect([hart.csr(CSR.MCAUSE), hart.csr(CSR.MEPC)]).toEqual([CAUSE.ILLEGAL, BigInt(CODE + 4)]);
    }
  });

  it('is refused cbo.zero as soon as menvcfg says so, and the clock when mcounteren does', () => {
    for (const [word, close] of [
      [I.cboZero(13), CSR.MENVCFG],
      [I.csrr(15, CSR.TIME), CSR.MCOUNTEREN],
    ] as const) {
      for (const [, hotThreshold] of ENGINES) {
        const hart = newHart({ hotThreshold });
        hart.setCsr(CSR.MENVCFG, CBZE);
        hart.setCsr(CSR.MCOUNTEREN, COUNTERS);
        hart.setCsr(CSR.SCOUNTEREN, COUNTERS);
        hart.setX(13, DATA);
        loop(hart, [I.addi(7, 7, 1), word]);
        hart.core.run(50_000);
        hart.setCsr(close, 0n);
        hart.core.run(100);
        expect([hart.csr(CSR.MCAUSE), hart.csr(CSR.MEPC)]).toEqual([CAUSE.ILLEGAL, BigInt(CODE + 4)]);
      }
    }
  });
});
