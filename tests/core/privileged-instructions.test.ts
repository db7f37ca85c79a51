// Which mode may execute which instruction, and what returning from a trap does. Privileged architecture 1.12,
// sections 3.1.6, 3.3 and 4.2; CMO 1.0, section 2.3; Svinval 1.0.
import { describe, expect, it } from 'vitest';
import type { Privilege } from '../../src/core/core-types.ts';
import * as CSR from './csr-numbers.ts';
import { CAUSE, ENVCFG, STATUS } from './csr-numbers.ts';
import { CODE, DATA, type Hart, M, MODES, nameOf, newHart, S, tryInstruction, U } from './harness.ts';
import * as I from './instructions.ts';

const prepared = (status: bigint, mode: Privilege) => (hart: Hart) => {
  hart.setCsr(CSR.MSTATUS, status);
  // Returns go to harmless code, and wfi finds something pending (which U-mode could not keep from being taken).
  hart.setCsr(CSR.MEPC, BigInt(CODE + 64));
  hart.setCsr(CSR.SEPC, BigInt(CODE + 64));
  if (mode === U) return;
  hart.setCsr(CSR.MIE, CSR.SSI);
  hart.setCsr(CSR.MIP, CSR.SSI);
  hart.setCsr(CSR.MIDELEG, CSR.SSI);
};

describe.each([
  ['mret', I.MRET, 0n, [M]],
  ['sret', I.SRET, 0n, [S, M]],
  ['sret with TSR', I.SRET, STATUS.TSR, [M]],
  ['wfi', I.WFI, 0n, [S, M]],
  ['wfi with TW', I.WFI, STATUS.TW, [M]],
  ['sfence.vma', I.sfenceVma(), 0n, [S, M]],
  ['sfence.vma of an address', I.sfenceVma(5, 6), 0n, [S, M]],
  ['sfence.vma with TVM', I.sfenceVma(), STATUS.TVM, [M]],
  ['sinval.vma', I.sinvalVma(), 0n, [S, M]],
  ['sinval.vma with TVM', I.sinvalVma(), STATUS.TVM, [M]],
  ['sfence.w.inval', I.SFENCE_W_INVAL, 0n, [S, M]],
  ['sfence.w.inval with TVM', I.SFENCE_W_INVAL, STATUS.TVM, [S, M]],
  ['sfence.inval.ir', I.SFENCE_INVAL_IR, 0n, [S, M]],
  ['fence.i', I.FENCE_I, 0n, [U, S, M]],
] as [string, number, bigint, Privilege[]][])('%s', (_, word, status, allowed) => {
  it.each(MODES.map((mode) => [nameOf(mode), allowed.includes(mode), mode] as const))(
    'in %s-mode: allowed is %s',
    (_mode, yes, mode) => {
      const trap = tryInstruction(word, mode, prepared(status, mode));
      // An interrupt may follow a return: that is no refusal.
      const refused = trap !== undefined && trap.cause < CSR.INTERRUPT;
      expect(refused).toBe(!yes);
      if (refused) {
        expect(trap).toEqual({ to: M, cause: CAUSE.ILLEGAL, tval: BigInt(word), epc: BigInt(CODE) });
      }
    },
  );
});

describe('ecall', () => {
  it.each([
    ['U', U, CAUSE.ECALL_U],
    ['S', S, CAUSE.ECALL_S],
    ['M', M, CAUSE.ECALL_M],
  ] as const)('from %s-mode has its own cause and no tval', (_, mode, cause) => {
    expect(tryInstruction(I.ECALL, mode)).toEqual({ to: M, cause, tval: 0n, epc: BigInt(CODE) });
  });
  it('from S-mode leaves the core, pc at the ecall, when the machine answers SBI', () => {
    const hart = newHart({ sbi: true });
    hart.program([I.ECALL], S);
    expect(hart.core.run(10)).toBe('sbi');
    expect([hart.core.hart.pc, hart.core.hart.privilege]).toEqual([BigInt(CODE), S]);
  });
  it('from U-mode and M-mode traps all the same when the machine answers SBI', () => {
    for (const mode of [U, M] as const) {
      const hart = newHart({ sbi: true });
      expect(hart.execute([I.ECALL], mode)?.cause).toBe(8n + BigInt(mode));
    }
  });
});

describe('mret', () => {
  it.each([
    ['U', U],
    ['S', S],
    ['M', M],
  ] as const)('to %s-mode goes to mepc, takes MIE from MPIE, sets MPIE, leaves MPP at U', (_, to) => {
    for (const enabled of [0n, STATUS.MPIE]) {
      const hart = newHart();
      hart.setCsr(CSR.MSTATUS, (BigInt(to) << 11n) | enabled | STATUS.SIE | STATUS.SPP);
      hart.setCsr(CSR.MEPC, BigInt(CODE + 0x100));
      expect(hart.execute([I.MRET])).toBeUndefined();
      expect([hart.core.hart.pc, hart.core.hart.privilege]).toEqual([BigInt(CODE + 0x100), to]);
      const kept = STATUS.MPIE | STATUS.SIE | STATUS.SPP;
      expect(hart.csr(CSR.MSTATUS) & 0x1fffn).toBe(kept | (enabled ? STATUS.MIE : 0n));
    }
  });
  it('ends MPRV when it leaves M-mode, and only then', () => {
    for (const to of MODES) {
      const hart = newHart();
      hart.setCsr(CSR.MSTATUS, (BigInt(to) << 11n) | STATUS.MPRV);
      hart.setCsr(CSR.MEPC, BigInt(CODE + 0x100));
      hart.execute([I.MRET]);
      expect(hart.csr(CSR.MSTATUS) & STATUS.MPRV).toBe(to === M ? STATUS.MPRV : 0n);
    }
  });
});

describe('sret', () => {
  it.each([
    ['U', U, 0n],
    ['S', S, STATUS.SPP],
  ] as const)('to %s-mode goes to sepc, takes SIE from SPIE, sets SPIE, leaves SPP at U', (_, to, spp) => {
    for (const from of [S, M] as const) {
      for (const enabled of [0n, STATUS.SPIE]) {
        const hart = newHart();
        hart.setCsr(CSR.MSTATUS, spp | enabled | STATUS.MPRV | STATUS.MPP);
        hart.setCsr(CSR.SEPC, BigInt(CODE + 0x100));
        expect(hart.execute([I.SRET], from)).toBeUndefined();
        expect([hart.core.hart.pc, hart.core.hart.privilege]).toEqual([BigInt(CODE + 0x100), to]);
        const expected = STATUS.SPIE | STATUS.MPP | (enabled ? STATUS.SIE : 0n);
        expect(hart.csr(CSR.MSTATUS) & (0x1fffn | STATUS.MPRV)).toBe(expected);
      }
    }
  });
});

describe('cache-block instructions', () => {
  const all = ENVCFG.CBIE | ENVCFG.CBCFE | ENVCFG.CBZE;
  it.each([
    ['cbo.inval', I.cboInval(5), ENVCFG.CBIE],
    ['cbo.inval as a flush', I.cboInval(5), 1n << 4n],
    ['cbo.clean', I.cboClean(5), ENVCFG.CBCFE],
    ['cbo.flush', I.cboFlush(5), ENVCFG.CBCFE],
    ['cbo.zero', I.cboZero(5), ENVCFG.CBZE],
  ] as const)('%s needs its bit in menvcfg below M-mode, in senvcfg too in U-mode', (_, word, bit) => {
    const allowed = (mode: Privilege, machine: bigint, supervisor: bigint) =>
      tryInstruction(word, mode, (hart) => {
        hart.setX(5, DATA);
        hart.setCsr(CSR.MENVCFG, machine);
        hart.setCsr(CSR.SENVCFG, supervisor);
      }) === undefined;
    const family = bit & ENVCFG.CBIE ? ENVCFG.CBIE : bit;
    expect(allowed(M, 0n, 0n)).toBe(true);
    expect(allowed(S, bit, 0n)).toBe(true);
    expect(allowed(S, all & ~family, all)).toBe(false);
    expect(allowed(U, bit, bit)).toBe(true);
    expect(allowed(U, bit, all & ~family)).toBe(false);
    expect(allowed(U, all & ~family, bit)).toBe(false);
  });

  it('cbo.zero clears the 64 bytes around its address and no other', () => {
    const hart = newHart();
    hart.core.ram.fill(0xaa, 0x10000, 0x10100);
    hart.setX(5, DATA + 64 + 37);
    expect(hart.execute([I.cboZero(5)])).toBeUndefined();
    const bytes = [...hart.core.ram.subarray(0x10000, 0x10100)];
    expect(bytes).toEqual(Array.from({ length: 256 }, (_, at) => (at >= 64 && at < 128 ? 0 : 0xaa)));
  });
});
