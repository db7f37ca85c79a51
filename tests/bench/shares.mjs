// How exactly shares of the host's cores hold: the processor time of each machine's thread, as Linux counts it, over
// windows of 100 ms. Machines that spin, in Node.
// Usage: node tests/bench/shares.mjs [SECONDS [PATTERN]]; PATTERN chooses among the titles.
// On a computer that does other things: chrt -r 1 node tests/bench/shares.mjs
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
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

/** The speed of a machine beside seven bad ones, and alone, in instructions per second of its own processor time. */
async function neighbours() {
  // One core for all: what is left of the computer is its own.
  const hypervisor = new Hypervisor({ cores: 1 });
  try {
    const vm = await hypervisor.create({ bios: COMPUTE, memory: '32M' });
    await vm.start();
    const speed = async () => {
      await pause(500);
      const before = await vm.stats();
      await pause(seconds * 1000);
      const after = await vm.stats();
      return (after.instructions - before.instructions) / (after.cpuMs - before.cpuMs) / 1000;
    };
    await speed();
    const ratios = [];
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
      ratios.push(beside / alone);
      console.log(`  ${alone.toFixed(0)} MIPS alone, ${beside.toFixed(0)} beside seven others`);
    }
    ratios.sort((a, b) => a - b);
    console.log(
      `  median ${(ratios[2] * 100).toFixed(1)} % (${(ratios[0] * 100).toFixed(1)} to ${(ratios[4] * 100).toFixed(1)} %)`,
    );
  } finally {
    await hypervisor.destroyAll();
  }
}

if (wanted.test('neighbours')) {
  console.log('neighbours: speed per processor time');
  await neighbours();
}
