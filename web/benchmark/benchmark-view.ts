// The Benchmark view: what to run, how far it is, and figures as bars beside the references.
import type { Workload } from 'hypertab';
import { strings } from '../strings/strings.ts';
import { h, setText } from '../views/dom.ts';
import { saveFile } from '../views/save-file.ts';
import { watch } from '../views/scope.ts';
import type { Benchmark, BenchmarkView } from './benchmark.ts';
import './benchmark.css';
import { BENCHMARK_ENGINES, type BenchmarkConfig, fragmentOf, MAX_ROUNDS } from './config.ts';
import { toCsv, toJson } from './figures.ts';
import { resultsTable } from './results-table.ts';

const KINDS = ['cryptography', 'integer', 'calls', 'memory', 'float'] as const;

function checkbox(
  label: string,
  checked: boolean,
  data: Record<string, string>,
  change: (on: boolean) => void,
) {
  const input = h('input', { type: 'checkbox', checked, dataset: data });
  input.onchange = () => change(input.checked);
  return { input, element: h('label', {}, input, ' ', label) };
}

/** The choices, and what reads them back from the benchmark's configuration. */
function form(benchmark: Benchmark, all: readonly Workload[]): HTMLElement {
  const words = strings.benchmark;
  const set = (fields: Partial<BenchmarkConfig>) =>
    benchmark.configure({ ...benchmark.view.value.config, ...fields });
  const toggled = <T extends string>(list: readonly T[], order: readonly T[], item: T, on: boolean) =>
    order.filter((each) => (each === item ? on : list.includes(each)));
  const names = all.map(({ name }) => name);
  const boxes = new Map(
    all.map(({ name, title }) => {
      const box = checkbox(name, false, { workload: name }, (on) =>
        set({ workloads: toggled(benchmark.view.value.config.workloads, names, name, on) }),
      );
      box.element.title = title;
      return [name, box];
    }),
  );
  const engines = BENCHMARK_ENGINES.map((engine) => ({
    engine,
    box: checkbox(strings.engines[engine], false, { engine }, (on) =>
      set({ engines: toggled(benchmark.view.value.config.engines, BENCHMARK_ENGINES, engine, on) }),
    ),
  }));
  const rounds = h('input', {
    type: 'number',
    min: '1',
    max: String(MAX_ROUNDS),
    dataset: { choice: 'rounds' },
  });
  rounds.onchange = () => {
    const count = Math.round(Number(rounds.value)) || 1;
    set({ rounds: Math.min(MAX_ROUNDS, Math.max(1, count)) });
  };
  const fields = h(
    'fieldset',
    { className: 'benchmark-form' },
    h('legend', {}, words.workloads),
    ...KINDS.map((kind) =>
      h(
        'div',
        { className: 'kind' },
        h('span', { className: 'muted' }, words.kinds[kind]),
        ...all.filter((workload) => workload.kind === kind).map(({ name }) => boxes.get(name)!.element),
      ),
    ),
    h(
      'div',
      { className: 'kind' },
      h('button', { type: 'button', onclick: () => set({ workloads: names }) }, words.all),
      h('button', { type: 'button', onclick: () => set({ workloads: [] }) }, words.none),
    ),
    h(
      'div',
      { className: 'kind' },
      h('span', { className: 'muted' }, words.engines),
      ...engines.map(({ box }) => box.element),
      h('label', {}, words.rounds, ' ', rounds),
    ),
  );
  watch(benchmark.view, ({ config, state }) => {
    fields.disabled = state === 'running';
    for (const [name, { input }] of boxes) input.checked = config.workloads.includes(name);
    for (const { engine, box } of engines) box.input.checked = config.engines.includes(engine);
    rounds.value = String(config.rounds);
  });
  return fields;
}

/** Seconds that are left, judged by what is done. */
function secondsLeft({ done, total, startedAt }: BenchmarkView): number | undefined {
  if (done === 0) return undefined;
  return ((performance.now() - startedAt) / 1000 / done) * (total - done);
}

function progress(benchmark: Benchmark): HTMLElement {
  const words = strings.benchmark;
  const bar = h('progress', { max: 1, value: 0, aria: { label: words.progress } });
  const text = h('span');
  const status = h('p', { className: 'visually-hidden', role: 'status' });
  const alert = h('div', { className: 'message bad', role: 'alert', hidden: true });
  const running = h('div', { className: 'download', hidden: true }, bar, text);
  watch(benchmark.view, (view) => {
    const { state, done, total, current, error } = view;
    running.hidden = state !== 'running';
    bar.value = total === 0 ? 0 : done / total;
    const left = secondsLeft(view);
    const what = current
      ? `${current.workload}, ${current.engine === 'wasm' ? 'Wasm' : strings.engines[current.engine]}`
      : '';
    setText(text, words.running(what, done, total, left === undefined ? '…' : `${Math.ceil(left)} s`));
    setText(status, words.states[state]);
    setText(alert, state === 'failed' ? words.failed(error ?? '') : '');
    alert.hidden = state !== 'failed';
  });
  return h('div', {}, running, alert, status);
}

/** @param all the workloads that there are */
export function benchmarkView(benchmark: Benchmark, all: readonly Workload[]): HTMLElement {
  const words = strings.benchmark;
  const run = h('button', { type: 'button', className: 'primary', dataset: { benchmark: 'run' } }, words.run);
  run.onclick = () => void benchmark.run(all);
  const cancel = h('button', { type: 'button', dataset: { benchmark: 'cancel' } }, strings.cancel);
  cancel.onclick = () => benchmark.cancel();
  const save = (form: 'json' | 'csv') => () => {
    const { config, results } = benchmark.view.value;
    const place = {
      date: new Date().toISOString(),
      userAgent: navigator.userAgent,
      cores: navigator.hardwareConcurrency,
      isolated: window.crossOriginIsolated,
    };
    const text = form === 'json' ? toJson(config, place, results) : toCsv(results);
    saveFile(new Blob([text]), `hypertab-benchmark.${form}`);
  };
  const files = (['json', 'csv'] as const).map((form) =>
    h(
      'button',
      { type: 'button', dataset: { benchmark: form }, onclick: save(form) },
      words.save(form.toUpperCase()),
    ),
  );
  const link = h('a', { className: 'link', dataset: { benchmark: 'link' } }, words.link);
  const table = h('div', { className: 'benchmark-results' });
  watch(benchmark.view, ({ config, state, results }) => {
    const isRunning = state === 'running';
    run.disabled = isRunning || config.workloads.length === 0 || config.engines.length === 0;
    cancel.hidden = !isRunning;
    const some = results.some(({ wasm }) => wasm.length > 0);
    for (const file of files) file.disabled = !some;
    link.href = fragmentOf(config);
    table.replaceChildren(...(some ? [resultsTable(results, config.engines)] : []));
  });
  // Whoever goes on to this address sees the same choice.
  const follow = () => history.replaceState(history.state, '', fragmentOf(benchmark.view.value.config));
  link.onclick = (event) => {
    event.preventDefault();
    follow();
    void navigator.clipboard?.writeText(location.href).catch(() => undefined);
    setText(link, words.linkCopied);
  };
  return h(
    'section',
    { className: 'benchmark' },
    h('h2', {}, words.title),
    h('p', { className: 'muted' }, words.intro),
    form(benchmark, all),
    h('div', { className: 'buttons start' }, run, cancel, ...files, link),
    progress(benchmark),
    table,
  );
}
