// With the clock that follows instructions, a run depends on nothing else: not on the engine, the host's speed, or how
// its time is cut into slices.
import { beforeAll, expect, test } from 'vitest';
import { Core } from '../../src/core/core.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { Engine, MachineConfig } from '../../src/machine/machine-types.ts';
import { coreModule } from '../support/core.ts';
import { buildProgram } from './program.ts';
import { runToEnd } from './run-machine.mjs';

let bios: Uint8Array<ArrayBuffer>;
beforeAll(() => {
  bios = buildProgram();
});

const config = (engine: Engine, seed = 5): MachineConfig => ({
  core: coreModule(),
  memory: 16 << 20,
  bios,
  engine,
  clock: 'instructions',
  seed,
});
const run = (engine: Engine, sliceMs: (slice: number) => number, seed?: number) =>
  runToEnd(Machine, Core, config(engine, seed), sliceMs);

/** Takes the host's time, so that the machine thinks it slow now and then. */
function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('interrupts, counters and times come at the same instruction on every run, however it is sliced and executed', async () => {
  const first = await run('interpreter', () => 5);
  expect(first.reason).toBe('{"kind":"poweroff"}');
  expect(first.output).toBe('E');
  expect(first.instructions).toBeGreaterThan(5_000_000);
  const others = [
    await run('interpreter', () => 0),
    await run('interpreter', (slice) => {
      stall(slice % 3);
      return slice % 7;
    }),
    await run('translator', () => 20),
    await run('translator', (slice) => slice % 2),
    await run('auto', () => 3),
  ];
  expect(others[2]!.translated).toBeGreaterThan(0.3);
  for (const other of others)
    expect([other.hash, other.instructions, other.output]).toEqual([first.hash, first.instructions, 'E']);
});

test('another seed gives another device tree, and so another state', async () => {
  const [one, two] = [await run('interpreter', () => 5, 1), await run('interpreter', () => 5, 2)];
  expect(one.instructions).toBe(two.instructions);
  expect(one.hash).not.toBe(two.hash);
});
