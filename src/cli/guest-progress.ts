import type { GuestProgress, ProgressListener } from '../guests/progress.ts';

/** Milliseconds between two updates of a line. */
const UPDATE_MS = 100;

/** Prints the progress of preparing a guest on stderr: one moving line on a terminal, lines for steps elsewhere. */
export function progressPrinter(name: string): ProgressListener & { end(): void } {
  const { stderr } = process;
  let last = 0;
  let open = false;
  const end = () => {
    if (open) stderr.write('\n');
    open = false;
  };
  const print = (progress: GuestProgress) => {
    if (progress.kind !== 'bytes') {
      end();
      stderr.write(`${name}: ${progress.text}\n`);
      return;
    }
    const { label, done, total } = progress;
    const complete = done === total;
    if (!stderr.isTTY || (performance.now() - last < UPDATE_MS && !complete)) return;
    last = performance.now();
    const amount = total === undefined ? megabytes(done) : `${megabytes(done)} of ${megabytes(total)}`;
    stderr.write(`\r\x1b[K${name}: ${label}: ${amount}`);
    open = true;
    if (complete) end();
  };
  return Object.assign(print, { end });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
