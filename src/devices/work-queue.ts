// What devices have to do between two stretches of guest code: no device touches guest RAM while the hart runs.

/** A piece of a device's work, made once and added again and again. */
export interface Job {
  /** Does a part of it, well under a millisecond if it can; true when there is more to do. */
  run(): boolean;
}

/** Jobs in the order they were added; one that is waiting is not added twice. */
export class WorkQueue {
  /** Called when a job was added to an empty queue: ends the guest's run, or wakes the machine. */
  onWork: () => void = () => {};
  readonly #jobs = new Set<Job>();

  get pending(): boolean {
    return this.#jobs.size > 0;
  }

  add(job: Job): void {
    this.#jobs.add(job);
    if (this.#jobs.size === 1) this.onWork();
  }

  /** The jobs that wait, in their order. */
  get waiting(): Job[] {
    return [...this.#jobs];
  }

  /** Puts jobs in place of all that wait, without a word to anybody. */
  replace(jobs: readonly Job[]): void {
    this.#jobs.clear();
    for (const job of jobs) this.#jobs.add(job);
  }

  remove(job: Job): void {
    this.#jobs.delete(job);
  }

  /** Works until nothing is left to do or `done` says so; jobs take turns. */
  run(done: () => boolean): void {
    for (const job of this.#jobs) {
      this.#jobs.delete(job);
      // A Set visits what is added behind the place it is at, so the loop comes back to it.
      if (job.run()) this.#jobs.add(job);
      if (done()) return;
    }
  }
}
