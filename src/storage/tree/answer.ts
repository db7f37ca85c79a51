import type { Answer } from './file-system.ts';

/** Goes on with an answer: at once when it is there, else when it comes. */
export function andThen<T, U>(answer: Answer<T>, next: (value: T) => Answer<U>): Answer<U> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}

/** Does something with each item in turn; at once as long as the answers come at once. */
export function forEach<T>(items: readonly T[], use: (item: T) => Answer<void>, from = 0): Answer<void> {
  for (let index = from; index < items.length; index++) {
    const answer = use(items[index]!);
    if (answer instanceof Promise) return answer.then(() => forEach(items, use, index + 1));
  }
}
