// Scenarios for the comparison with QEMU: each a random state, within what QEMU 7.2 and the specification agree on.

import * as CSR from './csr-numbers.ts';
import { ENVCFG, STATUS } from './csr-numbers.ts';
import * as I from './instructions.ts';
import { PTE } from './page-tables.ts';
import { CSR_READS, CSR_WRITES } from './privileged-csrs.ts';
import {
  ECALLS,
  PAGE,
  ROOTS,
  type Scenario,
  SLOT,
  VA_ECALLS_U,
  VA_PAGE,
  VA_SLOT_U,
  VA_SUPERPAGE,
} from './privileged-program.ts';

const A0 = 10;
const A1 = 11;
const A2 = 12;
/** A hole in the memory map. */
const NOTHING = 0x1800_0000n;

/** Numerical Recipes' LCG, upper bits: the same scenarios in every run. */
export class Chooser {
  private state: bigint;

  constructor(seed: number) {
    this.state = BigInt(seed);
  }
  below(limit: number): number {
    this.state = BigInt.asUintN(64, this.state * 6364136223846793005n + 1442695040888963407n);
    return Number((this.state >> 33n) % BigInt(limit));
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
  /** A random subset of these bits. */
  bits(mask: bigint): bigint {
    let result = 0n;
    for (let bit = 0n; bit < 64n; bit++) if ((mask >> bit) & 1n && this.chance(50)) result |= 1n << bit;
    return result;
  }
}

/** Loads, stores and atomics of a0, with a1 as the operand and a2 as the result. */
function memoryWord(choose: Chooser): number {
  const size = choose.of([1, 2, 4, 8] as const);
  const wide = choose.of([4, 8] as const);
  return choose.of([
    I.load(size, A2, A0),
    I.load(size, A2, A0),
    I.store(size, A1, A0),
    I.store(size, A1, A0),
    I.amoadd(wide, A2, A0, A1),
    I.lr(wide, A2, A0),
    I.jalr(1, A0),
    I.jalr(1, A0),
  ]);
}

/** A jump after a store could end in what was stored, and that could be anything. */
const notJump = (word: number): number => (word === I.jalr(1, A0) ? I.NOP : word);

function systemWord(choose: Chooser): number {
  return choose.of([
    I.ECALL,
    I.EBREAK,
    I.C_EBREAK,
    I.MRET,
    I.SRET,
    I.sfenceVma(),
    I.sfenceVma(A0, A1),
    I.sinvalVma(),
    I.SFENCE_W_INVAL,
    I.SFENCE_INVAL_IR,
    I.FENCE_I,
    0x0000_0000,
    0xffff_ffff,
    0x0000_9c01 | 0x40,
    I.faddD(1, 2, 3),
    I.fmvDX(1, A0),
  ]);
}

function words(choose: Chooser): readonly [number, number] {
  switch (choose.below(4)) {
    case 0:
      return [systemWord(choose), I.NOP];
    case 1: {
      const csr = choose.of(CSR_WRITES);
      const write = choose.of([I.csrrw, I.csrrs, I.csrrc])(A2, csr, A0);
      return [write, I.csrr(A2, csr)];
    }
    case 2:
      return choose.chance(50)
        ? [I.csrr(A2, choose.of(CSR_READS.stable)), I.NOP]
        : [I.csrr(0, choose.of(CSR_READS.moving)), I.NOP];
    default:
      return [memoryWord(choose), choose.chance(30) ? notJump(memoryWord(choose)) : I.NOP];
  }
}

/** A state in which a CSR write can not lock the machine up or change what QEMU and we read differently. */
function csrOperand(choose: Chooser, csr: number, clears: boolean, enabled: boolean): bigint {
  const random = choose.bits(CSR.ALL_ONES);
  switch (csr) {
    case CSR.MSTATUS:
    case CSR.SSTATUS: {
      // MPP = 2 and UXL: QEMU 7.2 stores them, the specification does not let it (WARL); it keeps VS without V, too.
      // MPRV and the interrupt enables would hit the handler.
      const fields = STATUS.SPIE | STATUS.MPIE | STATUS.SPP | STATUS.FS | STATUS.SUM | STATUS.MXR;
      const traps = STATUS.TVM | STATUS.TW | STATUS.TSR;
      const widths = clears ? 0n : 0xa_0000_0000n;
      return (random & (fields | traps)) | widths | choose.of([0n, STATUS.MPP_S, STATUS.MPP]);
    }
    case CSR.MTVEC:
    case CSR.STVEC:
      return random & ~3n; // QEMU drops a write with a reserved mode, we take its base
    case CSR.MEPC:
    case CSR.SEPC:
      return random & ~3n; // QEMU 7.2 keeps bit 0
    case CSR.MEDELEG:
      return random & 0xb1ffn; // QEMU has more causes; and an ecall of S-mode is how a scenario ends
    case CSR.SENVCFG:
      return random & ~0x20n; // CBIE = 2 is reserved
    case CSR.MENVCFG:
      return random & ~(0x20n | ENVCFG.STCE | ENVCFG.ADUE);
    case CSR.MIE:
    case CSR.SIE:
      return random & 0xaaan;
    case CSR.MIP:
    case CSR.SIP:
      return enabled ? 0n : random & 0xaaan;
    case CSR.MIDELEG:
      return random & 0x222n; // QEMU 7.2 shows interrupts of the hypervisor extension even without it
    case CSR.MCOUNTEREN:
    case CSR.SCOUNTEREN:
      return random & 0xffffffffn; // 32 bits wide; QEMU keeps 64
    default:
      return random;
  }
}

/** PMP entries over the operand's page; the fourth opens everything. */
function protection(
  choose: Chooser,
  free: boolean,
  straddles: boolean,
): Pick<Scenario, 'pmpcfg' | 'pmpaddr'> {
  const open = 0x1fn << 24n;
  if (free || choose.chance(70)) return { pmpcfg: open, pmpaddr: [0n, 0n, 0n] };
  const rights = () => BigInt(choose.of([0, 1, 3, 4, 5, 7]) | (choose.chance(15) ? 0x80 : 0));
  // One region, whole pages or eight-byte grains around the operands. An access that leaves it over the edge of a
  // page may be checked as one (QEMU) or as two (here): then both pages.
  const region = choose.of([
    (BigInt(PAGE) >> 2n) | (straddles ? 1023n : 511n),
    (BigInt(PAGE) >> 2n) | 1023n,
    (BigInt(PAGE + 0x800) >> 2n) | 0n,
    (BigInt(PAGE + 0x800) >> 2n) | 1n,
  ]);
  const config = rights() & 0x7fn;
  return { pmpcfg: open | (0x18n | config), pmpaddr: [region, 0n, 0n] };
}

/** True for lr, sc and amo, in whose faults QEMU 7.2 differs (see asStore in the test). */
export const isAmo = (word: number): boolean => (word & 0x7f) === 0x2f;

/** Store exceptions delegated as the load exceptions of the same kind are. */
const withStoreAsLoad = (medeleg: bigint): bigint => {
  const loads = medeleg & 0x2030n;
  return (medeleg & ~0x80c0n) | (loads << 2n);
};

export function makeScenario(choose: Chooser): Scenario {
  const mode = choose.of([0n, 1n, 1n, 3n]);
  const satpMode = choose.of([0, 8, 8, 9, 10] as const);
  const satp = satpMode ? (BigInt(satpMode) << 60n) | (BigInt(ROOTS[satpMode]) >> 12n) : 0n;
  const translated = satpMode !== 0 && mode !== 3n;
  const pc = translated && mode === 0n ? VA_SLOT_U : BigInt(SLOT);
  const flags = choose.chance(70) ? 0xc7n | choose.bits(0x38n) : choose.bits(0xffn);
  // QEMU 7.2 does not look at the reserved bits 54 to 60, nor at PBMTE.
  const odd = choose.chance(10) ? choose.of([PTE.N, PTE.NC, PTE.IO]) : 0n;
  // QEMU 7.2 lets U-mode execute the fences of Svinval.
  const drawn = words(choose);
  const fence = drawn[0] === I.SFENCE_W_INVAL || drawn[0] === I.SFENCE_INVAL_IR;
  const pair = fence && mode === 0n ? ([I.WFI, I.NOP] as const) : drawn;
  // QEMU 7.2 leaves MPRV set on mret and sret.
  const mprv = mode === 3n && pair[0] !== I.MRET && pair[0] !== I.SRET && choose.chance(30);
  const offset = BigInt(choose.of([0x800, 0x800, 0x808, 0x804, 0x801, 0x806, 0xff8, 0xffc, 0xffe, 0xfff]));
  // Bare addresses keep off the PCI window, where QEMU fetches from devices and allows misaligned accesses.
  const data = satpMode !== 0 && (mode !== 3n || mprv);
  const target = (pair.includes(I.jalr(1, A0)) ? translated : data)
    ? choose.of([VA_PAGE, VA_PAGE, VA_SUPERPAGE + 0x1_2000n, BigInt(PAGE), VA_PAGE + 0x1000n])
    : choose.of([BigInt(PAGE), BigInt(PAGE), NOTHING]);
  const wrong = data && choose.chance(8) ? 1n << BigInt(38 + choose.below(26)) : 0n;
  const csr = pair[0] >>> 20;
  const isCsr = (pair[0] & 0x7f) === 0x73 && ((pair[0] >> 12) & 3) !== 0;
  const delegated = choose.bits(0xb1ffn);
  // It marks a page accessed before it finds fault with its N, or with the store of an AMO.
  const accessed = pair.some(isAmo) || odd === PTE.N ? PTE.A | PTE.D : 0n;
  // QEMU 7.2 takes pending interrupts in the order of their numbers, not of section 3.1.9: one at a time here.
  const pending = choose.of([0n, 0n, CSR.SSI, CSR.STI, CSR.SEI, CSR.MSI, CSR.MTI]);
  const timer = choose.chance(20);
  const enabled = choose.chance(30);
  const status =
    choose.bits(
      STATUS.SUM | STATUS.MXR | STATUS.TVM | STATUS.TSR | STATUS.TW | STATUS.FS | STATUS.SPP | STATUS.SPIE,
    ) |
    (mprv ? STATUS.MPRV : 0n) |
    (choose.chance(30) ? STATUS.MPIE : 0n) |
    (choose.chance(40) ? STATUS.SIE : 0n);
  return {
    pc,
    mstatus: status | (mode << 11n),
    medeleg: pair.some(isAmo) ? withStoreAsLoad(delegated) : delegated,
    mideleg: choose.bits(0x222n),
    mie: enabled ? choose.bits(0xaaan) | (choose.chance(50) ? pending : 0n) : 0n,
    mip: pending & (timer ? 0x202n : 0x222n),
    // QEMU 7.2 knows no Svadu and always sets A and D itself: ADUE is set where it has no such bit.
    menvcfg:
      ENVCFG.ADUE |
      (timer ? ENVCFG.STCE : 0n) |
      (odd & (PTE.NC | PTE.IO) ? ENVCFG.PBMTE : choose.bits(ENVCFG.PBMTE)),
    senvcfg: 0n,
    mcounteren: choose.bits(7n),
    scounteren: choose.bits(7n),
    satp,
    pte: ((BigInt(PAGE) >> 12n) << 10n) | flags | odd | accessed,
    superPte: ((0x8000_0000n >> 12n) << 10n) | flags | odd | accessed | (choose.chance(10) ? 1n << 12n : 0n),
    a0: isCsr
      ? csrOperand(choose, csr, ((pair[0] >> 12) & 3) === 3, enabled)
      : (target === NOTHING ? NOTHING : target + offset) ^ wrong,
    a1: choose.bits(CSR.ALL_ONES),
    words: pair,
    stvec: BigInt(ECALLS) | (choose.chance(30) ? 1n : 0n),
    sepc: translated && !(status & STATUS.SPP) ? VA_ECALLS_U : BigInt(ECALLS),
    stimecmp: timer && pending === CSR.STI ? 0n : CSR.ALL_ONES,
    mtimecmp: pending === CSR.MTI ? 0n : CSR.ALL_ONES,
    msip: pending === CSR.MSI ? 1n : 0n,
    ...protection(choose, pair.some(isAmo), offset >= 0xff8n),
  };
}
