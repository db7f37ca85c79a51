import type { HartView, InterruptLine, Privilege } from '../../src/core/core-types.ts';

/** A hart as devices and firmware see it: registers and CSRs are plain storage, lines are recorded. */
export class FakeHart implements HartView {
  readonly id = 0;
  pc = 0n;
  privilege: Privilege = 3;
  mtimecmp = 0n;
  stimecmp = 0n;
  stop = { cause: 0n, value: 0n };
  readonly x = new BigUint64Array(32);
  readonly f = new BigUint64Array(32);
  readonly csrs = new Map<number, bigint>();
  readonly lines = new Set<InterruptLine>();
  /** Bits of menvcfg that exist. */
  menvcfgMask = (7n << 61n) | 0xf1n;
  /** Largest satp mode. */
  largestMode = 10n;

  getX(index: number): bigint {
    return this.x[index] ?? 0n;
  }
  setX(index: number, value: bigint): void {
    if (index > 0) this.x[index] = value;
  }
  getF(index: number): bigint {
    return this.f[index] ?? 0n;
  }
  setF(index: number, value: bigint): void {
    this.f[index] = value;
  }
  readCsr(address: number): bigint | undefined {
    return this.csrs.get(address) ?? 0n;
  }
  writeCsr(address: number, value: bigint): boolean {
    if (address >> 10 === 3) return false;
    if (address === 0x30a) this.csrs.set(address, value & this.menvcfgMask);
    else if (address !== 0x180 || value >> 60n === 0n || value >> 60n <= this.largestMode) {
      this.csrs.set(address, BigInt.asUintN(64, value));
    }
    return true;
  }
  setInterruptLine(line: InterruptLine, level: boolean): void {
    if (level) this.lines.add(line);
    else this.lines.delete(line);
  }
}
