import type { LineHistory } from './line-editor.ts';

const KEY = 'hypertab host console';
const LINES_MAX = 500;

/** Lines that were typed, kept in this browser where it lets one. */
export function storedHistory(): LineHistory {
  let lines: string[] = [];
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    if (Array.isArray(stored)) lines = stored.filter((line) => typeof line === 'string').slice(-LINES_MAX);
  } catch {
    // Nothing of ours, or no storage: a history of this page alone.
  }
  return {
    lines: () => lines,
    add: (line) => {
      if (lines.at(-1) === line) return;
      lines = [...lines, line].slice(-LINES_MAX);
      try {
        localStorage.setItem(KEY, JSON.stringify(lines));
      } catch {
        // No room: the history is this page's.
      }
    },
  };
}
