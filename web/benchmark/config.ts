// What a benchmark runs, and the address that says the same.

export const BENCHMARK_ENGINES = ['auto', 'interpreter'] as const;
export type BenchmarkEngine = (typeof BENCHMARK_ENGINES)[number];

export interface BenchmarkConfig {
  /** Names of workloads; those that this page does not know are left out. */
  workloads: readonly string[];
  engines: readonly BenchmarkEngine[];
  /** How often each is measured, 1 to MAX_ROUNDS. */
  rounds: number;
}

export const MAX_ROUNDS = 25;
/** One of each kind, a quarter of a minute in all. */
export const DEFAULT_CONFIG: BenchmarkConfig = {
  workloads: ['sha256', 'mixed', 'sort', 'memcpy', 'nbody'],
  engines: ['auto'],
  rounds: 3,
};

const PREFIX = '#benchmark?';

/** The fragment of an address that brings up the Benchmark view with this configuration. */
export function fragmentOf({ workloads, engines, rounds }: BenchmarkConfig): string {
  return `${PREFIX}workloads=${workloads.join(',')}&engines=${engines.join(',')}&rounds=${rounds}`;
}

/**
 * Reads such a fragment; what it does not say, or says wrongly, is as in DEFAULT_CONFIG.
 * @param known names of the workloads that there are
 * @returns undefined when it is no such fragment
 */
export function readFragment(fragment: string, known: readonly string[]): BenchmarkConfig | undefined {
  if (!fragment.startsWith(PREFIX)) return undefined;
  const query = new URLSearchParams(fragment.slice(PREFIX.length));
  const listed = <T extends string>(
    name: string,
    all: readonly T[],
    otherwise: readonly T[],
  ): readonly T[] => {
    const wanted = new Set<string>(query.get(name)?.split(','));
    const found = all.filter((each) => wanted.has(each));
    return found.length > 0 ? found : otherwise;
  };
  const rounds = Number(query.get('rounds'));
  const isCount = Number.isInteger(rounds) && rounds >= 1 && rounds <= MAX_ROUNDS;
  return {
    workloads: listed('workloads', known, DEFAULT_CONFIG.workloads),
    engines: listed('engines', BENCHMARK_ENGINES, DEFAULT_CONFIG.engines),
    rounds: isCount ? rounds : DEFAULT_CONFIG.rounds,
  };
}

/** The page's address asks for the Benchmark view. */
export const wantsBenchmark = (fragment: string) => fragment === '#benchmark' || fragment.startsWith(PREFIX);
