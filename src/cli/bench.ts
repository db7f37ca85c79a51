import { listGuests } from '../guests/prepare-node.ts';
import { CONTAINER_GUEST, CONTAINER_SUBJECTS } from './bench-containers.ts';
import { DISK_GUEST, DISK_SUBJECTS } from './bench-disk.ts';
import { FS_SUBJECTS } from './bench-fs.ts';
import { measure, type Sample, type Subject, type Unit, unitOf } from './bench-measure.ts';
import { BENCH_PROGRAMS, loadWorkloads } from './bench-programs.ts';
import { STATUS_GUEST_FAILED } from './exit-status.ts';
import { formatTable } from './guest.ts';
import { BENCH_HELP } from './help.ts';
import { nearest, parseChoice, parseCount, parseOptions } from './options.ts';
import { ENGINES } from './run-options.ts';
import { UsageError } from './usage-error.ts';

/** One figure: the median of some runs, with the lowest and the highest beside it. */
interface Figure {
  name: string;
  kind: Subject['kind'];
  unit: Unit;
  median: number;
  lowest: number;
  highest: number;
  runs: number;
  /** Median divided by that of the same C as Wasm, for a workload. */
  ratio?: number;
  /** Guest instructions of one run (the median one, where they differ). */
  instructions: number;
  engine: string;
}

/** `hypertab bench`: measures loops, workloads and boots, prints a table or JSON; returns the exit status. */
export async function bench(args: readonly string[]): Promise<number> {
  const { flags, values, words } = parseOptions(args, {
    json: 'flag',
    help: 'flag',
    list: 'flag',
    engine: 'value',
    runs: 'value',
  });
  if (flags.has('help')) {
    process.stdout.write(BENCH_HELP);
    return 0;
  }
  const json = flags.has('json');
  const all = await listSubjects();
  if (flags.has('list')) {
    process.stdout.write(json ? `${JSON.stringify(all.map(describe))}\n` : formatList(all));
    return 0;
  }
  const engine = parseChoice('--engine', values.engine ?? 'auto', ENGINES);
  const runs = parseCount('--runs', values.runs ?? '3');
  if (runs < 1 || runs > 99) throw new UsageError(`--runs: ${runs} is out of range; give 1 to 99`);
  const figures: Figure[] = [];
  for (const subject of choose(words, all)) {
    const samples: Sample[] = [];
    for (let run = 0; run < runs; run++) samples.push(await measure(subject, engine));
    const figure = summarise(subject, samples);
    figures.push(figure);
    // On a terminal a figure shows as soon as it is there.
    if (!json && process.stderr.isTTY) process.stderr.write(`${row(figure).join('  ')}\n`);
  }
  const ratios = figures.flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
  const mean =
    ratios.length === 0
      ? undefined
      : round(Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length), 2);
  if (json) {
    process.stdout.write(`${JSON.stringify({ node: process.version, figures, ratio: mean })}\n`);
  } else {
    process.stdout.write(formatTable([HEADER, ...figures.map(row)]));
    if (mean !== undefined) {
      process.stdout.write(`RATIO: time divided by that of the same C as Wasm; geometric mean ${mean}\n`);
    }
  }
  return figures.length > 0 ? 0 : STATUS_GUEST_FAILED;
}

/** A benchmark, and whether it runs when none is named. */
type Listed = Subject & { title: string; ready: boolean };

/** Everything that can be measured; a guest that is not prepared is not ready. */
async function listSubjects(): Promise<Listed[]> {
  const prepared = await listGuests();
  const guests = prepared.filter(({ kind, internal }) => kind === 'debian' && !internal);
  const hasHost = prepared.some((guest) => guest.name === CONTAINER_GUEST && guest.prepared);
  const hasGuest = guests.some(({ name, prepared }) => name === DISK_GUEST && prepared);
  return [
    ...BENCH_PROGRAMS.map((name) => ({ kind: 'loop' as const, name, title: 'small loop', ready: true })),
    ...(await loadWorkloads()).map((workload) => ({
      kind: 'workload' as const,
      name: workload.name,
      title: workload.title,
      workload,
      ready: true,
    })),
    ...[...DISK_SUBJECTS, ...FS_SUBJECTS].map((subject) => ({ ...subject, ready: hasGuest })),
    ...CONTAINER_SUBJECTS.map((subject) => ({ ...subject, ready: hasHost })),
    ...guests.map(({ name, title, prepared }) => ({ kind: 'boot' as const, name, title, ready: prepared })),
  ];
}

/** What was named, by its own name or its kind's; without names, all that is ready. */
function choose(names: readonly string[], all: readonly Listed[]): Listed[] {
  if (names.length === 0) return all.filter(({ ready }) => ready);
  return names.flatMap((name) => {
    const found = all.filter((subject) => subject.name === name);
    if (found.length > 0) return found;
    const ofKind = all.filter(({ kind, ready }) => (kind === name || `${kind}s` === name) && ready);
    if (ofKind.length > 0) return ofKind;
    const known = [
      ...all.map((subject) => subject.name),
      'loops',
      'workloads',
      'disks',
      'fs',
      'containers',
      'boots',
    ];
    const near = nearest(name, known);
    throw new UsageError(
      `there is no benchmark '${name}'; ${near === undefined ? 'see hypertab bench --list' : `did you mean ${near}?`}`,
    );
  });
}

/** Guests that benchmarks of a kind are run in. */
const GUESTS_OF_KINDS: Partial<Record<Subject['kind'], string>> = {
  disk: DISK_GUEST,
  fs: DISK_GUEST,
  container: CONTAINER_GUEST,
};

const describe = ({ name, kind, title, ready }: Listed) => ({ name, kind, title, ready });

function formatList(all: readonly Listed[]): string {
  return formatTable([
    ['NAME', 'KIND', 'MEASURES'],
    ...all.map(({ name, kind, title, ready }) => [
      name,
      kind,
      ready ? title : `${title} (not prepared: hypertab guest prepare ${GUESTS_OF_KINDS[kind] ?? name})`,
    ]),
  ]);
}

/** Median, lowest and highest of the samples. */
export function summarise(subject: Subject, samples: readonly Sample[]): Figure {
  const { name, kind } = subject;
  const sorted = [...samples].sort((a, b) => a.value - b.value);
  const middle = sorted[sorted.length >> 1]!;
  const median = medianOf(samples.map(({ value }) => value));
  const twins = samples.flatMap(({ twin }) => (twin === undefined ? [] : [twin]));
  return {
    name,
    kind,
    unit: unitOf(subject),
    median: round(median, 1),
    lowest: round(sorted[0]!.value, 1),
    highest: round(sorted.at(-1)!.value, 1),
    runs: sorted.length,
    ...(twins.length === 0 ? {} : { ratio: round(median / medianOf(twins), 2) }),
    instructions: middle.instructions,
    engine: middle.engine,
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const HEADER = ['NAME', 'MEDIAN', 'UNIT', 'LOWEST', 'HIGHEST', 'RUNS', 'RATIO', 'INSTRUCTIONS', 'ENGINE'];

function row(figure: Figure): string[] {
  return [
    figure.name,
    figure.median.toFixed(1),
    figure.unit,
    figure.lowest.toFixed(1),
    figure.highest.toFixed(1),
    String(figure.runs),
    figure.ratio?.toFixed(2) ?? '-',
    String(figure.instructions),
    figure.engine,
  ];
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
