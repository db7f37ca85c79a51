// What the device tree says of the hart, found by asking its CSRs where the answer may change.
import type { HartView } from '../core/core-types.ts';
import { MENVCFG, SATP } from './csr.ts';

export interface IsaDescription {
  /** The `riscv,isa` string. */
  string: string;
  /** The `riscv,isa-extensions` list, single letters first. */
  extensions: string[];
  mmuType: 'riscv,sv39' | 'riscv,sv48' | 'riscv,sv57' | 'riscv,none';
  /** Bytes of a cache block, for Zicbom, Zicbop and Zicboz. */
  cacheBlockBytes: number;
}

const SINGLE_LETTER = ['i', 'm', 'a', 'f', 'd', 'c'];
/** What every core of ours has: no CSR switches it off. Instructions are those of src/isa/'s table. */
const ALWAYS = [
  ...['zicbop', 'zicntr', 'zicond', 'zicsr', 'zifencei', 'zihintpause', 'zihpm'],
  ...['zawrs', 'zfhmin', 'zba', 'zbb', 'zbc', 'zbs'],
  // The TLB keeps no translation that is not valid, so a page made valid is seen at once (Svvptc 1.0).
  ...['svinval', 'svnapot', 'svvptc'],
];
/** Z extensions come before S, and among them those of I before A, F and B (ISA manual, chapter 27), then by name. */
const CATEGORIES = ['zi', 'za', 'zf', 'zb', 's'];

/** menvcfg bits that can be set where the extension exists. Privileged architecture 1.12, section 3.1.18. */
export const MENVCFG_CBIE = 0x30n;
export const MENVCFG_CBCFE = 0x40n;
export const MENVCFG_CBZE = 0x80n;
export const MENVCFG_ADUE = 1n << 61n;
export const MENVCFG_PBMTE = 1n << 62n;
export const MENVCFG_STCE = 1n << 63n;

const OPTIONAL: readonly (readonly [string, bigint])[] = [
  ['zicbom', MENVCFG_CBIE | MENVCFG_CBCFE],
  ['zicboz', MENVCFG_CBZE],
  ['sstc', MENVCFG_STCE],
  ['svadu', MENVCFG_ADUE],
  ['svpbmt', MENVCFG_PBMTE],
];

/** satp.MODE by mmu-type, largest first. Privileged architecture 1.12, table 4.4. */
const MMU_MODES = [
  ['riscv,sv57', 10n],
  ['riscv,sv48', 9n],
  ['riscv,sv39', 8n],
] as const;

/** Describes a hart in M-mode after reset; the CSRs it tries are left as they were. */
export function describeIsa(hart: HartView): IsaDescription {
  const optional: string[] = [];
  const before = hart.readCsr(MENVCFG);
  if (before !== undefined) {
    hart.writeCsr(MENVCFG, 0xffffffffffffffffn);
    const there = hart.readCsr(MENVCFG) ?? 0n;
    hart.writeCsr(MENVCFG, before);
    for (const [name, bits] of OPTIONAL) if ((there & bits) === bits) optional.push(name);
  }
  const present = [...optional, ...ALWAYS].sort();
  const multiLetter = CATEGORIES.flatMap((category) => present.filter((name) => name.startsWith(category)));
  return {
    string: `rv64${SINGLE_LETTER.join('')}_${multiLetter.join('_')}`,
    extensions: [...SINGLE_LETTER, ...multiLetter],
    mmuType: findMmuType(hart),
    cacheBlockBytes: 64,
  };
}

function findMmuType(hart: HartView): IsaDescription['mmuType'] {
  const before = hart.readCsr(SATP) ?? 0n;
  let found: IsaDescription['mmuType'] = 'riscv,none';
  for (const [type, mode] of MMU_MODES) {
    hart.writeCsr(SATP, mode << 60n);
    // Section 4.1.11: a write with an unsupported mode has no effect.
    if ((hart.readCsr(SATP) ?? 0n) >> 60n === mode) {
      found = type;
      break;
    }
  }
  hart.writeCsr(SATP, before);
  return found;
}

/** The description for M-mode firmware, which may leave menvcfg.ADUE clear: hardware A/D updates are not promised. */
export function withoutHardwareDirty(isa: IsaDescription): IsaDescription {
  return {
    ...isa,
    string: isa.string.replace('_svadu', ''),
    extensions: isa.extensions.filter((name) => name !== 'svadu'),
  };
}
