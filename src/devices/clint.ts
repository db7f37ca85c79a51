// Core-local interruptor in SiFive's layout: software interrupt and timer of one hart.
// SiFive FU540-C000 manual, chapter 9; the offsets are those of the RISC-V ACLINT 1.0 MSWI and MTIMER devices.
import type { HartView } from '../core/core-types.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import type { MmioDevice } from './device.ts';

/** Software interrupt pending, hart 0 (32 bits, bit 0 counts). */
export const CLINT_MSIP = 0x0;
/** Compare register, hart 0 (64 bits). */
export const CLINT_MTIMECMP = 0x4000;
/** The time, in ticks of the timebase (64 bits). */
export const CLINT_MTIME = 0xbff8;
export const CLINT_SIZE = 0x10000;

/** Where the time comes from: ticks of the timebase. */
export interface TickSource {
  now(): number;
  /** Moves the time; absent where it follows the instructions executed and cannot be moved. */
  set?(ticks: number): void;
}

const LOW_WORD = 0xffffffffn;

export class Clint implements MmioDevice, Stateful {
  readonly name = 'clint';
  readonly size = CLINT_SIZE;
  private readonly hart: HartView;
  private readonly clock: TickSource;
  private softwareInterrupt = false;
  readonly stateVersion = 1;

  constructor(hart: HartView, clock: TickSource) {
    this.hart = hart;
    this.clock = clock;
  }

  read(offset: number, size: 1 | 2 | 4): number {
    const word = Number((this.read64(offset & ~7) >> BigInt((offset & 4) * 8)) & LOW_WORD);
    const shifted = word >>> ((offset & 3) * 8);
    return size === 4 ? shifted : shifted & (size === 2 ? 0xffff : 0xff);
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset === CLINT_MSIP) {
      this.setSoftwareInterrupt((value & 1) !== 0);
      return;
    }
    // The 64-bit registers take whole words only.
    if (size !== 4 || (offset & 3) !== 0) return;
    const old = this.read64(offset & ~7);
    const word = BigInt(value >>> 0);
    this.write64(offset & ~7, offset & 4 ? (word << 32n) | (old & LOW_WORD) : (old & ~LOW_WORD) | word);
  }

  read64(offset: number): bigint {
    switch (offset) {
      case CLINT_MSIP:
        return this.softwareInterrupt ? 1n : 0n;
      case CLINT_MTIMECMP:
        return this.hart.mtimecmp;
      case CLINT_MTIME:
        return BigInt(Math.floor(this.clock.now()));
      default:
        return 0n;
    }
  }

  write64(offset: number, value: bigint): void {
    if (offset === CLINT_MSIP) this.setSoftwareInterrupt((value & 1n) !== 0n);
    else if (offset === CLINT_MTIMECMP) this.hart.mtimecmp = value;
    else if (offset === CLINT_MTIME) this.clock.set?.(Number(value));
  }

  reset(): void {
    this.setSoftwareInterrupt(false);
    this.hart.mtimecmp = 0xffffffffffffffffn;
  }

  /** mtimecmp and the wire are the hart's, mtime is the clock's. */
  saveState(writer: StateWriter): void {
    writer.flag(this.softwareInterrupt);
  }

  loadState(reader: StateReader): () => void {
    const level = reader.flag();
    return () => {
      this.softwareInterrupt = level;
    };
  }

  private setSoftwareInterrupt(level: boolean): void {
    this.softwareInterrupt = level;
    this.hart.setInterruptLine('msi', level);
  }
}
