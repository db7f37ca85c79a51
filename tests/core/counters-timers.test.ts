// mcycle, minstret and their inhibition; mtimecmp, stimecmp and the time. Privileged architecture 1.12, sections
// 3.1.10 to 3.1.12 and 3.2.1; Sstc 1.0.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as CSR from './csr-numbers.ts';
import { CAUSE, ENVCFG, INTERRUPT, STATUS } from './csr-numbers.ts';
import { CODE, M, newHart, poke, S, S_HANDLER, U } from './harness.ts';
import { addi, csrr, csrrw, csrw, EBREAK, jal, LOOP, MRET, NOP, SRET, WFI } from './instructions.ts';

describe('minstret and mcycle', () => {
  it('count what has retired before the instruction that reads them', () => {
    const hart = newHart();
    hart.program([NOP, NOP, NOP, csrr(5, CSR.MINSTRET), csrr(6, CSR.MCYCLE), csrr(7, CSR.MINSTRET)]);
    hart.core.run(6);
    expect([hart.x(5), hart.x(6), hart.x(7)]).toEqual([3n, 4n, 5n]);
  });

  it('do not count instructions that trap', () => {
    const hart = newHart();
    poke(hart.core, CODE + 0x800, [csrr(5, CSR.MINSTRET), LOOP]);
    hart.setCsr(CSR.MTVEC, BigInt(CODE + 0x800));
    hart.program([NOP, NOP, EBREAK]);
    hart.core.run(4);
    expect(hart.x(5)).toBe(2n);
  });

  it('take a written value that the next instruction reads', () => {
    for (const csr of [CSR.MINSTRET, CSR.MCYCLE]) {
      const hart = newHart();
      hart.setX(6, 0x123456789abcden);
      hart.program([NOP, csrw(csr, 6), csrr(7, csr), csrr(8, csr), csrr(9, csr + 0x100)]);
      hart.core.run(5);
      const value = 0x123456789abcden;
      expect([hart.x(7), hart.x(8), hart.x(9)]).toEqual([value, value + 1n, value + 2n]);
    }
  });

  it('swap: rd gets the count before, the counter the new value', () => {
    const hart = newHart();
    hart.setX(6, 1000);
    hart.program([NOP, csrrw(7, CSR.MINSTRET, 6), csrr(8, CSR.MINSTRET)]);
    hart.core.run(3);
    expect([hart.x(7), hart.x(8)]).toEqual([1n, 1000n]);
  });

  it('stand still while inhibited, each by its own bit, and go on from there', () => {
    for (const [bit, stopped, other] of [
      [1n, CSR.MCYCLE, CSR.MINSTRET],
      [4n, CSR.MINSTRET, CSR.MCYCLE],
    ] as const) {
      const hart = newHart();
      hart.setX(6, bit);
      const words = [csrw(CSR.MCOUNTINHIBIT, 6), csrr(7, stopped), NOP, csrr(8, stopped), csrr(9, other)];
      words.push(csrw(CSR.MCOUNTINHIBIT, 0), csrr(10, stopped), csrr(11, stopped), csrr(12, other));
      hart.program(words);
      hart.core.run(words.length);
      expect(hart.x(7)).toBe(hart.x(8));
      expect(hart.x(9)).toBe(4n);
      expect([hart.x(10), hart.x(11)]).toEqual([hart.x(8), hart.x(8) + 1n]);
      expect(hart.x(12)).toBe(8n);
    }
  });

  it('can be set while inhibited', () => {
    const hart = newHart();
    hart.setX(6, 5);
    hart.setX(7, 777);
    hart.program([
      csrw(CSR.MCOUNTINHIBIT, 6),
      csrw(CSR.MCYCLE, 7),
      NOP,
      csrr(8, CSR.CYCLE),
      csrr(9, CSR.MCYCLE),
    ]);
    hart.core.run(5);
    expect([hart.x(8), hart.x(9)]).toEqual([777n, 777n]);
  });
});

describe('time', () => {
  it('is the host’s, in ticks', () => {
    const hart = newHart();
    for (const now of [0, 1, 2 ** 32, 2 ** 52]) {
      hart.host.now = now;
      hart.execute([csrr(5, CSR.TIME)]);
      expect(hart.x(5)).toBe(BigInt(now));
    }
  });
  it('is instructions divided by the divisor, under the instruction clock', () => {
    const hart = newHart({ instructionsPerTick: 7 });
    hart.program(Array.from({ length: 40 }, () => csrr(5, CSR.TIME)));
    for (let done = 0; done < 40; done++) {
      hart.step();
      expect(hart.x(5)).toBe(BigInt(Math.floor(done / 7)));
    }
  });
});

describe('mtimecmp', () => {
  it('raises MTIP while the time is at or beyond it', () => {
    const hart = newHart();
    hart.core.hart.mtimecmp = 100n;
    for (const [now, pending] of [
      [99, 0n],
      [100, CSR.MTI],
      [101, CSR.MTI],
    ] as const) {
      hart.host.now = now;
      expect(hart.csr(CSR.MIP)).toBe(pending);
    }
    hart.core.hart.mtimecmp = 1000n;
    expect(hart.csr(CSR.MIP)).toBe(0n);
    hart.core.hart.mtimecmp = CSR.ALL_ONES;
    hart.host.now = 2 ** 52;
    expect(hart.csr(CSR.MIP)).toBe(0n);
  });
  it('ends a wait', () => {
    const hart = newHart();
    hart.setCsr(CSR.MIE, CSR.MTI);
    hart.core.hart.mtimecmp = 50n;
    hart.program([WFI, NOP]);
    expect(hart.core.run(10)).toBe('wfi');
    expect(hart.core.nextTimer()).toBe(50);
    hart.host.now = 50;
    expect(hart.core.run(1)).toBe('budget');
    expect(hart.core.hart.pc).toBe(BigInt(CODE + 8));
  });
  it('set to the past by a device register interrupts before the next instruction', () => {
    const hart = newHart();
    const { core, host } = hart;
    host.now = 10;
    host.registers.set(0x200_4000, 0n);
    const answer = host.mmioWrite.bind(host);
    host.mmioWrite = (...parameters) => {
      core.hart.mtimecmp = 5n;
      return answer(...parameters);
    };
    hart.setCsr(CSR.MIE, CSR.MTI);
    hart.setCsr(CSR.MSTATUS, STATUS.MIE);
    hart.setX(5, 0x200_4000);
    hart.program([NOP, 0x0002b023, NOP, NOP]);
    core.run(100);
    host.mmioWrite = answer;
    expect([hart.csr(CSR.MCAUSE), hart.csr(CSR.MEPC)]).toEqual([INTERRUPT | 7n, BigInt(CODE + 8)]);
  });
});

describe('stimecmp', () => {
  it('drives STIP while menvcfg.STCE is set, and software’s STIP counts while it is not', () => {
    const hart = newHart();
    hart.host.now = 10;
    hart.setCsr(CSR.MIP, CSR.STI);
    expect(hart.csr(CSR.MIP)).toBe(CSR.STI);
    hart.setCsr(CSR.MENVCFG, ENVCFG.STCE);
    expect(hart.csr(CSR.MIP)).toBe(0n);
    hart.setCsr(CSR.MIP, CSR.STI);
    expect(hart.csr(CSR.MIP)).toBe(0n);
    hart.setCsr(CSR.STIMECMP, 10n);
    expect(hart.csr(CSR.MIP)).toBe(CSR.STI);
    hart.setCsr(CSR.STIMECMP, 11n);
    expect(hart.csr(CSR.MIP)).toBe(0n);
    hart.setCsr(CSR.STIMECMP, 10n);
    hart.setCsr(CSR.MENVCFG, 0n);
    expect(hart.csr(CSR.MIP)).toBe(CSR.STI);
    hart.setCsr(CSR.MIP, 0n);
    expect(hart.csr(CSR.MIP)).toBe(0n);
  });
  it('written with a time that has come interrupts before the next instruction', () => {
    const hart = newHart();
    hart.host.now = 10;
    hart.setCsr(CSR.MENVCFG, ENVCFG.STCE);
    hart.setCsr(CSR.MCOUNTEREN, 2n);
    hart.setCsr(CSR.MIDELEG, CSR.STI);
    hart.setCsr(CSR.MIE, CSR.STI);
    hart.setCsr(CSR.MSTATUS, STATUS.SIE);
    hart.setX(5, 10);
    hart.program([NOP, csrw(CSR.STIMECMP, 5), NOP], S);
    hart.core.run(50);
    expect([hart.csr(CSR.SCAUSE), hart.csr(CSR.SEPC)]).toEqual([INTERRUPT | 5n, BigInt(CODE + 8)]);
  });
});

describe('the instruction clock', () => {
  /** A loop in U-mode, interrupted by an S-mode handler that sets the next timer: where each interrupt came. */
  function interruptions(slices: readonly number[], total: number): string[] {
    const hart = newHart({ instructionsPerTick: 10 });
    hart.setCsr(CSR.MENVCFG, ENVCFG.STCE);
    hart.setCsr(CSR.MCOUNTEREN, 7n);
    hart.setCsr(CSR.SCOUNTEREN, 7n);
    hart.setCsr(CSR.MIDELEG, CSR.STI);
    hart.setCsr(CSR.MIE, CSR.STI);
    const handler = [csrr(10, CSR.SEPC), csrr(11, CSR.INSTRET), csrr(12, CSR.TIME), addi(12, 12, 37)];
    handler.push(csrw(CSR.STIMECMP, 12), addi(13, 13, 1), SRET);
    poke(hart.core, S_HANDLER, handler);
    hart.setCsr(CSR.STIMECMP, 5n);
    // Traps too: they take a step and retire nothing.
    hart.setCsr(CSR.MTVEC, BigInt(CODE + 0x800));
    poke(hart.core, CODE + 0x800, [csrr(20, CSR.MEPC), addi(20, 20, 4), csrw(CSR.MEPC, 20), MRET]);
    hart.program([addi(5, 5, 1), EBREAK, addi(6, 6, 2), jal(0, -12)], U);
    const seen: string[] = [];
    let at = 0;
    let handled = 0n;
    while (hart.core.instructions < total) {
      hart.core.run(slices[at++ % slices.length]!);
      if (hart.x(13) !== handled) {
        handled = hart.x(13);
        seen.push(`${hart.x(10).toString(16)} ${hart.x(11)} ${hart.x(12)}`);
      }
    }
    return seen;
  }

  it('brings every interrupt at the same instruction, however the run is sliced', () => {
    const whole = interruptions([50], 20_000);
    expect(whole.length).toBeGreaterThan(50);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }), (slices) => {
        expect(interruptions(slices, 20_000).slice(0, 50)).toEqual(whole.slice(0, 50));
      }),
      { numRuns: 15 },
    );
  });

  it('brings it exactly when the tick begins, also in one long run', () => {
    for (const compare of [1n, 3n, 100n, 4000n]) {
      const hart = newHart({ instructionsPerTick: 10 });
      hart.setCsr(CSR.MENVCFG, ENVCFG.STCE);
      hart.setCsr(CSR.MIE, CSR.STI);
      hart.setX(5, compare);
      // M-mode sets the timer in the middle of a run and opens interrupts.
      hart.setCsr(CSR.MSTATUS, STATUS.MIE);
      hart.program([csrw(CSR.STIMECMP, 5), LOOP]);
      hart.setCsr(CSR.MTVEC, BigInt(CODE + 0x800));
      poke(hart.core, CODE + 0x800, [csrr(7, CSR.INSTRET), csrw(CSR.MIE, 0), LOOP]);
      hart.core.run(100_000);
      expect(hart.x(7)).toBe(compare * 10n);
    }
  });

  it('is moved on by the host while the hart waits, never back', () => {
    const hart = newHart({ instructionsPerTick: 10 });
    hart.setCsr(CSR.MIE, CSR.MTI);
    hart.core.hart.mtimecmp = 5000n;
    hart.program([WFI, csrr(5, CSR.TIME)]);
    expect(hart.core.run(10)).toBe('wfi');
    hart.core.advanceTime(5000);
    hart.core.advanceTime(100);
    expect(hart.core.run(1)).toBe('budget');
    expect(hart.x(5)).toBe(5000n);
  });
});

describe('counters in U-mode', () => {
  it('read what M-mode reads', () => {
    const hart = newHart();
    hart.host.now = 1234;
    hart.setCsr(CSR.MCOUNTEREN, 7n);
    hart.setCsr(CSR.SCOUNTEREN, 7n);
    hart.program([NOP, csrr(5, CSR.CYCLE), csrr(6, CSR.TIME), csrr(7, CSR.INSTRET)], U);
    hart.core.run(4);
    expect([hart.x(5), hart.x(6), hart.x(7)]).toEqual([1n, 1234n, 3n]);
    expect(hart.execute([csrr(5, CSR.MCYCLE)], U)).toMatchObject({ to: M, cause: CAUSE.ILLEGAL });
  });
});
