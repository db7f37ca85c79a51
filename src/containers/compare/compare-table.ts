import { decimalSize } from '../docker/docker-tables.ts';
import type { Comparison, SideFigures } from './compare-types.ts';

const TITLES = ['PROGRAM', 'AS', 'START', 'M', 'RUN', 'M', 'CPU', 'MEMORY', 'DISK', 'IN 1 GIB'];
const ms = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
const millions = (value: number) => (value / 1e6).toFixed(1);

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
  const widths = TITLES.map((title, column) =>
    Math.max(title.length, ...rows.map((cells) => cells[column]!.length)),
  );
  const share = (ratio: number) => `${(ratio * 100).toFixed(0)} %`;
  const ratios = programs.map(
    ({ name, instructionRatio, cpuRatio }) =>
      `  ${name.padEnd(widths[0]!)}  ${share(instructionRatio)} of the instructions, ${share(cpuRatio)} of the processor time`,
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  const disk = host.diskBytes > 0 ? `, ${decimalSize(host.diskBytes)} on disk` : '';
  return [
    ...[TITLES, ...rows].map(line),
    `Medians of ${runs} run${runs === 1 ? '' : 's'}; M: million instructions. A VM starts from nothing, a container`,
    `in a host that runs: that took ${ms(host.startMs)}, ${decimalSize(host.memoryBytes)} of memory${disk}, once for all;`,
    `a container that only waits takes ${decimalSize(host.idleContainerBytes)}.`,
    'Container to VM, of the program alone:',
    ...ratios,
    '',
  ].join('\n');
}
