import { expect, it } from 'vitest';
import { compareAgent } from '../../../scripts/build-agent.mjs';

it('the agent that is checked in is that of its sources', { timeout: 60_000 }, async () => {
  const { sources, binary, rebuilt } = await compareAgent();
  expect({ sources, binary }).toEqual({ sources: true, binary: true });
  // Where the compiler is the one that made it, it comes out the same; elsewhere there is nothing to compare with.
  expect(rebuilt).not.toBe(false);
});
