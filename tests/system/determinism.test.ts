// A kernel boots and works through commands, with time that follows instructions: the same state at the end on every run.
import { expect, test } from 'vitest';
import { Core } from '../../src/core/core.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { Engine } from '../../src/machine/machine-types.ts';
import { linuxGuest } from '../determinism/linux.ts';
import { runToEnd } from '../determinism/run-machine.mjs';
import { coreModule } from '../support/core.ts';

test('Linux boots to the same registers, memory and output twice, interpreted and translated', async () => {
  const guest = linuxGuest();
  const run = (engine: Engine, sliceMs: (slice: number) => number) =>
    runToEnd(
      Machine,
      Core,
      { core: coreModule(), memory: 128 << 20, ...guest, engine, clock: 'instructions', seed: 11 },
      sliceMs,
    );
  const first = await run('auto', () => 8);
  expect(first.reason, first.output).toBe('{"kind":"poweroff"}');
  // The generator's seed and the date are the configuration's.
  expect(first.output).toContain('2025');
  const others = [
    await run('auto', (slice) => slice % 5),
    await run('interpreter', () => 30),
    await run('translator', (slice) => slice % 11),
  ];
  for (const other of others) {
    expect(other.output).toBe(first.output);
    expect([other.hash, other.instructions]).toEqual([first.hash, first.instructions]);
  }
  expect(first.translated).toBeGreaterThan(0.2);
});
