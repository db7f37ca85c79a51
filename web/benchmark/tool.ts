// The Benchmark view's place in the page; all of it is loaded when somebody opens it.
import type { Hypervisor } from 'hypertab';
import { strings } from '../strings/strings.ts';
import type { Tool } from '../views/tools.ts';
import type { Benchmark } from './benchmark.ts';
import { readFragment } from './config.ts';

export const BENCHMARK_TAB = 'benchmark';

export function benchmarkTool(hypervisor: Hypervisor): Tool {
  let benchmark: Benchmark | undefined;
  return {
    id: BENCHMARK_TAB,
    title: () => strings.benchmark.title,
    async view() {
      const [{ Benchmark }, { benchmarkView }, { listWorkloads }] = await Promise.all([
        import('./benchmark.ts'),
        import('./benchmark-view.ts'),
        import('./workload-files.ts'),
      ]);
      const workloads = listWorkloads();
      const names = workloads.map(({ name }) => name);
      if (benchmark === undefined) {
        const made = new Benchmark(hypervisor);
        const follow = () => {
          const config = readFragment(location.hash, names);
          if (config) made.configure(config);
        };
        follow();
        window.addEventListener('hashchange', follow);
        benchmark = made;
      }
      const made = benchmark;
      return () => benchmarkView(made, workloads);
    },
  };
}
