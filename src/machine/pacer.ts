// Sizes the instruction budget of one run so that the host gets to look at the clock every few milliseconds.

const TARGET_MS = 2;
const LEAST = 2000;
const MOST = 20_000_000;
/** A run shorter than this says more about the clock than about the speed. */
const LEAST_MEASURED_MS = 0.2;

export class Pacer {
  private perMs = 50_000;

  /** Instructions for the next run, which is to last no longer than `milliseconds`. */
  budget(milliseconds = Infinity): number {
    return Math.round(Math.min(MOST, Math.max(LEAST, this.perMs * Math.min(TARGET_MS, milliseconds))));
  }

  /** Notes how long a run took. Slowing down counts at once, speeding up gradually. */
  note(instructions: number, ms: number): void {
    if (ms < LEAST_MEASURED_MS) {
      // Too fast to measure although it used its whole budget: ask for more.
      if (instructions >= this.budget()) this.perMs *= 2;
      return;
    }
    const measured = instructions / ms;
    this.perMs = measured < this.perMs ? measured : this.perMs + (measured - this.perMs) / 4;
  }
}
