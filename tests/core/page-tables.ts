// Page tables for tests: Sv39, Sv48 and Sv57 trees in the bare core's RAM.
import { SATP } from './csr-numbers.ts';
import type { Hart } from './harness.ts';
import { RAM } from './harness.ts';

export const PTE = {
  V: 1n,
  R: 2n,
  W: 4n,
  X: 8n,
  U: 16n,
  G: 32n,
  A: 64n,
  D: 128n,
  N: 1n << 63n,
  NC: 1n << 61n,
  IO: 2n << 61n,
} as const;
/** A supervisor page with every right, already accessed and dirty. */
export const RWX = PTE.V | PTE.R | PTE.W | PTE.X | PTE.A | PTE.D;

export const SCHEMES = [
  { name: 'Sv39', mode: 8n, levels: 3 },
  { name: 'Sv48', mode: 9n, levels: 4 },
  { name: 'Sv57', mode: 10n, levels: 5 },
] as const;
export type Scheme = (typeof SCHEMES)[number];

/** Where the tables are allocated: the root first. */
export const TABLES = RAM + 0x20_0000;

export class PageTables {
  readonly scheme: Scheme;
  readonly root = TABLES;
  private readonly hart: Hart;
  private next = TABLES + 4096;

  constructor(hart: Hart, scheme: Scheme = SCHEMES[0]) {
    this.hart = hart;
    this.scheme = scheme;
    hart.core.ram.fill(0, TABLES - RAM, TABLES - RAM + 0x10_0000);
  }

  /** Writes satp; S- and U-mode translate from now on. */
  enable(): void {
    this.hart.setCsr(SATP, (this.scheme.mode << 60n) | BigInt(this.root / 4096));
  }

  /** Address of the PTE of `va` at a level (0: 4 KiB), making the tables above it. */
  slot(va: bigint, level = 0): number {
    let table = this.root;
    for (let at = this.scheme.levels - 1; at > level; at--) {
      const address = table + index(va, at) * 8;
      const pte = this.hart.read64(address);
      if (pte & 1n) table = Number(((pte >> 10n) & ((1n << 44n) - 1n)) << 12n);
      else {
        table = this.next;
        this.next += 4096;
        this.hart.write64(address, ((BigInt(table) >> 12n) << 10n) | PTE.V);
      }
    }
    return table + index(va, level) * 8;
  }

  /** Maps `va` to `pa` with these flags by a leaf at a level; returns the PTE's address. */
  map(va: bigint, pa: number | bigint, flags: bigint = RWX, level = 0): number {
    const slot = this.slot(va, level);
    this.hart.write64(slot, ((BigInt(pa) >> 12n) << 10n) | flags);
    return slot;
  }
}

function index(va: bigint, level: number): number {
  return Number((va >> BigInt(12 + 9 * level)) & 0x1ffn);
}
