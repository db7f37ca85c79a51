import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BENCHMARK_ENGINES,
  DEFAULT_CONFIG,
  fragmentOf,
  MAX_ROUNDS,
  readFragment,
  wantsBenchmark,
} from '../../web/benchmark/config.ts';
import { figureOf, geometricMean, ratioOf, toCsv } from '../../web/benchmark/figures.ts';
import { reference } from '../../web/benchmark/references.ts';

const catalogue: { name: string }[] = JSON.parse(readFileSync('guests/bench/workloads.json', 'utf8'));
const names = catalogue.map(({ name }) => name);

describe('the address of a benchmark', () => {
  test('brings back what was chosen', () => {
    const config = fc.record({
      workloads: fc.subarray(names, { minLength: 1 }),
      engines: fc.subarray([...BENCHMARK_ENGINES], { minLength: 1 }),
      rounds: fc.integer({ min: 1, max: MAX_ROUNDS }),
    });
    fc.assert(
      fc.property(config, (chosen) => {
        const fragment = fragmentOf(chosen);
        expect(wantsBenchmark(fragment)).toBe(true);
        // As a browser would have it, and nothing in it that an address cannot hold.
        expect(new URL(fragment, 'http://localhost/').hash).toBe(fragment);
        expect(readFragment(fragment, names)).toEqual(chosen);
      }),
    );
  });

  test('chooses something that can be run, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const config = readFragment(`#benchmark?${text}`, names);
        expect(config?.workloads.every((name) => names.includes(name))).toBe(true);
        expect(config?.workloads).not.toHaveLength(0);
        expect(config?.rounds).toBeLessThanOrEqual(MAX_ROUNDS);
      }),
    );
    expect(readFragment('#benchmark?rounds=1e9&engines=native&workloads=x', names)).toEqual(DEFAULT_CONFIG);
    expect(readFragment('#guests', names)).toBeUndefined();
  });
});

describe('the figures of a benchmark', () => {
  const samples = fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 });

  test('lie between the lowest and the highest sample, and half of the samples on each side', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const { median, lowest, highest } = figureOf(values)!;
        expect(values).toContain(lowest);
        expect(values).toContain(highest);
        expect(values.filter((value) => value < median).length).toBeLessThanOrEqual(values.length / 2);
        expect(values.filter((value) => value > median).length).toBeLessThanOrEqual(values.length / 2);
      }),
    );
    expect(figureOf([])).toBeUndefined();
    expect(figureOf([3, 1, 2, 10])?.median).toBe(2.5);
  });

  test('are ratios to the Wasm of the same browser', () => {
    const all = { workload: 'sort', wasm: [50, 40, 60], guest: { auto: [100, 200, 150] } };
    expect(ratioOf(all, 'auto')).toEqual({ median: 3, lowest: 2, highest: 4 });
    expect(ratioOf(all, 'interpreter')).toBeUndefined();
    expect(geometricMean([1, 4])).toBeCloseTo(2);
    expect(geometricMean([])).toBeUndefined();
    expect(toCsv([all]).split('\r\n')).toEqual([
      'workload,engine,round,ms',
      ...['sort,wasm,1,50.000', 'sort,wasm,2,40.000', 'sort,wasm,3,60.000'],
      ...['sort,auto,1,100.000', 'sort,auto,2,200.000', 'sort,auto,3,150.000', ''],
    ]);
  });

  test('stand beside references that docs/measuring.md has, for every workload', () => {
    const rows = [
      ...readFileSync('docs/measuring.md', 'utf8').matchAll(
        /^\| ([\w-]+) \| ([\d.]+) \| [\d.]+ \| ([\d.]+) \| [\d.]+ \|$/gm,
      ),
    ];
    const documented = new Map(rows.map(([, name, qemu, v86]) => [name!, [Number(qemu), Number(v86)]]));
    expect([...documented.keys()].toSorted()).toEqual(names.toSorted());
    for (const [name, figures] of documented) {
      expect([reference('qemu', name), reference('v86', name)], name).toEqual(figures);
    }
    expect(reference('v86', 'no such')).toBeUndefined();
  });
});
