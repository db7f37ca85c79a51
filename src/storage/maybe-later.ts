// Steps that end at once or later, one after the other, without a trip through the event loop where none is needed.
import type { MaybeLater } from './block-backend.ts';

/** Runs `next` when `step` has ended. */
export function after(step: MaybeLater, next: () => MaybeLater): MaybeLater {
  return step === undefined ? next() : step.then(next);
}

/** Ends when all have ended; fails with the first failure, but not before all have ended. */
export function all(steps: readonly MaybeLater[]): MaybeLater {
  const later = steps.filter((step) => step !== undefined);
  if (later.length === 0) return undefined;
  return Promise.allSettled(later).then((results) => {
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  });
}

/** Runs `step` for 0 … count - 1 in turn; stops at the first failure. */
export function inTurn(count: number, step: (index: number) => MaybeLater): MaybeLater {
  for (let index = 0; index < count; index++) {
    const result = step(index);
    if (result !== undefined) return restInTurn(result, index + 1, count, step);
  }
  return undefined;
}

async function restInTurn(
  first: Promise<void>,
  from: number,
  count: number,
  step: (index: number) => MaybeLater,
): Promise<void> {
  await first;
  for (let index = from; index < count; index++) {
    const result = step(index);
    if (result !== undefined) await result;
  }
}
