/** Answers of a device's that will come later, and a way to wait for the last of them. */
export class Pending {
  readonly #answers = new Set<Promise<void>>();

  /** Counts an answer until it has come, or failed: its owner has dealt with that. */
  add(answer: Promise<void>): void {
    const counted: Promise<void> = answer
      .catch(() => {})
      .then(() => {
        this.#answers.delete(counted);
      });
    this.#answers.add(counted);
  }

  /** Ends when none is under way. */
  async settle(): Promise<void> {
    while (this.#answers.size > 0) await Promise.all(this.#answers);
  }
}
