// A machine's share of a host core, enforced in the worker that runs it.

/** Milliseconds over which a share is enforced, as cgroup's cpu.max has them. */
export const PERIOD_MS = 100;
/** Milliseconds below which what is left of a share is not worth a slice. */
const LEAST_MS = 0.05;
/**
 * What is held back of a quota until processor time has been looked at: milliseconds, at most this part of the quota.
 * Waking up costs some 0.5 ms on a virtual computer, which is a tenth of a share of 0.05.
 */
const HELD_BACK_MS = 1;
const HELD_BACK_PART = 0.2;
/** A host that gave a slice so much less than its time is busy otherwise. */
const BUSY_PART = 0.1;
/**
 * Most that a slice is charged where processor time cannot be read, in milliseconds: five times what a slice is asked to
 * take. One that takes longer was not run by a busy host for most of it, and is not to pay for that for seconds.
 */
const MOST_CHARGED_MS = 20;
/** Milliseconds of sleep after which a thread's processor time is known exactly. */
const LOOK_MS = 1;

/** What a machine may take of the host. */
export interface CpuPlan {
  /** Share of one core, more than 0 to 1; 1 is no limit. */
  quota: number;
  /**
   * The parts of each period in which it may run, [begin, end) in milliseconds, ascending; absent: at any time.
   * Periods begin at multiples of PERIOD_MS on the clock that all workers have in common.
   */
  slots?: readonly (readonly [begin: number, end: number])[];
}

/** Everything: what a machine has until it is told otherwise. */
export const WHOLE_CORE: CpuPlan = { quota: 1 };

/**
 * Says when a machine may run, and for how long.
 *
 * A quota is filled up at the beginning of each period and not saved for later; what a slice took too much is taken
 * from the next period, so that the mean is exact. A slice is charged the time that passed, which on a busy host is
 * more than it had, and waking up and counting are charged to no slice: where processor time can be read, the end of a
 * quota is run after a moment's sleep that brings it up to date, and what a slice did not have is given back in the same
 * period. In slots, what counts is the time of day; what a slice took beyond the end of
 * one, the next is shorter by.
 */
export class CpuShare {
  readonly #now: () => number;
  readonly #threadTime: (() => number) | undefined;
  #plan: CpuPlan = WHOLE_CORE;
  /** Milliseconds left in this period; negative after a slice that took too long. */
  #left = 0;
  #period = -Infinity;
  /** Charged since processor time was last compared, and what that was then. */
  #charged = 0;
  #comparedAt: number | undefined;
  #slept = false;
  /** In this period: it has run, and processor time has been looked at since. */
  #ran = false;
  #looked = false;
  #isBusy = false;
  /** What the last period was charged and did not have, as far as it was seen too late. */
  #credit = 0;
  /** The slot that it is in, or was in last, and what slices took beyond the ends of slots. */
  #slotBegin = -Infinity;
  #slotEnd = -Infinity;
  #debt = 0;

  /**
   * @param now milliseconds on the clock that all workers have in common
   * @param threadTime milliseconds of processor time of this thread, exact after it has slept
   */
  constructor(now: () => number = commonClock, threadTime?: () => number) {
    this.#now = now;
    this.#threadTime = threadTime;
  }

  get plan(): CpuPlan {
    return this.#plan;
  }

  set plan(plan: CpuPlan) {
    this.#slotBegin = -Infinity;
    if (this.unlimited) {
      this.#charged = 0;
      this.#comparedAt = this.#threadTime?.();
    }
    this.#plan = plan;
    this.#left = Math.min(this.#left, plan.quota * PERIOD_MS);
  }

  /** True while it may run at any time. */
  get unlimited(): boolean {
    return this.#plan.slots === undefined && this.#plan.quota >= 1;
  }

  /** Milliseconds that it may run from now on: 0 when it has to wait, Infinity without a limit. */
  allowance(): number {
    if (this.unlimited) return Infinity;
    const { slots } = this.#plan;
    const now = this.#now();
    const begin = Math.floor(now / PERIOD_MS) * PERIOD_MS;
    if (slots !== undefined) {
      const slot = slots.find(([from, to]) => now - begin >= from && now - begin < to);
      if (slot === undefined) return 0;
      this.#enterSlot(begin + slot[0], begin + slot[1]);
      return this.#slotEnd - now < LEAST_MS ? 0 : this.#slotEnd - now;
    }
    if (this.#slept) this.#compare();
    this.#refill(begin);
    const left = this.#left - this.#heldBack();
    return left < LEAST_MS ? 0 : Math.min(left, begin + PERIOD_MS - now);
  }

  /** Milliseconds to sleep, when allowance() was 0, before it is asked again. */
  wait(): number {
    this.#slept = true;
    if (this.#isToLook()) return LOOK_MS;
    const now = this.#now();
    const begin = Math.floor(now / PERIOD_MS) * PERIOD_MS;
    const { slots, quota } = this.#plan;
    if (slots !== undefined) {
      const next = slots.find(([from]) => begin + from > now);
      if (next !== undefined) return begin + next[0] - now;
      return begin + PERIOD_MS + (slots[0]?.[0] ?? 0) - now;
    }
    // A debt of several periods' quota takes as many to pay back.
    const periods = Math.floor(Math.max(0, LEAST_MS - this.#left) / (quota * PERIOD_MS)) + 1;
    return begin + periods * PERIOD_MS - now;
  }

  /** Notes that it has run. */
  charge(milliseconds: number): void {
    if (this.unlimited) return;
    if (this.#plan.slots !== undefined) {
      const over = Math.min(milliseconds, this.#now() - this.#slotEnd);
      this.#debt = Math.min(PERIOD_MS, this.#debt + Math.max(0, over));
    }
    this.#left -= this.#threadTime === undefined ? Math.min(MOST_CHARGED_MS, milliseconds) : milliseconds;
    this.#charged += milliseconds;
    this.#ran = true;
  }

  #isToLook(): boolean {
    if (this.#threadTime === undefined || this.#plan.slots !== undefined || this.#charged === 0) return false;
    return !this.#looked || this.#isBusy;
  }

  /** Milliseconds that are not to be run before processor time has been looked at. */
  #heldBack(): number {
    if (this.#threadTime === undefined || this.#looked || this.#isBusy) return 0;
    const held = Math.min(HELD_BACK_MS, HELD_BACK_PART * this.#plan.quota * PERIOD_MS);
    // What debts have left of a quota is not worth two runs.
    return this.#ran || this.#left > 2 * held ? held : 0;
  }

  /** A slot that begins pays what earlier ones owe. */
  #enterSlot(begin: number, end: number): void {
    if (begin === this.#slotBegin) return;
    const paid = Math.min(this.#debt, end - begin);
    this.#debt -= paid;
    this.#slotBegin = begin;
    this.#slotEnd = end - paid;
  }

  /** Gives back what was charged and not had. */
  #compare(): void {
    this.#slept = false;
    const charged = this.#charged;
    this.#charged = 0;
    if (this.#threadTime === undefined) return;
    const had = this.#threadTime();
    const used = had - (this.#comparedAt ?? had);
    this.#comparedAt = had;
    this.#looked = true;
    this.#isBusy = charged - used > BUSY_PART * charged;
    this.#credit = Math.max(0, Math.min(HELD_BACK_MS, charged - used));
    this.#left += charged - used;
  }

  #refill(begin: number): void {
    const full = this.#plan.quota * PERIOD_MS;
    const periods = (begin - this.#period) / PERIOD_MS;
    this.#period = begin;
    if (periods <= 0) return;
    this.#left = Math.min(full + this.#credit, this.#left + Math.min(periods, 1e6) * full);
    this.#credit = 0;
    this.#ran = false;
    this.#looked = false;
  }
}

function commonClock(): number {
  return performance.timeOrigin + performance.now();
}
