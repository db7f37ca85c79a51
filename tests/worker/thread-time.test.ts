import { platform } from 'node:os';
import { expect, it } from 'vitest';
import { openThreadTime } from '../../src/worker/thread-time-node.ts';

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

it('on Linux the processor time of a thread passes while it works, and hardly while it sleeps', async () => {
  const threadTime = openThreadTime();
  expect(threadTime === undefined).toBe(platform() !== 'linux');
  if (threadTime === undefined) return;
  await sleep(5);
  const [begin, from] = [threadTime(), performance.now()];
  let sum = 0;
  // However little of its time the host gives this thread, 20 ms of work are 20 ms of work.
  while (threadTime() - begin < 20) for (let index = 0; index < 1e5; index++) sum += Math.sqrt(index);
  expect(sum).toBeGreaterThan(0);
  await sleep(5);
  const worked = threadTime() - begin;
  expect(worked).toBeLessThanOrEqual(performance.now() - from + 5);
  await sleep(200);
  expect(threadTime() - begin - worked).toBeLessThan(100);
});
