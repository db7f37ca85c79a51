// How exactly shares of the host's cores hold: the processor time of each machine's thread, as Linux counts it, over
// windows of 100 ms. Machines that spin, in Node.
// Usage: node tests/bench/shares.mjs [SECONDS [PATTERN]]; PATTERN chooses among the titles.
// On a computer that does other things: chrt -r 1 node tests/bench/shares.mjs
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Hypervisor } from '../../build/src/index.js';

const seconds = Number(process.argv[2] ?? 5);
const wanted = new RegExp(process.argv[3] ?? '');
/** `j .`: a machine that always has work. */
const SPIN = new Uint8Array([0x6f, 0, 0, 0]);
const PERIOD_MS = 100;
/** Where in a period the figures are taken: late, when a machine with a share of a core sleeps. */
const PHASE_MS = 97;

/** Milliseconds of processor time of each thread of this process. */
function threads() {
  const found = new Map();
  for (const id of readdirSync('/proc/self/task')) {
    try {
      found.set(id, Number(readFileSync(`/proc/self/task/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6);
    } catch {
      // A thread that has just ended.
    }
  }
  return found;
}

const now = () => performance.timeOrigin + performance.now();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs machines with these limits; returns what each used of each window, as a share of a core. */
async function measure(limits, cores) {
  const hypervisor = new Hypervisor({ cores });
  try {
    const before = new Set(threads().keys());
    const ids = [];
    const vms = [];
    for (const each of limits) {
      const known = new Set([...threads().keys()]);
      const vm = await hypervisor.create({ bios: SPIN, memory: '16M', engine: 'interpreter', ...each });
      ids.push([...threads().keys()].filter((id) => !known.has(id) && !before.has(id)));
      vms.push(vm);
    }
    for (const vm of vms) await vm.start();
    await pause(1500);
    const windows = limits.map(() => []);
    let last;
    let lastAt = 0;
    const end = now() + seconds * 1000;
    while (now() < end) {
      const to = Math.floor(now() / PERIOD_MS) * PERIOD_MS + PERIOD_MS + PHASE_MS;
      await pause(to - now());
      const at = now();
      const used = threads();
      if (last !== undefined && at - lastAt < PERIOD_MS + 3 && at - lastAt > PERIOD_MS - 3) {
        for (const [index, own] of ids.entries()) {
          const ms = own.reduce((sum, id) => sum + (used.get(id) ?? 0) - (last.get(id) ?? 0), 0);
          windows[index].push(ms / PERIOD_MS);
        }
      }
      last = used;
      lastAt = at;
    }
    const stats = await Promise.all(vms.map((vm) => vm.stats()));
    return windows.map((shares, index) => ({ shares, cpu: stats[index].cpu }));
  } finally {
    await hypervisor.destroyAll();
  }
}

const percent = (share) => `${(share * 100).toFixed(1)} %`.padStart(7);
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

async function show(title, limits, expected, cores = availableParallelism()) {
  if (!wanted.test(title)) return;
  const results = await measure(limits, cores);
  console.log(title);
  for (const [index, { shares, cpu }] of results.entries()) {
    const sorted = [...shares].sort((a, b) => a - b);
    const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
    const want = expected[index];
    const near = shares.filter((share) => Math.abs(share / want - 1) <= 0.03).length / shares.length;
    console.log(
      `  ${JSON.stringify(limits[index]).padEnd(30)} wanted ${percent(want)}  mean ${percent(mean(shares))}` +
        `  5th ${percent(at(0.05))}  median ${percent(at(0.5))}  95th ${percent(at(0.95))}` +
        `  within 3 %: ${percent(near)} of ${shares.length} windows  vm.stats().cpu ${percent(cpu)}`,
    );
  }
}

for (const cpus of [0.05, 0.1, 0.25, 0.5, 0.75, 0.9]) await show(`--cpus ${cpus}`, [{ cpus }], [cpus]);
await show('weights 300 and 100 on one core', [{ weight: 300 }, { weight: 100 }], [0.75, 0.25], 1);
await show('three alike on two cores', [{}, {}, {}], [2 / 3, 2 / 3, 2 / 3], 2);
await show(
  'weights 200, 100 and 100 on one core, the first with --cpus 0.2',
  [{ weight: 200, cpus: 0.2 }, {}, {}],
  [0.2, 0.4, 0.4],
  1,
);

/** `addi t0,t0,1; xor t1,t1,t0; j -8`: a machine that computes. */
const COMPUTE = words(0x00128293, 0x00534333, 0xff9ff06f);
/** Machines that are bad neighbours: spinning, storming a register, flooding the console, overrunning their memory. */
const NEIGHBOURS = [
  SPIN,
  words(0x100002b7, 0x0052c303, 0xffdff06f),
  words(0x100002b7, 0x07800313, 0x00628023, 0xffdff06f),
  words(0x00000297, 0x04028293, 0x0052b023, 0x00828293, 0xff9ff06f),
  words(0),
  SPIN,
  SPIN,
];

function words(...list) {
  return new Uint8Array(Uint32Array.from(list).buffer);
}

/** Parts of a period that eight machines on one core have each, in milliseconds. */
const SLOT_MS = PERIOD_MS / 8;

const ratioOf = (ratios) => {
  ratios.sort((a, b) => a - b);
  return `median ${percent(ratios[2])} (${percent(ratios[0])} to ${percent(ratios[4])})`;
};

/**
 * The speed of a machine beside seven bad ones, and alone: in instructions per second of its thread's processor time, and
 * per second in guest code; and the processor time between slices in each period of 100 ms.
 */
async function neighbours() {
  // One core for all: what is left of the computer is its own.
  const hypervisor = new Hypervisor({ cores: 1 });
  try {
    const vm = await hypervisor.create({ bios: COMPUTE, memory: '32M' });
    await vm.start();
    const speed = async () => {
      await pause(1000);
      const before = await vm.stats();
      const from = now();
      await pause(seconds * 1000);
      const after = await vm.stats();
      const grown = (figure) => after[figure] - before[figure];
      return {
        thread: grown('instructions') / grown('cpuMs') / 1000,
        guest: grown('instructions') / grown('busyMs') / 1000,
        between: ((grown('cpuMs') - grown('hostMs')) / (now() - from)) * PERIOD_MS,
      };
    };
    await speed();
    const [thread, guest] = [[], []];
    for (let round = 0; round < 5; round++) {
      const alone = await speed();
      const others = [];
      for (const bios of NEIGHBOURS) {
        const other = await hypervisor.create({ bios, memory: '32M' });
        await other.start();
        others.push(other);
      }
      const beside = await speed();
      await Promise.all(others.map((other) => other.destroy()));
      thread.push(beside.thread / alone.thread);
      guest.push(beside.guest / alone.guest);
      console.log(
        `  ${alone.thread.toFixed(0)} MIPS alone, ${beside.thread.toFixed(0)} beside seven others; ` +
          `in guest code ${alone.guest.toFixed(0)} and ${beside.guest.toFixed(0)}; ` +
          `${beside.between.toFixed(2)} ms of a period between slices`,
      );
    }
    console.log(`  per processor time of its thread: ${ratioOf(thread)}`);
    console.log(`  per time in guest code:           ${ratioOf(guest)}`);
  } finally {
    await hypervisor.destroyAll();
  }
}

/** A thread that only counts, in slots like those of eight machines: what waking up once in a period costs any thread. */
async function bareThreads() {
  const program = `
    const { readFileSync } = require('node:fs');
    const { parentPort, workerData: slot } = require('node:worker_threads');
    const used = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
    (async () => {
      let counted = 0;
      let before = 0;
      for (let period = 0; ; period++) {
        if (period % 20 === 0) {
          const now = used();
          if (period > 20) parentPort.postMessage((now - before - counted) / 20);
          before = now;
          counted = 0;
        }
        const at = performance.timeOrigin + performance.now();
        const begin = Math.floor(at / ${PERIOD_MS}) * ${PERIOD_MS} + slot * ${SLOT_MS};
        await new Promise((resolve) => setTimeout(resolve, Math.ceil(begin + (begin > at ? 0 : ${PERIOD_MS}) - at)));
        for (let slice = 0; slice < 3; slice++) {
          const from = performance.now();
          while (performance.now() - from < ${SLOT_MS - 0.5} / 3);
          counted += performance.now() - from;
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    })();`;
  const between = [];
  const workers = Array.from({ length: 8 }, (_, slot) => {
    const worker = new Worker(program, { eval: true, workerData: slot });
    worker.on('message', (ms) => between.push(ms));
    return worker;
  });
  await pause(seconds * 2000 + 5000);
  await Promise.all(workers.map((worker) => worker.terminate()));
  between.sort((a, b) => a - b);
  const [least, median, most] = [between[0], between[between.length >> 1], between.at(-1)];
  console.log(
    `  ${median.toFixed(2)} ms of a period of ${PERIOD_MS} ms beside what they count (${least.toFixed(2)} to ${most.toFixed(2)}): ` +
      `${percent(median / SLOT_MS)} of an eighth of a core`,
  );
}

if (wanted.test('neighbours')) {
  console.log('neighbours: a machine beside seven bad ones on one core');
  await neighbours();
  console.log('neighbours: eight threads without machines, in the same slots');
  await bareThreads();
}
