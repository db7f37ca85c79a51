import type { StatsSample, WorkerStats } from '../worker/stats-channel.ts';

/** Figures of a machine that has not run. */
export const NO_STATS: WorkerStats = {
  engine: 'interpreter',
  instructions: 0,
  tlbMisses: 0,
  pageWalks: 0,
  traps: 0,
  interrupts: 0,
  mmio: 0,
  decodedPages: 0,
  evictedPages: 0,
  fenceI: 0,
  sfence: 0,
  codeWrites: 0,
  regions: 0,
  droppedRegions: 0,
  translatedInstructions: 0,
  modules: 0,
  moduleBytes: 0,
  codeBytes: 0,
  busyMs: 0,
  sbiCalls: 0,
  wfiExits: 0,
  budgetExits: 0,
  requestedExits: 0,
  residentBytes: 0,
  driveReads: 0,
  driveReadBytes: 0,
  driveWrites: 0,
  driveWrittenBytes: 0,
  receivedFrames: 0,
  receivedBytes: 0,
  transmittedFrames: 0,
  transmittedBytes: 0,
  hostMs: 0,
  cpuMs: 0,
  throttledMs: 0,
  throttled: 0,
};

/** What is measured between two samples: millions of instructions, share of a core, and bytes a second. */
export const NO_RATES = {
  mips: 0,
  cpu: 0,
  driveReadRate: 0,
  driveWriteRate: 0,
  receiveRate: 0,
  transmitRate: 0,
};

/** Speed, host load and I/O over the time between two samples. */
export class RateMeter {
  rates: Readonly<typeof NO_RATES> = NO_RATES;
  #last: StatsSample | undefined;

  /** Closes the window at `sample`; no newer sample than the last one means that the guest did nothing. */
  add(sample: StatsSample | undefined): void {
    const last = this.#last;
    this.#last = sample ?? last;
    this.rates = NO_RATES;
    if (sample === undefined || last === undefined || sample.at <= last.at) return;
    const instructions = sample.stats.instructions - last.stats.instructions;
    // Fewer than before: the machine was reset in between.
    if (instructions < 0) return;
    const elapsed = sample.at - last.at;
    const rate = (name: 'driveReadBytes' | 'driveWrittenBytes' | 'receivedBytes' | 'transmittedBytes') =>
      (Math.max(0, sample.stats[name] - last.stats[name]) / elapsed) * 1000;
    this.rates = {
      mips: instructions / elapsed / 1000,
      cpu: Math.min(1, Math.max(0, (sample.stats.cpuMs - last.stats.cpuMs) / elapsed)),
      driveReadRate: rate('driveReadBytes'),
      driveWriteRate: rate('driveWrittenBytes'),
      receiveRate: rate('receivedBytes'),
      transmitRate: rate('transmittedBytes'),
    };
  }

  reset(): void {
    this.rates = NO_RATES;
    this.#last = undefined;
  }
}

/** A stopwatch that can be held. */
export class Stopwatch {
  #elapsed = 0;
  #since: number | undefined;

  start(): void {
    this.#since ??= performance.now();
  }

  hold(): void {
    this.#elapsed = this.milliseconds;
    this.#since = undefined;
  }

  reset(): void {
    this.#elapsed = 0;
    this.#since = undefined;
  }

  get milliseconds(): number {
    return this.#elapsed + (this.#since === undefined ? 0 : performance.now() - this.#since);
  }
}
