import type { MaybeLater } from './block-backend.ts';

/** Lets changes happen one after the other, reads beside them, and some work with nothing beside it. */
export class OperationQueue {
  /** Ends with the last change that waits or is under way; never fails. */
  #changes: Promise<void> | undefined;
  /** Ends with the work that must be alone; never fails. */
  #alone: Promise<void> | undefined;
  readonly #reads = new Set<Promise<void>>();

  /** Runs a step beside other reads and changes. */
  read(step: () => MaybeLater): MaybeLater {
    const result = this.#alone === undefined ? step() : this.#alone.then(step);
    if (result === undefined) return undefined;
    this.#reads.add(result);
    const done = () => this.#reads.delete(result);
    result.then(done, done);
    return result;
  }

  /** Runs a step after all changes before it; at once when there is none. */
  change(step: () => MaybeLater): MaybeLater {
    const result = this.#changes === undefined ? step() : this.#changes.then(step);
    if (result === undefined) return undefined;
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#changes = settled;
    settled.then(() => {
      if (this.#changes === settled) this.#changes = undefined;
    });
    return result;
  }

  /** Runs a step when every change and read before it has ended; what comes later waits for it. */
  async alone<T>(step: () => Promise<T>): Promise<T> {
    let outcome: Promise<T> | undefined;
    const run = async () => {
      const reads = [...this.#reads];
      outcome = Promise.allSettled(reads).then(step);
      const settled = outcome.then(
        () => undefined,
        () => undefined,
      );
      this.#alone = settled;
      await settled;
      if (this.#alone === settled) this.#alone = undefined;
    };
    await this.change(run);
    return outcome as Promise<T>;
  }
}
