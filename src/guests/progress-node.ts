import type { WriteStream } from 'node:tty';
import type { GuestProgress, ProgressListener } from './progress.ts';

/** Where progress is shown: a terminal gets a bar that is drawn over, anything else gets lines. */
export type ProgressOutput = Pick<WriteStream, 'write'> & { isTTY?: boolean; columns?: number };

export interface ProgressPrinter {
  onProgress: ProgressListener;
  /** Ends the line under way. */
  end(): void;
}

const DRAW_MS = 100;
const LINE_MS = 5_000;

/** Bytes in decimal units, as package managers show them: 112.0 MB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

const formatTime = (seconds: number) =>
  seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`;

/** Shows what prepareGuest reports: bytes, rate and time left. `now` is in milliseconds. */
export function progressPrinter(
  output: ProgressOutput = process.stderr,
  now: () => number = () => performance.now(),
): ProgressPrinter {
  let open = false;
  let label = '';
  let startedAt = 0;
  let shownAt = Number.NEGATIVE_INFINITY;
  const closeLine = () => {
    if (open) output.write('\n');
    open = false;
  };
  const bytes = (progress: GuestProgress & { kind: 'bytes' }) => {
    const time = now();
    if (progress.label !== label) {
      closeLine();
      label = progress.label;
      startedAt = time;
      shownAt = Number.NEGATIVE_INFINITY;
    }
    const finished = progress.done === progress.total;
    const interval = output.isTTY ? DRAW_MS : LINE_MS;
    // A file that comes at once needs no line of progress but its last.
    if (!finished && time - Math.max(shownAt, output.isTTY ? shownAt : startedAt) < interval) return;
    shownAt = time;
    const text = describe(
      progress,
      (time - startedAt) / 1000,
      output.isTTY ? (output.columns ?? 80) : undefined,
    );
    if (!output.isTTY) {
      output.write(`${text}\n`);
      return;
    }
    output.write(`\r${text}\x1b[K`);
    open = true;
    if (finished) closeLine();
  };
  return {
    onProgress: (progress) => {
      if (progress.kind === 'bytes') {
        bytes(progress);
        return;
      }
      closeLine();
      label = '';
      output.write(`${progress.text}\n`);
    },
    end: closeLine,
  };
}

function describe(
  progress: GuestProgress & { kind: 'bytes' },
  seconds: number,
  columns: number | undefined,
): string {
  const { done, total, resumed, label } = progress;
  const rate = seconds > 0.05 ? (done - resumed) / seconds : 0;
  const parts = [total === undefined ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`];
  if (rate > 0) parts.push(`${formatBytes(rate)}/s`);
  if (total !== undefined && done < total && rate > 0)
    parts.push(`${formatTime((total - done) / rate)} left`);
  const figures = parts.join(', ');
  if (columns === undefined) return `${label}: ${figures}`;
  const room = columns - 1 - figures.length - 2;
  const name = label.slice(0, Math.max(8, room - 14));
  const width = Math.min(24, room - name.length - 3);
  if (total === undefined || width < 6) return `${name}  ${figures}`.slice(0, columns - 1);
  const filled = Math.round((done / Math.max(1, total)) * width);
  return `${name} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${figures}`;
}
