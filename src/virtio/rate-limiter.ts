// Rates that a device keeps to: token buckets in front of its queue. What has to wait stays in the guest's queue.

/** Bytes and operations a second; absent or 0: as many as there are. */
export interface Rates {
  bytes?: number;
  operations?: number;
}

/** Seconds of its rate that a bucket holds: what may pass at once after a rest. */
const BURST_SECONDS = 0.1;
/** A timer is not set for longer: rates may be changed meanwhile. */
const LONGEST_WAIT_MS = 1000;

/**
 * One rate. What passes may take more than there is, once: the debt is waited for afterwards, so that a request of any
 * size passes and the mean holds.
 */
class TokenBucket {
  rate = 0;
  #tokens = 0;
  #filledAt = 0;

  setRate(rate: number, now: number): void {
    this.#fill(now);
    // A debt at another rate would take another time to pay: it is the time that is owed.
    if (this.rate > 0 && rate > 0 && this.#tokens < 0) this.#tokens *= rate / this.rate;
    else this.#tokens = Math.min(this.#tokens, rate * BURST_SECONDS);
    if (this.rate === 0) this.#tokens = rate * BURST_SECONDS;
    this.rate = rate;
    this.#filledAt = now;
  }

  waitMs(now: number): number {
    if (this.rate === 0) return 0;
    this.#fill(now);
    return this.#tokens > 0 ? 0 : Math.max(1, (-this.#tokens / this.rate) * 1000);
  }

  take(amount: number): void {
    if (this.rate > 0) this.#tokens -= amount;
  }

  #fill(now: number): void {
    if (this.rate > 0) {
      const gained = (Math.max(0, now - this.#filledAt) / 1000) * this.rate;
      this.#tokens = Math.min(this.rate * BURST_SECONDS, this.#tokens + gained);
    }
    this.#filledAt = now;
  }
}

/** The rates of one direction, or of both together. */
export class RateLimiter {
  readonly #bytes = new TokenBucket();
  readonly #operations = new TokenBucket();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  set rates({ bytes = 0, operations = 0 }: Rates) {
    const now = this.#now();
    this.#bytes.setRate(bytes, now);
    this.#operations.setRate(operations, now);
  }

  /** Milliseconds until the next operation may pass; 0 for now. */
  get waitMs(): number {
    const now = this.#now();
    return Math.max(this.#bytes.waitMs(now), this.#operations.waitMs(now));
  }

  /** Notes an operation that has passed. */
  take(bytes: number): void {
    this.#bytes.take(bytes);
    this.#operations.take(1);
  }
}

/** Lets a device come back to its queue when its rates allow it. */
export class RateGate {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** True while a queue waits for its turn. */
  get waiting(): boolean {
    return this.#timer !== undefined;
  }

  /** True when all of `limiters` let something pass; otherwise `wake` is called once they may. */
  open(limiters: readonly RateLimiter[], wake: () => void): boolean {
    let wait = 0;
    for (const limiter of limiters) wait = Math.max(wait, limiter.waitMs);
    if (wait === 0) return true;
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        wake();
      },
      Math.min(Math.ceil(wait), LONGEST_WAIT_MS),
    );
    return false;
  }
}
