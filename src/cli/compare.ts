import { compare } from '../containers/compare/compare.ts';
import type { Comparison, SideFigures } from '../containers/compare/compare-types.ts';
import { decimalSize } from '../containers/docker/docker-tables.ts';
import { openImageStore } from '../containers/images/image-store-node.ts';
import { listGuests, prepareGuest } from '../guests/prepare-node.ts';
import { progressPrinter } from '../guests/progress-node.ts';
import { nodeEngine, nodeHypervisor, nodeTask } from './docker-engine.ts';
import { nodeIo } from './docker-io-node.ts';
import { formatTable } from './guest.ts';
import { COMPARE_HELP } from './help.ts';
import { parseCount, parseOptions } from './options.ts';

/** The machine that a program has to itself. */
const GUEST = 'busybox';

/** `hypertab compare`: prints a table or JSON; returns the exit status. */
export async function compareCommand(args: readonly string[]): Promise<number> {
  const { flags, values, words } = parseOptions(args, { help: 'flag', json: 'flag', runs: 'value' });
  if (flags.has('help')) {
    process.stdout.write(COMPARE_HELP);
    return 0;
  }
  const runs = values.runs === undefined ? undefined : parseCount('--runs', values.runs);
  const guests = await listGuests();
  if (guests.find(({ name }) => name === GUEST)?.prepared !== true) {
    const progress = progressPrinter();
    try {
      await prepareGuest(GUEST, { onProgress: progress.onProgress });
    } finally {
      progress.end();
    }
  }
  const images = openImageStore();
  const hypervisor = nodeHypervisor();
  const engine = nodeEngine(images, hypervisor);
  const { fetchImage } = nodeTask(images, engine);
  const io = nodeIo();
  const showsProgress = process.stderr.isTTY === true;
  try {
    const comparison = await compare({
      ...{ hypervisor, engine, images, programs: words },
      ...(runs === undefined ? {} : { runs }),
      fetchImage: (name) => fetchImage!(name, io),
      guestBytes: async (guest) => (await listGuests()).find(({ name }) => name === guest)?.download,
      onProgress: ({ program, side, run, runs: all }) => {
        if (showsProgress) process.stderr.write(`\r\x1b[K${program} as a ${side}, ${run} of ${all}`);
      },
    });
    if (showsProgress) process.stderr.write('\r\x1b[K');
    process.stdout.write(
      flags.has('json') ? `${JSON.stringify(comparison)}\n` : formatComparison(comparison),
    );
    return 0;
  } finally {
    await engine.close();
    await hypervisor.destroyAll();
  }
}

const TITLES = [
  ...['PROGRAM', 'AS', 'START', 'INSTRUCTIONS', 'RUN', 'INSTRUCTIONS', 'CPU', 'MEMORY', 'DISK', 'IN 1 GIB'],
];
const ms = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
const millions = (value: number) => `${(value / 1e6).toFixed(1)} M`;

/** The table, and what is to be known of it. */
export function formatComparison({ host, programs, runs }: Comparison): string {
  const row = (name: string, as: string, figures: SideFigures) => [
    ...[name, as, ms(figures.startMs), millions(figures.startInstructions)],
    ...[ms(figures.runMs), millions(figures.runInstructions), ms(figures.runCpuMs)],
    ...[decimalSize(figures.memoryBytes), decimalSize(figures.diskBytes), String(figures.fitInGiB)],
  ];
  const rows = programs.flatMap(({ name, vm, container }) => [
    row(name, 'VM', vm),
    row('', 'container', container),
  ]);
  const share = (ratio: number) => `${(ratio * 100).toFixed(0)} %`;
  const ratios = programs.map(
    ({ name, instructionRatio, cpuRatio }) => `${name} ${share(instructionRatio)} and ${share(cpuRatio)}`,
  );
  return [
    formatTable([TITLES, ...rows]),
    `Medians of ${runs} run${runs === 1 ? '' : 's'}. A VM starts from nothing, a container in a container host that runs: that took ${ms(host.startMs)} to start,\n`,
    `${decimalSize(host.memoryBytes)} of memory and ${decimalSize(host.diskBytes)} on disk, once for all of them.\n`,
    `Of the VM's instructions and processor time the same program took as a container: ${ratios.join(', ')}.\n`,
  ].join('');
}
