import type { CoreApi, CoreCounters, CoreExit, CoreOptions } from '../../src/core/core-types.ts';
import type { StateReader, StateWriter } from '../../src/core/state-bytes.ts';
import { FakeHart } from '../devices/fake-hart.ts';

/** What the "guest" does in one run; the last step repeats for ever. */
export type Step = (core: FakeCore, budget: number) => CoreExit;

/** A core whose program is a list of functions. */
export class FakeCore implements CoreApi {
  readonly ram: Uint8Array;
  readonly hart = new FakeHart();
  readonly options: CoreOptions;
  waiting = false;
  instructions = 0;
  timer: number | undefined;
  watched: number | undefined;
  resets = 0;
  steps: Step[] = [];
  exitRequested = false;
  private at = 0;

  constructor(options: CoreOptions) {
    this.options = options;
    this.ram = new Uint8Array(options.ramBytes);
  }

  run(budget: number): CoreExit {
    const step = this.steps[Math.min(this.at++, this.steps.length - 1)]!;
    return step(this, budget);
  }
  requestExit(): void {
    this.exitRequested = true;
  }
  noteRamWritten(): void {}
  clearRam(): void {
    this.ram.fill(0);
  }
  readonly stateVersion = 1;
  saveState(writer: StateWriter): void {
    writer.u64(this.hart.pc);
  }
  loadState(reader: StateReader): () => void {
    const pc = reader.u64();
    return () => {
      this.hart.pc = pc;
    };
  }
  takeDirtyPages(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.ram.length >> 15).fill(0xff);
  }
  nonZeroPages(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.ram.length >> 15).fill(0xff);
  }
  watch(address: number | undefined): void {
    this.watched = address;
  }
  reset(): void {
    this.resets++;
    this.instructions = 0;
    this.waiting = false;
    this.hart.x.fill(0n);
    this.hart.csrs.clear();
    this.hart.privilege = 3;
    this.hart.pc = 0x1000n;
  }
  nextTimer(): number | undefined {
    return this.timer;
  }
  advanceTime(ticks: number): void {
    const now = Number(this.hart.csrs.get(0xc01) ?? 0n);
    if (ticks > now) this.hart.csrs.set(0xc01, BigInt(ticks));
  }
  counters(): CoreCounters {
    const none = { tlbMisses: 0, pageWalks: 0, traps: 0, interrupts: 0, mmio: 0, decodedPages: 0 };
    const translation = {
      regions: 0,
      droppedRegions: 0,
      translatedInstructions: 0,
      modules: 0,
      moduleBytes: 0,
      codeBytes: 0,
    };
    return {
      instructions: this.instructions,
      ...none,
      evictedPages: 0,
      fenceI: 0,
      sfence: 0,
      codeWrites: 0,
      ...translation,
    };
  }

  store(address: number, value: number, size = 4): boolean {
    return this.options.host.mmioWrite(address, size, value, 0);
  }
  load(address: number, size = 4): number | bigint | undefined {
    return this.options.host.mmioRead(address, size);
  }
  /** An ecall with these registers; the machine answers before the next step. */
  ecall(extension: bigint, id: bigint, ...args: bigint[]): CoreExit {
    this.hart.setX(17, extension);
    this.hart.setX(16, id);
    for (let index = 0; index < 6; index++) this.hart.setX(10 + index, args[index] ?? 0n);
    return 'sbi';
  }
}

/** Executes its whole budget. */
export const busy: Step = (core, budget) => {
  core.waiting = false;
  core.instructions += budget;
  return 'budget';
};

/** Waits for an interrupt. */
export const wfi: Step = (core) => {
  core.waiting = true;
  core.instructions += 1;
  return 'wfi';
};

/** Prints a text through the UART. */
export const print =
  (text: string): Step =>
  (core, budget) => {
    for (const byte of new TextEncoder().encode(text)) core.store(0x10000000, byte, 1);
    return busy(core, Math.min(budget, 10 * text.length));
  };
