import { strings } from '../strings/strings.ts';
import { h } from '../views/dom.ts';
import type { BenchmarkEngine } from './config.ts';
import { type Figure, figureOf, geometricMean, ratioOf, type WorkloadSamples } from './figures.ts';
import { REFERENCE_ENGINES, REFERENCE_PLACE, type ReferenceEngine, reference } from './references.ts';

interface Series {
  /** What its bars are drawn as. */
  kind: 'wasm' | 'guest' | 'reference';
  name: string;
  ratio(samples: WorkloadSamples): Figure | undefined;
  /** Median milliseconds, where they were measured here. */
  ms(samples: WorkloadSamples): number | undefined;
}

const exactly = (value: number): Figure => ({ median: value, lowest: value, highest: value });

function seriesOf(engines: readonly BenchmarkEngine[]): Series[] {
  const words = strings.benchmark;
  const wasm: Series = {
    kind: 'wasm',
    name: words.wasm,
    ratio: ({ wasm }) => {
      const own = figureOf(wasm);
      return own && { median: 1, lowest: own.lowest / own.median, highest: own.highest / own.median };
    },
    ms: ({ wasm }) => figureOf(wasm)?.median,
  };
  const guests = engines.map(
    (engine): Series => ({
      kind: 'guest',
      name: words.hypertab(strings.engines[engine]),
      ratio: (samples) => ratioOf(samples, engine),
      ms: ({ guest }) => figureOf(guest[engine] ?? [])?.median,
    }),
  );
  const names: Record<ReferenceEngine, string> = { qemu: words.qemu, v86: words.v86 };
  const references = REFERENCE_ENGINES.map(
    (engine): Series => ({
      kind: 'reference',
      name: names[engine],
      ratio: ({ workload }) => {
        const value = reference(engine, workload);
        return value === undefined ? undefined : exactly(value);
      },
      ms: () => undefined,
    }),
  );
  return [wasm, ...guests, ...references];
}

/** A bar with its spread; `full` is the ratio that is as wide as there is room. */
function bar(kind: Series['kind'], { median, lowest, highest }: Figure, full: number): HTMLElement {
  const share = (value: number) => `${Math.min(100, (value / full) * 100)}%`;
  const spread = h('span', { className: 'spread' });
  spread.style.left = share(lowest);
  spread.style.width = `calc(${share(highest)} - ${share(lowest)})`;
  const filled = h('span', { className: `bar-fill ${kind}` });
  filled.style.width = share(median);
  return h(
    'div',
    { className: 'bar-track', aria: { hidden: 'true' } },
    filled,
    kind !== 'reference' && spread,
  );
}

/** Half the distance between the lowest and the highest, as a share of the median. */
function spreadText({ median, lowest, highest }: Figure): string {
  const away = Math.max(median - lowest, highest - median) / median;
  return away === 0 ? '' : ` ± ${Math.round(away * 100)} %`;
}

/** Medians as bars: this browser's Wasm, the guest, and the reference figures, which are marked as such. */
export function resultsTable(
  all: readonly WorkloadSamples[],
  engines: readonly BenchmarkEngine[],
): HTMLElement {
  const words = strings.benchmark;
  const series = seriesOf(engines);
  const measured = all.filter(({ wasm }) => wasm.length > 0);
  const ratios = measured.flatMap((samples) => series.map(({ ratio }) => ratio(samples)?.highest ?? 0));
  const full = Math.max(...ratios);
  const rowsOf = (name: string, cells: (Figure | undefined)[], ms: (number | undefined)[]) => {
    const shown = series
      .map((each, index) => ({ each, figure: cells[index], time: ms[index] }))
      .filter(({ figure }) => figure);
    return shown.map(({ each, figure, time }, index) =>
      h(
        'tr',
        { className: each.kind, dataset: { series: each.kind } },
        index === 0 && h('th', { scope: 'rowgroup', rowSpan: shown.length }, name),
        h('td', {}, each.name),
        h('td', { className: 'bar-cell' }, bar(each.kind, figure!, full)),
        h(
          'td',
          { className: 'number' },
          `${figure!.median.toFixed(2)}${each.kind === 'reference' ? '' : spreadText(figure!)}`,
        ),
        h('td', { className: 'number' }, time === undefined ? strings.nothing : `${time.toFixed(1)} ms`),
      ),
    );
  };
  const bodies = measured.map((samples) =>
    h(
      'tbody',
      { dataset: { result: samples.workload } },
      ...rowsOf(
        samples.workload,
        series.map(({ ratio }) => ratio(samples)),
        series.map(({ ms }) => ms(samples)),
      ),
    ),
  );
  if (measured.length > 1) {
    // A mean of other workloads than the rest would say nothing.
    const means = series.map(({ ratio }) => {
      const medians = measured
        .map((samples) => ratio(samples)?.median)
        .filter((value) => value !== undefined);
      const mean = medians.length === measured.length ? geometricMean(medians) : undefined;
      return mean === undefined ? undefined : exactly(mean);
    });
    bodies.push(h('tbody', { dataset: { result: 'mean' } }, ...rowsOf(words.mean, means, [])));
  }
  const { computer, host, date } = REFERENCE_PLACE;
  return h(
    'div',
    {},
    h(
      'div',
      { className: 'table-frame', tabIndex: 0, role: 'region', aria: { label: words.results } },
      h(
        'table',
        {},
        h('caption', {}, words.caption),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...[words.workload, words.engine, words.bars, words.times, words.median].map((text) =>
              h('th', { scope: 'col' }, text),
            ),
          ),
        ),
        ...bodies,
      ),
    ),
    h('p', { className: 'hint' }, words.referenceNote(computer, host, date)),
    h('p', { className: 'hint' }, words.publishedNote),
  );
}
