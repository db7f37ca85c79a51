import { describe, expect, it } from 'vitest';
import { formatBytes, progressPrinter } from '../../src/guests/progress-node.ts';

/** A printer with a clock of its own, and what it has written. */
function printer(terminal: { columns: number } | undefined) {
  let text = '';
  let time = 0;
  const output = {
    isTTY: terminal !== undefined,
    columns: terminal?.columns,
    write: (chunk: string | Uint8Array) => {
      text += chunk;
      return true;
    },
  };
  const { onProgress, end } = progressPrinter(output, () => time);
  const bytes = (seconds: number, done: number, total?: number, resumed = 0) => {
    time = seconds * 1000;
    onProgress({ kind: 'bytes', label: 'kernel.deb', done, total, resumed });
  };
  return { onProgress, end, bytes, text: () => text };
}

describe('progressPrinter', () => {
  it('draws one line over and over on a terminal: bar, bytes, rate, time left', () => {
    const { bytes, text } = printer({ columns: 100 });
    bytes(0, 0, 100e6);
    bytes(2, 50e6, 100e6);
    expect(text().split('\r').at(-1)).toBe(
      'kernel.deb [############............] 50.0 MB of 100.0 MB, 25.0 MB/s, 2 s left\x1b[K',
    );
    bytes(4, 100e6, 100e6);
    expect(text().split('\n')).toHaveLength(2);
    expect(text().endsWith('100.0 MB of 100.0 MB, 25.0 MB/s\x1b[K\n')).toBe(true);
  });

  it('fits a line into the terminal', () => {
    for (const columns of [40, 60, 80, 120]) {
      const { bytes, text } = printer({ columns });
      bytes(0, 0, 112e6);
      bytes(50, 50e6, 112e6);
      for (const line of text().replaceAll('\x1b[K', '').split('\r'))
        expect(line.length).toBeLessThan(columns);
    }
  });

  it('counts only what this run has fetched for rate and time left', () => {
    const { bytes, text } = printer({ columns: 100 });
    bytes(0, 90e6, 100e6, 90e6);
    bytes(1, 91e6, 100e6, 90e6);
    expect(text()).toContain('91.0 MB of 100.0 MB, 1.0 MB/s, 9 s left');
  });

  it('writes plain lines where there is no terminal, the last bytes always', () => {
    const { bytes, onProgress, text } = printer(undefined);
    onProgress({ kind: 'step', text: 'fetching' });
    for (let second = 0; second <= 12; second++) bytes(second, second * 1e6, 12e6);
    onProgress({ kind: 'note', text: 'done' });
    expect(text().split('\n')).toEqual([
      'fetching',
      'kernel.deb: 5.0 MB of 12.0 MB, 1.0 MB/s, 7 s left',
      'kernel.deb: 10.0 MB of 12.0 MB, 1.0 MB/s, 2 s left',
      'kernel.deb: 12.0 MB of 12.0 MB, 1.0 MB/s',
      'done',
      '',
    ]);
  });

  it('ends an unfinished line before the next text', () => {
    const { bytes, onProgress, end, text } = printer({ columns: 80 });
    bytes(0, 1000);
    onProgress({ kind: 'step', text: 'next' });
    end();
    expect(text()).toBe('\rkernel.deb  1.0 kB\x1b[K\nnext\n');
  });

  it('shows bytes in decimal units', () => {
    expect([0, 999, 1000, 999_949, 999_950, 112_012_420, 5e9].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '999.9 kB',
      '1.0 MB',
      '112.0 MB',
      '5.0 GB',
    ]);
  });
});
