import type { ImageProgress, ImageProgressListener } from '../images/types.ts';
import type { DockerIo } from './docker-io.ts';
import { decimalSize } from './docker-tables.ts';

const DRAW_MS = 100;

/** Where progress is shown. */
export interface ProgressOutput {
  write(text: string): unknown;
  /** It can be drawn over. */
  isTTY?: boolean;
}

/** Standard error of a command. */
export const errorOutput = (io: DockerIo): ProgressOutput => ({
  write: (text) => void io.stderr(text),
  isTTY: io.stdoutIsTerminal,
});

/**
 * Shows what pull and push tell: a line for each status, and on a terminal the bytes so far on the last line.
 * @param output undefined: nothing is shown
 */
export function imageProgressPrinter(
  output: ProgressOutput | undefined,
  now: () => number = () => performance.now(),
): { onProgress: ImageProgressListener; end(): void } {
  const bytes = new Map<string, { current: number; total: number }>();
  let shownAt = Number.NEGATIVE_INFINITY;
  let isOpen = false;
  const clear = () => {
    if (isOpen) output?.write('\r\x1b[K');
    isOpen = false;
  };
  const line = (text: string) => {
    clear();
    output?.write(`${text}\n`);
  };
  const draw = (status: string) => {
    if (!output?.isTTY || now() - shownAt < DRAW_MS) return;
    shownAt = now();
    const all = [...bytes.values()];
    const current = all.reduce((sum, part) => sum + part.current, 0);
    const total = all.reduce((sum, part) => sum + part.total, 0);
    output.write(`\r\x1b[K${status} ${decimalSize(current)} of ${decimalSize(total)}`);
    isOpen = true;
  };
  return {
    onProgress: ({ status, id, progressDetail }: ImageProgress) => {
      if (status === undefined) return;
      if (progressDetail?.current !== undefined) {
        if (progressDetail.total !== undefined) {
          bytes.set(id ?? '', { current: progressDetail.current, total: progressDetail.total });
          draw(status);
        }
        return;
      }
      // Too short to be seen by anyone.
      if (status === 'Verifying Checksum' || status === 'Download complete') return;
      line(id === undefined ? status : `${id}: ${status}`);
    },
    end: clear,
  };
}
