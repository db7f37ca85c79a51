// From samples to figures: medians, spread, ratios, and files of them.
import type { BenchmarkConfig, BenchmarkEngine } from './config.ts';

/** Milliseconds of one workload, a sample a round. */
export interface WorkloadSamples {
  workload: string;
  /** Of its Wasm twin in this browser. */
  wasm: number[];
  guest: Partial<Record<BenchmarkEngine, number[]>>;
}

export interface Figure {
  median: number;
  lowest: number;
  highest: number;
}

export function figureOf(samples: readonly number[]): Figure | undefined {
  if (samples.length === 0) return undefined;
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, lowest: sorted[0]!, highest: sorted.at(-1)! };
}

/** Times of the guest as multiples of its twin's median. */
export function ratioOf({ wasm, guest }: WorkloadSamples, engine: BenchmarkEngine): Figure | undefined {
  const twin = figureOf(wasm);
  const own = figureOf(guest[engine] ?? []);
  if (twin === undefined || own === undefined) return undefined;
  const { median } = twin;
  return { median: own.median / median, lowest: own.lowest / median, highest: own.highest / median };
}

export function geometricMean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Where and when it was measured. */
export interface BenchmarkPlace {
  date: string;
  userAgent: string;
  cores: number;
  isolated: boolean;
}

/** Everything, for programs. */
export function toJson(
  config: BenchmarkConfig,
  place: BenchmarkPlace,
  all: readonly WorkloadSamples[],
): string {
  return `${JSON.stringify({ unit: 'ms', place, config, results: all }, undefined, 2)}\n`;
}

/** One line for each sample, for tables. */
export function toCsv(all: readonly WorkloadSamples[]): string {
  const lines = ['workload,engine,round,ms'];
  const add = (workload: string, engine: string, samples: readonly number[]) => {
    for (const [index, ms] of samples.entries())
      lines.push(`${workload},${engine},${index + 1},${ms.toFixed(3)}`);
  };
  for (const { workload, wasm, guest } of all) {
    add(workload, 'wasm', wasm);
    for (const [engine, samples] of Object.entries(guest)) add(workload, engine, samples);
  }
  return `${lines.join('\r\n')}\r\n`;
}
