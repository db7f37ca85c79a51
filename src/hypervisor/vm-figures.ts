import type { StatsBoard, StatsSample, WorkerStats } from '../worker/stats-channel.ts';
import type { VmState, VmStats } from './types.ts';
import { NO_STATS, RateMeter, Stopwatch } from './vm-metrics.ts';

/** Milliseconds over which speed and load are measured. */
const WINDOW_MS = 500;

/** The figures of one VM: the last ones that its worker gave, and what is measured between two of them. */
export class VmFigures {
  readonly #board: StatsBoard | undefined;
  readonly #memory: number;
  readonly #onWindow: () => void;
  readonly #meter = new RateMeter();
  readonly #watch = new Stopwatch();
  #sample: StatsSample | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param board where the worker writes them; undefined where they come as messages, which are given to note()
   * @param memory bytes of guest RAM
   * @param onWindow called at the end of each window while the VM runs
   */
  constructor(board: StatsBoard | undefined, memory: number, onWindow: () => void) {
    this.#board = board;
    this.#memory = memory;
    this.#onWindow = onWindow;
  }

  /** Takes a sample that came as a message. */
  note(sample: StatsSample): void {
    this.#sample = sample;
  }

  /** The last sample; undefined before the first. */
  get latest(): StatsSample | undefined {
    const sample = this.#board?.read();
    if (sample !== undefined) this.#sample = sample;
    return this.#sample;
  }

  /** Figures as a user sees them; default: of the last sample. */
  describe(state: VmState, stats: WorkerStats = this.latest?.stats ?? NO_STATS): VmStats {
    return {
      ...stats,
      ...this.#meter.rates,
      state,
      elapsedMs: this.#watch.milliseconds,
      memory: this.#memory,
    };
  }

  /** A power cycle: time and rates begin anew. */
  reset(): void {
    this.#watch.reset();
    this.#meter.reset();
  }

  /** Measures while the VM runs, and not otherwise. */
  entered(state: VmState): void {
    clearInterval(this.#timer);
    if (state === 'running') {
      this.#watch.start();
      this.#timer = setInterval(() => {
        this.#meter.add(this.latest);
        this.#onWindow();
      }, WINDOW_MS);
      // Node: a clock that only measures must not keep the process.
      (this.#timer as { unref?(): void }).unref?.();
    } else {
      this.#watch.hold();
      this.#meter.reset();
    }
  }
}
