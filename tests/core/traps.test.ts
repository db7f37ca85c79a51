// Exceptions: where they go, what xtval, xepc and xstatus hold, and when a hart is lost. Privileged architecture
// 1.12, sections 3.1.6 to 3.1.16 and 4.1.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as CSR from './csr-numbers.ts';
import { CAUSE, STATUS } from './csr-numbers.ts';
import { CODE, DATA, M, M_HANDLER, newHart, poke, RAM, S, S_HANDLER, U } from './harness.ts';
import * as I from './instructions.ts';

describe('delegation', () => {
  it('sends an exception of U- or S-mode to S-mode by its bit of medeleg, one of M-mode never', () => {
    for (const mode of [U, S, M] as const) {
      for (const delegated of [false, true]) {
        const hart = newHart();
        hart.setCsr(CSR.MEDELEG, delegated ? 1n << CAUSE.BREAKPOINT : 0xb3ffn & ~(1n << CAUSE.BREAKPOINT));
        const trap = hart.execute([I.EBREAK], mode);
        expect(trap?.to).toBe(delegated && mode !== M ? S : M);
        expect([trap?.cause, trap?.epc]).toEqual([CAUSE.BREAKPOINT, BigInt(CODE)]);
      }
    }
  });
  it('of an ecall is by the mode it came from', () => {
    const hart = newHart();
    hart.setCsr(CSR.MEDELEG, 1n << CAUSE.ECALL_U);
    expect(hart.execute([I.ECALL], U)?.to).toBe(S);
    expect(hart.execute([I.ECALL], S)?.to).toBe(M);
  });
  it('leaves the other mode’s trap registers alone', () => {
    const hart = newHart();
    hart.setCsr(CSR.MEDELEG, 1n << CAUSE.ECALL_U);
    for (const csr of [CSR.MEPC, CSR.MCAUSE, CSR.MTVAL]) hart.setCsr(csr, 0x1234n);
    hart.execute([I.ECALL], U);
    for (const csr of [CSR.MEPC, CSR.MCAUSE, CSR.MTVAL]) expect(hart.csr(csr)).toBe(0x1234n);
    for (const csr of [CSR.SEPC, CSR.SCAUSE, CSR.STVAL]) hart.setCsr(csr, 0x4321n & ~1n);
    hart.execute([I.ECALL], M);
    for (const csr of [CSR.SEPC, CSR.SCAUSE, CSR.STVAL]) expect(hart.csr(csr)).toBe(0x4320n);
  });
});

describe('xstatus on a trap', () => {
  it('to M-mode: MPP is the old mode, MPIE the old MIE, MIE clear, S-mode’s fields untouched', () => {
    for (const mode of [U, S, M] as const) {
      for (const enabled of [0n, STATUS.MIE]) {
        const hart = newHart();
        const rest = STATUS.SPIE | STATUS.SPP | STATUS.SIE | STATUS.SUM | STATUS.MPRV;
        hart.setCsr(CSR.MSTATUS, rest | enabled);
        hart.execute([I.EBREAK], mode);
        const expected = rest | (BigInt(mode) << 11n) | (enabled ? STATUS.MPIE : 0n);
        expect(hart.csr(CSR.MSTATUS) & 0x7fffffn).toBe(expected);
      }
    }
  });
  it('to S-mode: SPP is the old mode, SPIE the old SIE, SIE clear, M-mode’s fields untouched', () => {
    for (const mode of [U, S] as const) {
      for (const enabled of [0n, STATUS.SIE]) {
        const hart = newHart();
        const rest = STATUS.MPP | STATUS.MPIE | STATUS.MIE | STATUS.SUM;
        hart.setCsr(CSR.MEDELEG, 0xb3ffn);
        hart.setCsr(CSR.MSTATUS, rest | enabled);
        hart.execute([I.EBREAK], mode);
        const expected = rest | (mode === S ? STATUS.SPP : 0n) | (enabled ? STATUS.SPIE : 0n);
        expect(hart.csr(CSR.MSTATUS) & 0x7fffffn).toBe(expected);
      }
    }
  });
  it('survives a trap within a handler: the second return goes back where the first trap came from', () => {
    const hart = newHart();
    hart.setCsr(CSR.MEDELEG, 1n << CAUSE.ECALL_U);
    hart.execute([I.ECALL], U);
    const sepc = hart.csr(CSR.SEPC);
    // The S-mode handler makes a call of its own.
    expect(hart.execute([I.ECALL], S)?.to).toBe(M);
    hart.program([I.MRET], M, M_HANDLER + 64);
    hart.step();
    expect([hart.core.hart.pc, hart.core.hart.privilege]).toEqual([BigInt(CODE), S]);
    hart.program([I.SRET], S);
    hart.step();
    expect([hart.core.hart.pc, hart.core.hart.privilege]).toEqual([sepc, U]);
  });
});

describe('xtval', () => {
  it('of an illegal instruction holds its 32 bits', () => {
    const hart = newHart();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (bits) => {
        // Custom-0 is nobody's.
        const word = ((bits & ~0x7f) | 0x0b) >>> 0;
        expect(hart.execute([word])).toMatchObject({ cause: CAUSE.ILLEGAL, tval: BigInt(word) });
      }),
      { numRuns: 50 },
    );
  });
  it('of an illegal compressed instruction holds its 16 bits only', () => {
    const hart = newHart();
    for (const half of [0x0000, 0x8000, 0x6101 & ~0x1ffc, 0x4002]) {
      hart.program([((0xffff << 16) | half) >>> 0]);
      expect(hart.step()).toMatchObject({ cause: CAUSE.ILLEGAL, tval: BigInt(half) });
    }
  });
  it('of an illegal instruction over two pages holds all its bits', () => {
    const hart = newHart();
    poke(hart.core, DATA + 0xffe, Uint8Array.of(0x0b, 0x12, 0x34, 0x56));
    hart.core.hart.pc = BigInt(DATA + 0xffe);
    expect(hart.step()).toMatchObject({ cause: CAUSE.ILLEGAL, tval: 0x5634120bn, epc: BigInt(DATA + 0xffe) });
  });
  it('of ebreak holds its address, of ecall zero', () => {
    const hart = newHart();
    for (const word of [I.EBREAK, I.C_EBREAK]) {
      expect(hart.execute([word])).toMatchObject({ cause: CAUSE.BREAKPOINT, tval: BigInt(CODE) });
    }
    hart.setCsr(CSR.MTVAL, 99n);
    expect(hart.execute([I.ECALL])).toMatchObject({ cause: CAUSE.ECALL_M, tval: 0n });
  });
  it('of an access fault holds the address', () => {
    const hart = newHart();
    hart.setX(5, 0x4000_0001);
    expect(hart.execute([I.load(4, 7, 5, -1)])).toMatchObject({
      cause: CAUSE.LOAD_ACCESS,
      tval: 0x4000_0000n,
    });
    expect(hart.execute([I.store(1, 7, 5, 2)])).toMatchObject({
      cause: CAUSE.STORE_ACCESS,
      tval: 0x4000_0003n,
    });
    hart.setX(5, 0x4000_0001);
    expect(hart.execute([I.jalr(1, 5)])).toBeUndefined();
    expect(hart.step()).toMatchObject({ cause: CAUSE.FETCH_ACCESS, tval: 0x4000_0000n, epc: 0x4000_0000n });
  });
  it('of an interrupt is zero', () => {
    const hart = newHart();
    hart.setCsr(CSR.MTVAL, 99n);
    hart.setCsr(CSR.MIE, CSR.SSI);
    hart.setCsr(CSR.MIP, CSR.SSI);
    hart.setCsr(CSR.MSTATUS, STATUS.MIE);
    hart.program([I.NOP]);
    expect(hart.step(1)).toMatchObject({ cause: CSR.INTERRUPT | 1n, tval: 0n });
  });
});

describe('a trapping instruction', () => {
  it('leaves rd as it was', () => {
    const hart = newHart();
    hart.setX(5, 0x4000_0000);
    hart.setX(7, 1234);
    for (const word of [I.load(8, 7, 5), I.lr(8, 7, 5), I.amoadd(8, 7, 5, 6), I.csrr(7, 0x7ff)]) {
      expect(hart.execute([word])).toBeDefined();
      expect(hart.x(7)).toBe(1234n);
    }
  });
  it('does not retire, while the return from its handler does', () => {
    const hart = newHart();
    hart.program([I.NOP, I.NOP, I.EBREAK]);
    hart.setCsr(CSR.MTVEC, BigInt(M_HANDLER));
    poke(hart.core, M_HANDLER, [I.MRET]);
    hart.core.run(3);
    expect(hart.core.instructions).toBe(2);
    hart.core.run(1);
    expect(hart.core.instructions).toBe(3);
  });
});

describe('floating point while mstatus.FS is off', () => {
  it('is illegal in every mode, loads and stores included, before their address is looked at', () => {
    for (const word of [I.fld(1, 0), I.fsd(1, 0), I.faddD(1, 2, 3), I.fmvDX(1, 5)]) {
      for (const mode of [U, S, M] as const) {
        expect(newHart().execute([word], mode)).toMatchObject({ cause: CAUSE.ILLEGAL, tval: BigInt(word) });
      }
    }
  });
  it('becomes dirty by what changes an f register, not by a store', () => {
    for (const [word, dirty] of [
      [I.fld(1, 5), true],
      [I.fmvDX(1, 6), true],
      [I.faddD(1, 2, 3), true],
      [I.fsd(1, 5), false],
    ] as const) {
      const hart = newHart();
      hart.setX(5, DATA);
      hart.setCsr(CSR.MSTATUS, STATUS.FS_CLEAN);
      expect(hart.execute([word], S)).toBeUndefined();
      expect((hart.csr(CSR.MSTATUS) & STATUS.FS) === STATUS.FS).toBe(dirty);
    }
  });
});

describe('a vectored mtvec or stvec', () => {
  it('takes exceptions at the base and interrupts at four times their cause above it', () => {
    for (const [vector, mode] of [
      [CSR.MTVEC, M],
      [CSR.STVEC, S],
    ] as const) {
      const hart = newHart();
      const base = mode === M ? M_HANDLER : S_HANDLER;
      hart.setCsr(vector, BigInt(base) | 1n);
      hart.setCsr(CSR.MEDELEG, 0xb3ffn);
      hart.setCsr(CSR.MIDELEG, mode === S ? CSR.SSI : 0n);
      expect(hart.execute([I.EBREAK], mode)?.to).toBe(mode);
      expect(hart.core.hart.pc).toBe(BigInt(base));
      hart.program([I.NOP], mode);
      hart.setCsr(CSR.MSTATUS, STATUS.MIE | STATUS.SIE);
      hart.setCsr(CSR.MIE, CSR.SSI);
      hart.setCsr(CSR.MIP, CSR.SSI);
      poke(hart.core, base + 4, [I.LOOP]);
      hart.step();
      expect([hart.core.hart.pc, hart.core.hart.privilege]).toEqual([BigInt(base + 4), mode]);
    }
  });
});

describe('a trap handler that cannot be fetched', () => {
  it('stops an M-mode hart with the cause, its address and pc', () => {
    const hart = newHart();
    hart.setCsr(CSR.MTVEC, 0x4000_0000n);
    hart.program([I.EBREAK]);
    expect(hart.core.run(1000)).toBe('double-fault');
    expect(hart.core.hart.stop).toEqual({ cause: CAUSE.FETCH_ACCESS, value: 0x4000_0000n });
    expect(hart.core.hart.pc).toBe(0x4000_0000n);
  });
  it('stops it too when the handler is an illegal instruction', () => {
    const hart = newHart();
    poke(hart.core, M_HANDLER, [0]);
    hart.program([I.EBREAK]);
    expect(hart.core.run(1000)).toBe('double-fault');
    expect(hart.core.hart.stop).toEqual({ cause: CAUSE.ILLEGAL, value: 0n });
  });
  it('of S-mode stops the hart where no M-mode software could help, and otherwise does not', () => {
    for (const sbi of [true, false]) {
      const hart = newHart({ sbi });
      hart.setCsr(CSR.MEDELEG, 0xb3ffn);
      hart.setCsr(CSR.STVEC, 0x4000_0000n);
      hart.program([I.EBREAK], S);
      expect(hart.core.run(1000)).toBe(sbi ? 'double-fault' : 'budget');
    }
  });
  it('is no reason to stop when M-mode’s handler takes the S-mode fault', () => {
    const hart = newHart();
    hart.setCsr(CSR.MEDELEG, 1n << CAUSE.BREAKPOINT);
    hart.setCsr(CSR.STVEC, 0x4000_0000n);
    hart.program([I.EBREAK], S);
    expect(hart.core.run(1000)).toBe('budget');
    expect(hart.csr(CSR.MCAUSE)).toBe(CAUSE.FETCH_ACCESS);
    expect(hart.core.hart.pc).toBe(BigInt(M_HANDLER));
  });
  it('does not stop a hart that merely loops over an exception in its code', () => {
    const hart = newHart();
    poke(hart.core, M_HANDLER, [I.MRET]);
    hart.program([0], U, RAM + 0x4000);
    expect(hart.core.run(1001)).toBe('budget');
    expect(hart.core.instructions).toBe(500);
  });
});
