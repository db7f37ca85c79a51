import { openSync, readSync } from 'node:fs';

/**
 * Opens a clock of the processor time of the thread that calls, in milliseconds; undefined where the system has none.
 * Linux brings it up to date when the thread sleeps, and every few milliseconds while it runs.
 */
export function openThreadTime(): (() => number) | undefined {
  const text = Buffer.alloc(64);
  try {
    const file = openSync('/proc/thread-self/schedstat', 'r');
    const read = () => Number.parseInt(text.toString('latin1', 0, readSync(file, text, 0, 64, 0)), 10) / 1e6;
    return Number.isFinite(read()) ? read : undefined;
  } catch {
    return undefined;
  }
}
