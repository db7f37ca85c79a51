import { describe, expect, it } from 'vitest';
import { parseDriveRates } from '../../src/cli/limit-options.ts';
import { parseDrive, parseRun } from '../../src/cli/run-options.ts';
import { formatTable, shortBytes } from '../../src/cli/top-table.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { OptionError } from '../../src/hypervisor/errors.ts';
import { NO_RATES, NO_STATS } from '../../src/hypervisor/vm-metrics.ts';

describe('limits on the command line', () => {
  it('are those of the machine to run', () => {
    const words = 'busybox --name web --cpus 0.25 --weight 50 --memory-limit 96M --lease 30m'.split(' ');
    expect(parseRun(words).vm).toEqual({
      guest: 'busybox',
      name: 'web',
      cpus: 0.25,
      weight: 50,
      memoryLimit: 96 << 20,
      lease: 1_800_000,
    });
  });

  it.each([
    ['--cpus', 'half'],
    ['--cpus', '3'],
    ['--cpus', '-1'],
    ['--weight', '0'],
    ['--lease', 'soon'],
    ['--memory-limit', 'little'],
    ['--name', '../x'],
    ['--name', '123'],
  ])('that cannot be are refused: %s %s', (option, value) => {
    let error: unknown;
    try {
      parseRun(['busybox', `${option}=${value}`]);
    } catch (thrown) {
      error = thrown;
    }
    expect(error instanceof UsageError || error instanceof OptionError).toBe(true);
  });

  it('are rates of a drive, in QEMU’s words', () => {
    expect(parseDrive('a,b.img,readonly,bps=10M,iops_wr=100')).toEqual({
      kind: 'file',
      path: 'a,b.img',
      readonly: true,
      rates: { bps: 10 << 20, iopsWrite: 100 },
    });
    expect(() => parseDrive('a.img,bps=fast')).toThrow(OptionError);
    expect(parseDriveRates('0,bps=1K,iops_rd=5')).toEqual([0, { bps: 1024, iopsRead: 5 }]);
    expect(parseDriveRates('2')).toEqual([2, {}]);
    expect(() => parseDriveRates('vda')).toThrow(UsageError);
    expect(() => parseDriveRates('0,speed=1')).toThrow(UsageError);
  });
});

describe('hypertab top', () => {
  const stats = { ...NO_STATS, ...NO_RATES, state: 'running' as const, elapsedMs: 65_000, memory: 128 << 20 };

  it('shows a machine a line, in columns', () => {
    const table = formatTable([
      { name: 'web', pid: 7, state: 'running', limits: { cpus: 0.25 }, stats: { ...stats, cpu: 0.249 } },
      { name: 'a\x1b[2Jb', pid: 12345, state: 'paused', limits: { cpus: 1 }, leaseRemainingMs: 5000, stats },
    ]);
    const [head, first, second, end] = table.split('\n');
    expect(head).toMatch(/^NAME +PID {2}STATE +CPU %/);
    expect(first).toMatch(/^web +7 {2}running +24\.9 +25 .* 1m05s +-$/);
    expect(second).toMatch(/^a\?\[2Jb {2}12345 {2}paused .* 5s$/);
    expect(end).toBe('');
    expect(formatTable([], 20).split('\n')[0]!.length).toBeLessThanOrEqual(20);
  });

  it('writes bytes with three digits', () => {
    expect([0, 999, 1000, 1536, 10 * 1024, 128 << 20, 3 * 2 ** 30].map(shortBytes)).toEqual([
      '0B',
      '999B',
      '1.0K',
      '1.5K',
      '10K',
      '128M',
      '3.0G',
    ]);
  });
});
