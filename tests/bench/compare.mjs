// Compares engines on the same workloads: time divided by the same C compiled to Wasm, measured in one run and in
// turn; medians of several rounds. How to read it: docs/measuring.md. `--help` lists the options.
import { bareMachine, linuxGuest } from './engine-hypertab.mjs';
import { native, qemu, wasm } from './engine-native.mjs';
import { guestWork, reportGuestWork } from './guest-work.mjs';
import { readOptions } from './options.mjs';
import { pythonWork } from './python-work.mjs';
import { geometricMean, median, spread, table } from './statistics.mjs';
import { workloads } from './workloads.mjs';

/** @typedef {import('./engine-native.mjs').BenchEngine} BenchEngine */

/** @type {Record<string, { about: string, make: () => BenchEngine | Promise<BenchEngine> }>} */
const engines = {
  wasm: { about: 'the same C as Wasm in this Node: 1.0', make: wasm },
  native: { about: "the same C for this machine's processor", make: native },
  qemu: { about: 'native qemu-riscv64, user mode', make: qemu },
  hypertab: { about: 'our Linux guest, best engine', make: linuxGuest('auto') },
  translator: { about: 'our Linux guest, --engine translator', make: linuxGuest('translator') },
  interpreter: { about: 'our Linux guest, --engine interpreter', make: linuxGuest('interpreter') },
  bare: { about: 'our machine without an operating system', make: bareMachine('auto') },
  v86: {
    about: "v86 in Node with Debian's i386 kernel and busybox (downloads both)",
    make: async () => (await import('./engine-v86.mjs')).v86(),
  },
  'chromium-wasm': {
    about: 'the Wasm twins in Chromium',
    make: async () => (await import('./engine-chromium.mjs')).chromiumWasm(),
  },
  'chromium-hypertab': {
    about: 'our Linux guest in Chromium, best engine',
    make: async () => (await import('./engine-chromium.mjs')).chromiumGuest('auto'),
  },
};
const chromiumEngines = ['chromium-wasm', 'chromium-hypertab'];
const standard = ['wasm', 'qemu', 'hypertab'];

const help = `Usage: node tests/bench/compare.mjs [OPTIONS] [WORKLOAD...]

  --engines LIST   default ${standard.join(',')}; there are:
${Object.entries(engines)
  .map(([name, { about }]) => `                     ${name.padEnd(18)} ${about}`)
  .join('\n')}
  --chromium       adds ${chromiumEngines.join(',')}
  --v86            adds v86
  --rounds N       default 3
  --guest-work     also boot, gzip, sha256sum, 200 processes, a shell loop in the Linux guests
  --only-guest-work
  --json           one JSON object on stdout

Workloads: ${workloads.map(({ name }) => name).join(' ')}
`;

const { values, positionals } = readOptions('compare', {
  allowPositionals: true,
  options: {
    engines: { type: 'string', default: standard.join(',') },
    chromium: { type: 'boolean', default: false },
    v86: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    'guest-work': { type: 'boolean', default: false },
    'only-guest-work': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const rounds = Number(values.rounds);
const names = [
  ...new Set([
    ...values.engines.split(','),
    ...(values.v86 ? ['v86'] : []),
    ...(values.chromium ? chromiumEngines : []),
  ]),
];
const chosen =
  positionals.length === 0 ? workloads : workloads.filter(({ name }) => positionals.includes(name));
for (const [what, wrong] of [
  ['engine', names.find((name) => !(name in engines))],
  ['workload', positionals.find((name) => !workloads.some((workload) => workload.name === name))],
  ['number of rounds', Number.isInteger(rounds) && rounds > 0 ? undefined : values.rounds],
]) {
  if (wrong === undefined) continue;
  process.stderr.write(`compare: '${wrong}' is no ${what}; see --help\n`);
  process.exit(2);
}

const note = (/** @type {string} */ text) => {
  process.stderr.write(`${text}\n`);
};

/** @type {Map<string, BenchEngine>} */
const running = new Map();
const report = { node: process.version, rounds, date: new Date().toISOString(), workloads: {}, means: {} };
try {
  for (const name of names) {
    note(`starting ${name}`);
    const engine = await engines[name].make();
    running.set(name, engine);
    await engine.start();
  }
  if (!values['only-guest-work']) await compareWorkloads();
  if (values['guest-work'] || values['only-guest-work'])
    report.guestWork = {
      ...(await guestWork(running, rounds, note)),
      ...(await pythonWork([...running.keys()], rounds, note)),
    };
} catch (error) {
  // What has been measured is worth showing.
  process.stderr.write(`compare: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else print();
  for (const engine of running.values()) await engine.stop();
}

async function compareWorkloads() {
  for (const workload of chosen) {
    /** @type {Record<string, { first: number, samples: number[] }>} */
    const figures = {};
    for (let round = 0; round < rounds; round++) {
      for (const [name, engine] of running) {
        await engine.resume();
        // The first pass of each round warms up; the very first is kept, as what somebody sees who runs it once.
        const passes = await engine.run(workload, 2);
        await engine.suspend();
        for (const { checksum } of passes) {
          if (checksum !== workload.checksum)
            throw new Error(
              `${workload.name} on ${name}: checksum ${checksum} instead of ${workload.checksum}`,
            );
        }
        figures[name] ??= { first: passes[0].ms, samples: [] };
        figures[name].samples.push(passes[1].ms);
      }
    }
    report.workloads[workload.name] = Object.fromEntries(
      Object.entries(figures).map(([name, { first, samples }]) => {
        const reference = referenceOf(name);
        return [
          name,
          {
            ms: median(samples),
            spread: spread(samples),
            firstMs: first,
            ...(figures[reference] ? { ratio: median(samples) / median(figures[reference].samples) } : {}),
          },
        ];
      }),
    );
    note(
      `${workload.name}: ${names.map((name) => `${name} ${median(figures[name].samples).toFixed(0)} ms`).join(', ')}`,
    );
  }
  for (const name of names) {
    const ratios = chosen.map((workload) => report.workloads[workload.name][name].ratio);
    if (ratios.every((ratio) => ratio !== undefined)) report.means[name] = geometricMean(ratios);
  }
}

/** Chromium's engines are measured against Chromium's Wasm. */
function referenceOf(/** @type {string} */ name) {
  return name.startsWith('chromium-') ? 'chromium-wasm' : 'wasm';
}

function print() {
  const columns = names.flatMap((name) => [name, '±']);
  const rows = Object.entries(report.workloads).map(([workload, figures]) => [
    workload,
    ...names.flatMap((name) => {
      const { ms, ratio, spread: share } = figures[name];
      const value = name === referenceOf(name) ? `${ms.toFixed(0)} ms` : (ratio ?? ms).toFixed(2);
      return [value, `${(share * 100).toFixed(0)}%`];
    }),
  ]);
  if (rows.length > 0) {
    const means = names.flatMap((name) => [report.means[name]?.toFixed(2) ?? '', '']);
    process.stdout.write(table([['', ...columns], ...rows, ['geometric mean', ...means]]));
    process.stdout.write('Times divided by the Wasm twin; medians with the farthest sample beside them.\n');
  }
  if (report.guestWork) process.stdout.write(reportGuestWork(report.guestWork));
}
