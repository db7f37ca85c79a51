import { expect, it } from 'vitest';
import { formatStats } from '../../src/cli/run-stats.ts';
import { NO_RATES, NO_STATS } from '../../src/hypervisor/vm-metrics.ts';

it('--stats is one line of JSON with the figures the contract names', () => {
  const stats = {
    ...NO_STATS,
    ...NO_RATES,
    instructions: 3_000_000,
    busyMs: 10,
    elapsedMs: 1500.1234,
    tlbMisses: 5,
    state: 'stopped' as const,
    memory: 1 << 28,
  };
  const line = formatStats({ stats, reason: 'poweroff', bootMs: 812.345 });
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toMatchObject({
    instructions: 3_000_000,
    seconds: 1.500123,
    mips: 300,
    boot_ms: 812.3,
    engine: 'interpreter',
    reason: 'poweroff',
    tlb_misses: 5,
    memory: 1 << 28,
  });
  expect(JSON.parse(formatStats({ stats, reason: 'quit', bootMs: undefined })).boot_ms).toBeNull();
});
