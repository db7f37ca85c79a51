// How long a machine takes to pause and to start anew, measured where its owner waits: in Node or on the page.

/** @typedef {{ pause: number, reset: number, turn: number, mips: number }} Reaction milliseconds */

const sorted = (/** @type {number[]} */ times) => [...times].sort((a, b) => a - b);
const median = (/** @type {number[]} */ times) => sorted(times)[times.length >> 1] ?? NaN;
const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

async function timed(/** @type {() => Promise<unknown>} */ action) {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
}

/**
 * Starts a machine and measures it while it runs: medians of seven pauses and five resets, and the longest time
 * that the owner's own thread took for a turn of its event loop.
 * @param {import('../../src/hypervisor/types.ts').VirtualMachine} vm
 * @returns {Promise<Reaction>}
 */
export async function measureReaction(vm) {
  await vm.start();
  await sleep(250);
  const pauses = [];
  const resets = [];
  const turns = [];
  for (let round = 0; round < 7; round++) {
    pauses.push(await timed(() => vm.pause()));
    await vm.resume();
    await sleep(10 + round);
    turns.push((await timed(() => sleep(1))) - 1);
  }
  const { mips } = await vm.stats();
  for (let round = 0; round < 5; round++) {
    resets.push(await timed(() => vm.reset()));
    await sleep(20);
  }
  await vm.destroy();
  return { pause: median(pauses), reset: median(resets), turn: median(turns), mips };
}
