// Operations of several steps whose answers come now or later, written as generators: as long as answers come at once,
// so does the whole.
import type { Answer } from './file-system.ts';

/** A sequence of steps with a result. Each yield is an answer that is waited for. */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** The value of an answer: `const value = yield* wait(answer)`. */
export function* wait<T>(answer: Answer<T>): Steps<T> {
  return answer instanceof Promise ? ((yield answer) as T) : answer;
}

/** Does all steps; at once when none of them has to wait. */
export function runSteps<T>(steps: Steps<T>): Answer<T> {
  const first = steps.next();
  return first.done ? first.value : later(steps, first.value);
}

async function later<T>(steps: Steps<T>, answer: Promise<unknown>): Promise<T> {
  for (let awaited = answer; ; ) {
    let value: unknown;
    let next: IteratorResult<Promise<unknown>, T>;
    try {
      value = await awaited;
    } catch (error) {
      next = steps.throw(error);
      if (next.done) return next.value;
      awaited = next.value;
      continue;
    }
    next = steps.next(value);
    if (next.done) return next.value;
    awaited = next.value;
  }
}

/** Lets sequences run one after the other; at once while none is under way. */
export class StepQueue {
  private last: Promise<unknown> | undefined;

  run<T>(steps: () => Steps<T>): Answer<T> {
    const answer = this.last === undefined ? runSteps(steps()) : this.last.then(() => runSteps(steps()));
    if (!(answer instanceof Promise)) return answer;
    const settled: Promise<unknown> = answer.then(
      () => {},
      () => {},
    );
    const mine = settled.then(() => {
      if (this.last === mine) this.last = undefined;
    });
    this.last = mine;
    return answer;
  }
}
