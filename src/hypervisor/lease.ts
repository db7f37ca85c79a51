/** The part of a lease before whose end its holder is warned, and the longest such time in milliseconds. */
const WARNING_PART = 0.1;
const WARNING_MS = 60_000;

/** What happens in the course of a lease. */
export interface LeaseEvents {
  onWarning(remainingMs: number): void;
  onEnd(leaseMs: number): void;
}

/** The time that a VM may run, whatever it does with it. */
export class Lease {
  readonly #events: LeaseEvents;
  #endsAt: number | undefined;
  #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(events: LeaseEvents) {
    this.#events = events;
  }

  /** Milliseconds left; undefined without a lease. */
  get remainingMs(): number | undefined {
    return this.#endsAt === undefined ? undefined : Math.max(0, this.#endsAt - performance.now());
  }

  /** A lease from now on, in the place of an earlier one; 0 for none. */
  grant(milliseconds: number): void {
    this.end();
    if (milliseconds === 0) return;
    this.#endsAt = performance.now() + milliseconds;
    const warning = Math.min(WARNING_MS, milliseconds * WARNING_PART);
    this.#timers = [
      setTimeout(() => this.#events.onWarning(warning), milliseconds - warning),
      setTimeout(() => {
        this.end();
        this.#events.onEnd(milliseconds);
      }, milliseconds),
    ];
    // Node: a lease alone must not keep the process.
    for (const timer of this.#timers) (timer as { unref?(): void }).unref?.();
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#endsAt = undefined;
  }
}
