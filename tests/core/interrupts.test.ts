// Interrupts: which is taken, when, by whom; WFI. Privileged architecture 1.12, sections 3.1.9, 3.3.3 and 4.1.3.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InterruptLine, Privilege } from '../../src/core/core-types.ts';
import * as CSR from './csr-numbers.ts';
import { INTERRUPT, STATUS } from './csr-numbers.ts';
import { CODE, M, MODES, newHart, poke, S, S_HANDLER, U } from './harness.ts';
import { csrrci, csrrs, csrrsi, csrw, LOOP, NOP, SRET, WFI } from './instructions.ts';

const LINES: readonly (readonly [InterruptLine, bigint])[] = [
  ['ssi', CSR.SSI],
  ['msi', CSR.MSI],
  ['sei', CSR.SEI],
  ['mei', CSR.MEI],
];
/** Highest first. */
const PRIORITY = [11n, 3n, 7n, 9n, 1n, 5n];

const subset = fc.integer({ min: 0, max: 63 }).map((pick) => {
  let bits = 0n;
  PRIORITY.forEach((cause, at) => {
    if (pick & (1 << at)) bits |= 1n << cause;
  });
  return bits;
});

/** What the specification says is taken: [cause, mode], or undefined. */
function expected(
  mode: Privilege,
  pending: bigint,
  enabled: bigint,
  delegated: bigint,
  status: bigint,
): [bigint, Privilege] | undefined {
  const ready = pending & enabled;
  const machine = mode < M || (status & STATUS.MIE) !== 0n ? ready & ~delegated : 0n;
  const supervisorOpen = mode < S || (mode === S && (status & STATUS.SIE) !== 0n);
  const supervisor = supervisorOpen ? ready & delegated : 0n;
  const first = (bits: bigint) => PRIORITY.find((cause) => (bits >> cause) & 1n)!;
  if (machine) return [first(machine), M];
  if (supervisor) return [first(supervisor), S];
  return undefined;
}

describe('the interrupt taken', () => {
  it('is the one that mip, mie, mideleg, the mode and xIE say, in the order MEI MSI MTI SEI SSI STI', () => {
    const hart = newHart();
    const { core } = hart;
    fc.assert(
      fc.property(
        fc.constantFrom(...MODES),
        subset,
        subset,
        subset,
        fc.constantFrom(0n, STATUS.MIE, STATUS.SIE, STATUS.MIE | STATUS.SIE),
        (mode, pending, enabled, delegation, status) => {
          const delegated = delegation & 0x222n;
          hart.setCsr(CSR.MIDELEG, delegated);
          hart.setCsr(CSR.MIE, enabled);
          hart.setCsr(CSR.MSTATUS, status);
          hart.setCsr(CSR.MIP, pending);
          for (const line of ['msi', 'mei'] as const) {
            core.hart.setInterruptLine(line, (pending & (line === 'msi' ? CSR.MSI : CSR.MEI)) !== 0n);
          }
          core.hart.mtimecmp = pending & CSR.MTI ? 0n : CSR.ALL_ONES;
          expect(hart.csr(CSR.MIP)).toBe(pending);
          hart.program([NOP], mode);
          const trap = hart.step();
          const right = expected(mode, pending, enabled, delegated, status);
          if (!right) expect([trap, core.hart.pc]).toEqual([undefined, BigInt(CODE + 4)]);
          else
            expect(trap).toEqual({ to: right[1], cause: INTERRUPT | right[0], tval: 0n, epc: BigInt(CODE) });
        },
      ),
      { numRuns: 1500 },
    );
  });
});

describe('an interrupt', () => {
  it('is taken right after the instruction that enables or raises it', () => {
    for (const [name, word, prepare] of [
      ['mstatus.MIE', csrrsi(0, CSR.MSTATUS, 8), { mie: CSR.SSI, mip: CSR.SSI, status: 0n }],
      ['mie', csrrsi(0, CSR.MIE, 2), { mie: 0n, mip: CSR.SSI, status: STATUS.MIE }],
      ['mip', csrrsi(0, CSR.MIP, 2), { mie: CSR.SSI, mip: 0n, status: STATUS.MIE }],
    ] as const) {
      const hart = newHart();
      hart.setCsr(CSR.MSTATUS, prepare.status);
      hart.setCsr(CSR.MIE, prepare.mie);
      hart.setCsr(CSR.MIP, prepare.mip);
      hart.program([NOP, word, NOP, NOP]);
      hart.core.run(100);
      expect([name, hart.csr(CSR.MEPC)]).toEqual([name, BigInt(CODE + 8)]);
    }
  });

  it('is taken right after sret or mret into a mode where it is enabled', () => {
    const hart = newHart();
    hart.setCsr(CSR.MIDELEG, CSR.SSI);
    hart.setCsr(CSR.MIE, CSR.SSI);
    hart.setCsr(CSR.MIP, CSR.SSI);
    hart.setCsr(CSR.SEPC, BigInt(CODE + 0x100));
    hart.program([SRET, NOP], S);
    expect(hart.step()).toBeUndefined();
    expect(hart.core.hart.privilege).toBe(U);
    expect(hart.step()).toMatchObject({ to: S, epc: BigInt(CODE + 0x100) });
  });

  it('that a device raises during a store is taken before the next instruction', () => {
    const hart = newHart();
    const { core, host } = hart;
    host.registers.set(0x1000_0000, 0n);
    const answer = host.mmioWrite.bind(host);
    host.mmioWrite = (...parameters) => {
      core.hart.setInterruptLine('mei', true);
      return answer(...parameters);
    };
    hart.setCsr(CSR.MIE, CSR.MEI);
    hart.setCsr(CSR.MSTATUS, STATUS.MIE);
    hart.setX(5, 0x1000_0000);
    hart.program([NOP, 0x00528023, NOP, NOP]);
    core.run(100);
    expect(hart.csr(CSR.MEPC)).toBe(BigInt(CODE + 8));
    host.mmioWrite = answer;
  });

  it('does not come again in its own handler, and does once that has returned', () => {
    const hart = newHart();
    hart.setCsr(CSR.MIDELEG, CSR.SSI);
    hart.setCsr(CSR.MIE, CSR.SSI);
    hart.setCsr(CSR.MIP, CSR.SSI);
    hart.setCsr(CSR.MSTATUS, STATUS.SIE);
    poke(hart.core, S_HANDLER, [NOP, NOP, SRET]);
    hart.program([LOOP], S);
    hart.core.run(5);
    expect(hart.core.counters().interrupts).toBe(2);
    expect(hart.core.hart.pc).toBe(BigInt(S_HANDLER + 8));
  });
});

describe('mip', () => {
  it('shows the lines that devices drive, and software cannot clear them', () => {
    for (const [line, bit] of LINES) {
      const hart = newHart();
      hart.core.hart.setInterruptLine(line, true);
      expect(hart.csr(CSR.MIP)).toBe(bit);
      hart.setCsr(CSR.MIP, 0n);
      expect(hart.csr(CSR.MIP)).toBe(bit);
      hart.core.hart.setInterruptLine(line, false);
      expect(hart.csr(CSR.MIP)).toBe(0n);
    }
  });

  it('shows SEIP as software’s bit or the controller’s line', () => {
    const hart = newHart();
    hart.setCsr(CSR.MIP, CSR.SEI);
    hart.core.hart.setInterruptLine('sei', true);
    hart.setCsr(CSR.MIP, 0n);
    expect(hart.csr(CSR.MIP)).toBe(CSR.SEI);
    hart.setCsr(CSR.MIP, CSR.SEI);
    hart.core.hart.setInterruptLine('sei', false);
    expect(hart.csr(CSR.MIP)).toBe(CSR.SEI);
  });

  it('read-modify-write gives rd the line, and does not write the line into software’s bit', () => {
    for (const word of [csrrsi(7, CSR.MIP, 2), csrrci(7, CSR.MIP, 2)]) {
      const hart = newHart();
      hart.core.hart.setInterruptLine('sei', true);
      hart.execute([word]);
      expect(hart.x(7) & CSR.SEI).toBe(CSR.SEI);
      hart.core.hart.setInterruptLine('sei', false);
      expect(hart.csr(CSR.MIP) & CSR.SEI).toBe(0n);
    }
  });

  it('lets software keep its SEIP bit through a read-modify-write of another', () => {
    const hart = newHart();
    hart.setCsr(CSR.MIP, CSR.SEI);
    hart.setX(6, CSR.SSI);
    hart.execute([csrrs(7, CSR.MIP, 6)]);
    expect(hart.csr(CSR.MIP)).toBe(CSR.SEI | CSR.SSI);
  });
});

describe('wfi', () => {
  it('waits behind itself until an enabled interrupt is pending', () => {
    const hart = newHart();
    const { core } = hart;
    hart.setCsr(CSR.MIE, CSR.MEI);
    hart.program([WFI, NOP, NOP]);
    expect(core.run(100)).toBe('wfi');
    expect([core.waiting, core.hart.pc, core.instructions]).toEqual([true, BigInt(CODE + 4), 1]);
    core.hart.setInterruptLine('sei', true);
    expect(core.run(100)).toBe('wfi');
    expect(core.instructions).toBe(1);
    core.hart.setInterruptLine('mei', true);
    expect(core.run(2)).toBe('budget');
    expect([core.waiting, core.hart.pc, core.instructions]).toEqual([false, BigInt(CODE + 12), 3]);
  });

  it('ends by a locally enabled interrupt even where xIE and mideleg keep it from being taken', () => {
    for (const [mode, delegated] of [
      [M, 0n],
      [M, CSR.SSI],
      [S, CSR.SSI],
    ] as const) {
      const hart = newHart();
      hart.setCsr(CSR.MIDELEG, delegated);
      hart.setCsr(CSR.MIE, CSR.SSI);
      hart.program([WFI, NOP], mode);
      expect(hart.core.run(10)).toBe('wfi');
      hart.setCsr(CSR.MIP, CSR.SSI);
      expect(hart.core.run(1)).toBe('budget');
      expect(hart.core.hart.pc).toBe(BigInt(CODE + 8));
    }
  });

  it('is over at once when an interrupt is already pending', () => {
    const hart = newHart();
    hart.setCsr(CSR.MIE, CSR.SSI);
    hart.setCsr(CSR.MIP, CSR.SSI);
    hart.program([WFI, NOP]);
    expect(hart.core.run(2)).toBe('budget');
    expect(hart.core.hart.pc).toBe(BigInt(CODE + 8));
  });

  it('returns to the instruction behind it when the interrupt is taken', () => {
    const hart = newHart();
    hart.setCsr(CSR.MIE, CSR.MEI);
    hart.setCsr(CSR.MSTATUS, STATUS.MIE);
    hart.program([WFI, NOP]);
    expect(hart.core.run(10)).toBe('wfi');
    hart.core.hart.setInterruptLine('mei', true);
    expect(hart.step(1)).toEqual({ to: M, cause: INTERRUPT | 11n, tval: 0n, epc: BigInt(CODE + 4) });
  });
});

describe('stvec and mtvec', () => {
  it('changed by the handler apply to the next trap', () => {
    const hart = newHart();
    hart.setX(5, S_HANDLER + 0x100);
    poke(hart.core, S_HANDLER + 0x100, [LOOP]);
    expect(hart.execute([csrw(CSR.STVEC, 5)], S)).toBeUndefined();
    hart.setCsr(CSR.MEDELEG, 8n);
    hart.program([0x00100073], S);
    hart.core.run(2);
    expect(hart.core.hart.pc).toBe(BigInt(S_HANDLER + 0x100));
  });
});
