/** What the core calls in the host: the bus behind RAM, and the clock. */
export interface CoreHost {
  /**
   * Reads a device register.
   * @param address physical address
   * @param size bytes: 1, 2, 4 or 8
   * @returns the value; bits above `size` are ignored. `undefined` when nothing answers there (a load access fault).
   */
  mmioRead(address: number, size: number): number | bigint | undefined;
  /**
   * Writes a device register.
   * @param low bits 31..0, unsigned
   * @param high bits 63..32, unsigned (0 unless size is 8)
   * @returns false when nothing answers there (a store access fault)
   */
  mmioWrite(address: number, size: number, low: number, high: number): boolean;
  /** The machine's time in ticks of the timebase (10 MHz). Never runs backwards. */
  time(): number;
}

import type { HostFeatures } from './host-features.ts';
import type { Stateful } from './state-bytes.ts';

/** Why the core came back from `run`. */
export type CoreExit =
  | 'budget' // the instructions asked for have been executed
  | 'wfi' // the hart waits for an interrupt and none is pending
  | 'sbi' // an ecall from S-mode, with SBI answered by the machine; pc is at the ecall
  | 'double-fault' // a trap whose handler cannot be fetched
  | 'watch' // a store to the watched address was done
  | 'requested'; // requestExit() was called (by a device, during MMIO)

/** Interrupt lines into a hart, by their bit in mip. */
export type InterruptLine = 'ssi' | 'msi' | 'sti' | 'mti' | 'sei' | 'mei';

/** Privilege level as encoded in mstatus.MPP. */
export type Privilege = 0 | 1 | 3;

/** Counters since reset; all are events, not time. */
export interface CoreCounters {
  instructions: number;
  tlbMisses: number;
  pageWalks: number;
  traps: number;
  interrupts: number;
  mmio: number;
  decodedPages: number;
  evictedPages: number;
  fenceI: number;
  sfence: number;
  codeWrites: number;
  /** Regions of guest code translated, and those of them dropped since. */
  regions: number;
  droppedRegions: number;
  /** Instructions retired in translated code. */
  translatedInstructions: number;
  /** Bytes of Wasm of the regions that there are now: the code cache, at most 64 MiB. */
  codeBytes: number;
  /** Wasm modules made, and their bytes. */
  modules: number;
  moduleBytes: number;
}

/** One hart's architectural state as the host sees it. 64-bit values are unsigned bigints. */
export interface HartView {
  readonly id: number;
  pc: bigint;
  privilege: Privilege;
  getX(index: number): bigint;
  setX(index: number, value: bigint): void;
  /** Raw bits of a floating-point register (NaN-boxed). */
  getF(index: number): bigint;
  setF(index: number, value: bigint): void;
  /** Reads a CSR by address as M-mode would, without side effects of privilege; undefined if it does not exist. */
  readCsr(address: number): bigint | undefined;
  /** Writes a CSR by address as M-mode would (WARL applies); false if it does not exist or is read-only. */
  writeCsr(address: number, value: bigint): boolean;
  /** The CLINT's compare register, in ticks. */
  mtimecmp: bigint;
  /** Sstc's compare register, in ticks. */
  stimecmp: bigint;
  /** Level of an interrupt line that a device or the host drives. */
  setInterruptLine(line: InterruptLine, level: boolean): void;
  /** The exception that stopped the hart, after a 'double-fault'. */
  readonly stop: { cause: bigint; value: bigint };
}

export interface CoreOptions {
  /** Guest RAM in bytes, a multiple of 4,096. It starts at physical address 0x8000_0000. */
  ramBytes: number;
  host: CoreHost;
  /** True when an ecall from S-mode is to leave the core ('sbi') instead of trapping into M-mode. */
  sbi?: boolean;
  /** Executions after which a jump target is translated; 0 or absent: everything is interpreted. */
  hotThreshold?: number;
  /** Absent: what this host can do. Given by tests of what others cannot. */
  features?: HostFeatures;
  /** 0 or absent: time comes from host.time(). N: one tick every N instructions, for determinism. */
  instructionsPerTick?: number;
}

/** One machine's processor and RAM: the Wasm core and its linear memory. */
export interface CoreApi extends Stateful {
  /** Guest RAM as bytes; index 0 is physical 0x8000_0000. Code written here must be told: see noteRamWritten. */
  readonly ram: Uint8Array;
  readonly hart: HartView;
  /** Executes at most `maxInstructions` (exactly so, when nothing else ends the run first). */
  run(maxInstructions: number): CoreExit;
  /** Ends the current run() after the instruction under way; for devices, from within an MMIO write. */
  requestExit(): void;
  /** The host wrote RAM at [offset, offset + length): decoded code there is dropped, reservations end. */
  noteRamWritten(offset: number, length: number): void;
  /** Zeroes all of RAM; pages that were never used stay so. */
  clearRam(): void;
  /**
   * Pages of RAM that were written since the last call, or ever: bit n % 8 of byte n / 8 is page n of 4 KiB. Clears
   * what it returns. A page may be in it that was written with what it held before.
   */
  takeDirtyPages(): Uint8Array<ArrayBuffer>;
  /** Pages of RAM that hold anything but zeroes, in the same form. */
  nonZeroPages(): Uint8Array<ArrayBuffer>;
  /** Reports stores to this physical address through the exit 'watch'; undefined ends it. */
  watch(address: number | undefined): void;
  /** Architectural reset: M-mode, pc 0x1000 unless set afterwards, translation and decode state cleared; RAM is kept. */
  reset(): void;
  /** True while the hart stands in WFI. */
  readonly waiting: boolean;
  /** Earliest time in ticks at which an armed timer (mtimecmp, stimecmp) fires, or undefined. */
  nextTimer(): number | undefined;
  /** Instruction clock only: moves time on to `ticks` when that is later (an idle hart skips to its next timer). */
  advanceTime(ticks: number): void;
  /** Instructions retired since reset. */
  readonly instructions: number;
  counters(): CoreCounters;
}
