// A machine's figures on their way to the page: a board in shared memory that the page reads when it likes, or
// messages where memory cannot be shared.
import type { MachineStats } from '../machine/machine-types.ts';

/** A machine's figures, and what its worker knows of it. */
export interface WorkerStats extends MachineStats {
  /** Milliseconds in which the machine and its devices ran, since it was made. */
  hostMs: number;
  /** Milliseconds of processor time of its thread, where the system tells it; else as hostMs. */
  cpuMs: number;
  /** Milliseconds in which the guest had work and waited for its share of the host, and how often it did. */
  throttledMs: number;
  throttled: number;
}

/** Figures with the worker's time at which they were true, in milliseconds of its own clock. */
export interface StatsSample {
  at: number;
  stats: WorkerStats;
}

export type StatsEnd =
  | { kind: 'board'; board: SharedArrayBuffer }
  /** Samples come as 'stats' events (machine-control.ts). */
  | { kind: 'messages' };

/** Where each figure lies on the board. The type makes a new figure without a place a compile-time error. */
const SLOTS: Record<Exclude<keyof WorkerStats, 'engine'>, number> = {
  instructions: 0,
  tlbMisses: 1,
  pageWalks: 2,
  traps: 3,
  interrupts: 4,
  mmio: 5,
  decodedPages: 6,
  evictedPages: 7,
  fenceI: 8,
  sfence: 9,
  codeWrites: 10,
  busyMs: 11,
  sbiCalls: 12,
  regions: 13,
  droppedRegions: 14,
  translatedInstructions: 15,
  modules: 16,
  moduleBytes: 17,
  codeBytes: 18,
  hostMs: 33,
  cpuMs: 34,
  throttledMs: 19,
  throttled: 20,
  wfiExits: 21,
  budgetExits: 22,
  requestedExits: 23,
  residentBytes: 24,
  driveReads: 25,
  driveReadBytes: 26,
  driveWrites: 27,
  driveWrittenBytes: 28,
  receivedFrames: 29,
  receivedBytes: 30,
  transmittedFrames: 31,
  transmittedBytes: 32,
};
const FIGURES = Object.entries(SLOTS) as [keyof typeof SLOTS, number][];
const ENGINE_SLOT = FIGURES.length;
const AT_SLOT = ENGINE_SLOT + 1;
const SLOT_COUNT = AT_SLOT + 1;
const ENGINES: readonly WorkerStats['engine'][] = ['interpreter', 'translator'];

/** A seqlock: the sequence is odd while the writer is at work, and a reader that saw it change looks again. */
export class StatsBoard {
  readonly #sequence: Int32Array;
  readonly #slots: Float64Array;

  constructor(board: SharedArrayBuffer) {
    this.#sequence = new Int32Array(board, 0, 2);
    this.#slots = new Float64Array(board, 8, SLOT_COUNT);
  }

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(8 + 8 * SLOT_COUNT);
  }

  write(sample: StatsSample): void {
    Atomics.add(this.#sequence, 0, 1);
    for (const [name, slot] of FIGURES) this.#slots[slot] = sample.stats[name];
    this.#slots[ENGINE_SLOT] = ENGINES.indexOf(sample.stats.engine);
    this.#slots[AT_SLOT] = sample.at;
    Atomics.add(this.#sequence, 0, 1);
  }

  /** The last sample, or undefined when there is none yet or the writer is at it. */
  read(): StatsSample | undefined {
    for (let attempt = 0; attempt < 1000; attempt++) {
      const before = Atomics.load(this.#sequence, 0);
      if (before === 0) return undefined;
      if (before & 1) continue;
      const slots = Float64Array.from(this.#slots);
      if (Atomics.load(this.#sequence, 0) !== before) continue;
      const figures = Object.fromEntries(FIGURES.map(([name, slot]) => [name, slots[slot]!])) as Record<
        keyof typeof SLOTS,
        number
      >;
      return {
        at: slots[AT_SLOT]!,
        stats: { ...figures, engine: ENGINES[slots[ENGINE_SLOT]!] ?? 'interpreter' },
      };
    }
    return undefined;
  }
}
