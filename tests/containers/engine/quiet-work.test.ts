import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QuietWork } from '../../../src/containers/engine/quiet-work.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A task that ends when it is told to, and notes that it began. */
function task(name: string, begun: string[]) {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const run = () => {
    begun.push(name);
    return ended;
  };
  return { run, end };
}

describe('work for a quiet moment', () => {
  it('waits until nobody waits, and is done in order', async () => {
    const quiet = new QuietWork();
    const begun: string[] = [];
    const [start, first, second] = ['start', 'first', 'second'].map((name) => task(name, begun));
    const during = quiet.during(start!.run);
    quiet.later(first!.run);
    quiet.later(second!.run);
    await vi.advanceTimersByTimeAsync(1000);
    expect(begun).toEqual(['start']);
    start!.end();
    await during;
    expect(begun).toEqual(['start']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(begun).toEqual(['start', 'first']);
    first!.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toEqual(['start', 'first', 'second']);
  });

  it('goes on when what somebody waited for is over', async () => {
    const quiet = new QuietWork();
    const begun: string[] = [];
    const [first, start, second] = ['first', 'start', 'second'].map((name) => task(name, begun));
    quiet.later(first!.run);
    quiet.later(second!.run);
    await vi.advanceTimersByTimeAsync(1000);
    const during = quiet.during(start!.run);
    first!.end();
    await vi.advanceTimersByTimeAsync(1000);
    expect(begun).toEqual(['first', 'start']);
    start!.end();
    await during;
    await vi.advanceTimersByTimeAsync(1000);
    expect(begun).toEqual(['first', 'start', 'second']);
  });

  it('does not grow for ever when it is never quiet', async () => {
    const quiet = new QuietWork();
    let done = 0;
    void quiet.during(() => new Promise(() => {}));
    for (let count = 0; count < 100; count++) quiet.later(async () => void done++);
    await vi.advanceTimersByTimeAsync(0);
    expect(done).toBeGreaterThan(80);
    expect(done).toBeLessThan(100);
    await quiet.flush();
    expect(done).toBe(100);
  });

  it('is forgotten when there is nothing to work on any more', async () => {
    const quiet = new QuietWork();
    let done = 0;
    quiet.later(async () => void done++);
    quiet.close();
    quiet.later(async () => void done++);
    await vi.advanceTimersByTimeAsync(1000);
    expect(done).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
