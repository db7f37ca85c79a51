import { listGuests, resolveGuestNode } from '../guests/prepare-node.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';
import { waitForPrompt } from '../hypervisor/prompt.ts';
import type { Engine } from '../machine/machine-types.ts';
import { BENCH_PROGRAMS, loadBenchProgram } from './bench-programs.ts';
import { STATUS_GUEST_FAILED } from './exit-status.ts';
import { formatTable } from './guest.ts';
import { BENCH_HELP } from './help.ts';
import { nearest, parseChoice, parseCount, parseOptions } from './options.ts';
import { ENGINES } from './run-options.ts';
import { UsageError } from './usage-error.ts';

/** Instructions of one run of a loop: a few tenths of a second, long against start-up and clock. */
const LOOP_INSTRUCTIONS = 100_000_000;
/** A guest that has not booted by then will not. */
const BOOT_TIMEOUT_MS = 120_000;

/** One figure: the median of some runs, with the lowest and the highest beside it. */
interface Figure {
  name: string;
  kind: 'loop' | 'boot';
  unit: 'MIPS' | 'ms';
  median: number;
  lowest: number;
  highest: number;
  runs: number;
  /** Guest instructions of one run (the median one, where they differ). */
  instructions: number;
  engine: string;
}

interface Sample {
  value: number;
  instructions: number;
  engine: string;
}

/** `hypertab bench`: measures loops and boots, prints a table or JSON; returns the exit status. */
export async function bench(args: readonly string[]): Promise<number> {
  const { flags, values, words } = parseOptions(args, {
    json: 'flag',
    help: 'flag',
    engine: 'value',
    runs: 'value',
  });
  if (flags.has('help')) {
    process.stdout.write(BENCH_HELP);
    return 0;
  }
  const engine = parseChoice('--engine', values.engine ?? 'auto', ENGINES);
  const runs = parseCount('--runs', values.runs ?? '3');
  if (runs < 1 || runs > 99) throw new UsageError(`--runs: ${runs} is out of range; give 1 to 99`);
  const json = flags.has('json');
  const figures: Figure[] = [];
  for (const { name, kind } of await choose(words)) {
    const measure = kind === 'loop' ? measureLoop : measureBoot;
    const samples: Sample[] = [];
    for (let run = 0; run < runs; run++) samples.push(await measure(name, engine));
    const figure = summarise(name, kind, samples);
    figures.push(figure);
    // On a terminal a figure shows as soon as it is there.
    if (!json && process.stderr.isTTY) process.stderr.write(`${row(figure).join('  ')}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ node: process.version, figures })}\n`);
  else process.stdout.write(formatTable([HEADER, ...figures.map(row)]));
  return figures.length > 0 ? 0 : STATUS_GUEST_FAILED;
}

/** What to measure: what was named, or all loops and every prepared guest that has a prompt. */
async function choose(names: readonly string[]): Promise<{ name: string; kind: 'loop' | 'boot' }[]> {
  const guests = (await listGuests()).filter(({ kind }) => kind === 'debian');
  if (names.length === 0) {
    return [
      ...BENCH_PROGRAMS.map((name) => ({ name, kind: 'loop' as const })),
      ...guests.filter(({ prepared }) => prepared).map(({ name }) => ({ name, kind: 'boot' as const })),
    ];
  }
  const known = [...BENCH_PROGRAMS, ...guests.map(({ name }) => name)];
  return names.map((name) => {
    if (BENCH_PROGRAMS.includes(name)) return { name, kind: 'loop' };
    if (guests.some((guest) => guest.name === name)) return { name, kind: 'boot' };
    const near = nearest(name, known);
    throw new UsageError(
      `there is no benchmark '${name}'; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`}`,
    );
  });
}

async function measureLoop(name: string, engine: Engine): Promise<Sample> {
  const hypervisor = new Hypervisor();
  try {
    const bios = await loadBenchProgram(name);
    const vm = await hypervisor.create({
      bios,
      engine,
      memory: '64M',
      name,
      maxInstructions: LOOP_INSTRUCTIONS,
    });
    await vm.start();
    const reason = await vm.wait();
    const stats = await vm.stats();
    if (reason.kind !== 'limit') throw new Error(`the loop ${name} ended with '${reason.kind}'`);
    return {
      value: stats.instructions / stats.busyMs / 1000,
      instructions: stats.instructions,
      engine: stats.engine,
    };
  } finally {
    await hypervisor.destroyAll();
  }
}

async function measureBoot(name: string, engine: Engine): Promise<Sample> {
  const hypervisor = new Hypervisor({ resolveGuest: resolveGuestNode });
  try {
    const vm = await hypervisor.create({ guest: name, engine });
    const start = performance.now();
    await vm.start();
    const value = (await waitForPrompt(vm, { timeoutMs: BOOT_TIMEOUT_MS })) - start;
    const { instructions, engine: used } = await vm.stats();
    return { value, instructions, engine: used };
  } finally {
    await hypervisor.destroyAll();
  }
}

/** Median, lowest and highest of the samples. */
export function summarise(name: string, kind: Figure['kind'], samples: readonly Sample[]): Figure {
  const sorted = [...samples].sort((a, b) => a.value - b.value);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? sorted[middle]!.value : (sorted[middle - 1]!.value + sorted[middle]!.value) / 2;
  return {
    name,
    kind,
    unit: kind === 'loop' ? 'MIPS' : 'ms',
    median: round(median),
    lowest: round(sorted[0]!.value),
    highest: round(sorted.at(-1)!.value),
    runs: sorted.length,
    instructions: sorted[middle]!.instructions,
    engine: sorted[middle]!.engine,
  };
}

const HEADER = ['NAME', 'MEDIAN', 'UNIT', 'LOWEST', 'HIGHEST', 'RUNS', 'INSTRUCTIONS', 'ENGINE'];

function row(figure: Figure): string[] {
  return [
    figure.name,
    figure.median.toFixed(1),
    figure.unit,
    figure.lowest.toFixed(1),
    figure.highest.toFixed(1),
    String(figure.runs),
    String(figure.instructions),
    figure.engine,
  ];
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
