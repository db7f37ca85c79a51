import type { Comparison, SideFigures } from 'hypertab';
import { h } from '../views/dom.ts';
import { type CompareStrings, compareStrings } from './strings.ts';

const COLUMNS = [
  'startMs',
  'startInstructions',
  'runMs',
  'runInstructions',
  'runCpuMs',
  'memoryBytes',
  'diskBytes',
  'fitInGiB',
] as const satisfies readonly (keyof SideFigures)[];

/** A figure as its column has it: milliseconds, millions or a count. */
function show(column: (typeof COLUMNS)[number], value: number): string {
  if (column === 'fitInGiB') return String(value);
  if (column.endsWith('Ms')) return value.toFixed(value < 10 ? 1 : 0);
  return (value / 1e6).toFixed(1);
}

/** What was measured of one side, and then of the other, with their ratios under them. */
export function comparisonTable(
  comparison: Comparison,
  strings: CompareStrings = compareStrings(),
): HTMLElement {
  const { programs, host, runs } = comparison;
  const head = h(
    'tr',
    {},
    ...[strings.program, strings.as, ...COLUMNS.map((column) => strings.columns[column])].map((text) =>
      h('th', { scope: 'col' }, text),
    ),
  );
  const bodies = programs.map(({ name, title, vm, container }) => {
    const row = (first: HTMLElement | false, as: string, cells: readonly string[], className = '') =>
      h('tr', { className }, first, h('th', { scope: 'row' }, as), ...cells.map((cell) => h('td', {}, cell)));
    const figures = (side: SideFigures) => COLUMNS.map((column) => show(column, side[column]));
    const ratios = COLUMNS.map((column) =>
      vm[column] > 0 ? `${Number((container[column] / vm[column]).toPrecision(2))}` : '',
    );
    const first = h('th', { scope: 'rowgroup', rowSpan: 3, title }, name);
    return h(
      'tbody',
      {},
      row(first, strings.vm, figures(vm)),
      row(false, strings.container, figures(container)),
      row(false, strings.ratio, ratios, 'ratio'),
    );
  });
  const megabytes = (bytes: number, digits = 0) => (bytes / 1e6).toFixed(digits);
  const shared = strings.host(
    host.startMs.toFixed(0),
    megabytes(host.memoryBytes),
    megabytes(host.idleContainerBytes, 2),
  );
  const note = `${strings.runs(runs)} ${shared}`;
  return h(
    'div',
    { className: 'comparison' },
    h(
      'div',
      { className: 'scroll', tabIndex: 0, role: 'region', aria: { label: strings.title } },
      h('table', {}, h('thead', {}, head), ...bodies),
    ),
    h('p', { className: 'muted' }, note),
  );
}
