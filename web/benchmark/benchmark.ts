// Runs a benchmark: twin and guest in turn, round by round.
import { type Hypervisor, parsePasses, type Workload, type WorkloadPass, withParameters } from 'hypertab';
import { patch, Store } from '../state/store.ts';
import { type BenchmarkConfig, type BenchmarkEngine, DEFAULT_CONFIG } from './config.ts';
import type { WorkloadSamples } from './figures.ts';
import type { TwinAnswer, TwinRequest } from './twin-worker.ts';
import { workloadFile } from './workload-files.ts';

/** A workload runs once to warm up, and once to be measured. */
const PASSES = 2;
const MEMORY = '64M';

export interface BenchmarkView {
  config: BenchmarkConfig;
  state: 'idle' | 'running' | 'cancelled' | 'done' | 'failed';
  error?: string;
  /** Measurements that have been made, and how many there will be. */
  done: number;
  total: number;
  startedAt: number;
  results: readonly WorkloadSamples[];
  /** What is measured now. */
  current?: { workload: string; engine: BenchmarkEngine | 'wasm' };
}

/** A result that is wrong is no figure. */
class WrongResultError extends Error {
  override readonly name = 'WrongResultError';
}

function measured(passes: readonly WorkloadPass[], { name, checksum }: Workload): number {
  const wrong = passes.find((pass) => pass.checksum !== checksum);
  if (wrong) throw new WrongResultError(`${name} gave ${wrong.checksum} instead of ${checksum}`);
  return passes.at(-1)!.ms;
}

async function measureTwin(workload: Workload, signal: AbortSignal): Promise<number> {
  const wasm = await workloadFile(workload.name, 'wasm');
  signal.throwIfAborted();
  const worker = new Worker(new URL('./twin-worker.ts', import.meta.url), { type: 'module' });
  try {
    const answer = await new Promise<TwinAnswer>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }: MessageEvent<TwinAnswer>) => resolve(data);
      worker.postMessage({ wasm, n: workload.n, passes: PASSES } satisfies TwinRequest);
    });
    if ('error' in answer) throw new Error(answer.error);
    return measured(answer.passes, workload);
  } finally {
    worker.terminate();
  }
}

async function measureGuest(
  hypervisor: Hypervisor,
  workload: Workload,
  engine: BenchmarkEngine,
  signal: AbortSignal,
): Promise<number> {
  const bios = withParameters(await workloadFile(workload.name, 'bare'), workload.n, PASSES);
  signal.throwIfAborted();
  const vm = await hypervisor.create({ bios, engine, memory: MEMORY, name: workload.name });
  try {
    const decoder = new TextDecoder();
    let output = '';
    vm.console().onData((bytes) => {
      output += decoder.decode(bytes, { stream: true });
    });
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    signal.throwIfAborted();
    await vm.start();
    const reason = await Promise.race([vm.wait(), aborted]);
    if (reason.kind !== 'poweroff') throw new Error(`${workload.name} ended with '${reason.kind}'`);
    return measured(parsePasses(output, PASSES), workload);
  } finally {
    await vm.destroy();
  }
}

/** The benchmark of the page; one runs at a time. */
export class Benchmark {
  readonly view = new Store<BenchmarkView>({
    ...{ config: DEFAULT_CONFIG, state: 'idle', done: 0, total: 0, startedAt: 0, results: [] },
  });
  readonly #hypervisor: Hypervisor;
  #abort: AbortController | undefined;

  constructor(hypervisor: Hypervisor) {
    this.#hypervisor = hypervisor;
  }

  configure(config: BenchmarkConfig): void {
    if (this.view.value.state !== 'running') patch(this.view, { config });
  }

  cancel(): void {
    this.#abort?.abort();
  }

  /** Runs what is configured. Never rejects: the view says what failed. */
  async run(all: readonly Workload[]): Promise<void> {
    if (this.view.value.state === 'running') return;
    const { config } = this.view.value;
    const workloads = all.filter(({ name }) => config.workloads.includes(name));
    const abort = new AbortController();
    this.#abort = abort;
    const total = workloads.length * config.rounds * (1 + config.engines.length);
    const results: WorkloadSamples[] = workloads.map(({ name }) => ({ workload: name, wasm: [], guest: {} }));
    patch(this.view, {
      state: 'running',
      error: undefined,
      done: 0,
      total,
      startedAt: performance.now(),
      results,
    });
    const note = (current: BenchmarkView['current']) => patch(this.view, { current });
    const count = () =>
      patch(this.view, { done: this.view.value.done + 1, results: structuredClone(results) });
    try {
      for (let round = 0; round < config.rounds; round++) {
        for (const [index, workload] of workloads.entries()) {
          const { wasm, guest } = results[index]!;
          note({ workload: workload.name, engine: 'wasm' });
          wasm.push(await measureTwin(workload, abort.signal));
          count();
          for (const engine of config.engines) {
            note({ workload: workload.name, engine });
            const samples = guest[engine] ?? [];
            guest[engine] = samples;
            samples.push(await measureGuest(this.#hypervisor, workload, engine, abort.signal));
            count();
          }
        }
      }
      patch(this.view, { state: 'done', current: undefined });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const state = abort.signal.aborted ? 'cancelled' : 'failed';
      patch(this.view, { state, current: undefined, error: state === 'failed' ? why : undefined });
    }
  }
}
