// Guests that never let go, in Node: their owner can pause and reset them at once all the same.
import { afterAll, expect, test } from 'vitest';
import { measureReaction } from '../fuzz/reaction.mjs';
import { STORMS } from '../fuzz/storms.ts';

const entry = new URL('../../build/src/index.js', import.meta.url);
const { Hypervisor } = (await import(/* @vite-ignore */ entry.href)) as typeof import('../../src/index.ts');
const hypervisor = new Hypervisor();
afterAll(() => hypervisor.destroyAll());

const LIMIT_MS = 50;

test.each(STORMS)('$name does not keep its owner from pausing and resetting it', async ({ kind, elf }) => {
  let best = { pause: Infinity, reset: Infinity, turn: Infinity, mips: 0 };
  // Once more when the host had other things to do.
  for (let round = 0; round < 5 && !(best.pause < LIMIT_MS && best.reset < LIMIT_MS); round++)
    best = await measureReaction(await hypervisor.create({ [kind]: elf, memory: '32M' }));
  if (process.env.HYPERTAB_LONG === '1') console.log(JSON.stringify(best));
  expect(best.pause).toBeLessThan(LIMIT_MS);
  expect(best.reset).toBeLessThan(LIMIT_MS);
});
