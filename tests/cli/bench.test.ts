import fc from 'fast-check';
import { expect, test } from 'vitest';
import { summarise } from '../../src/cli/bench.ts';
import { CONTAINER_SUBJECTS } from '../../src/cli/bench-containers.ts';
import { DISK_SUBJECTS } from '../../src/cli/bench-disk.ts';
import { benchFiles, FS_SUBJECTS } from '../../src/cli/bench-fs.ts';

const sample = fc.record({
  value: fc.integer({ min: 1, max: 100_000 }),
  instructions: fc.nat(),
  engine: fc.constant('translator'),
});

test('a figure lies between its lowest and its highest sample, whatever their order', () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 12 }), (samples) => {
      const figure = summarise({ kind: 'boot', name: 'some' }, samples);
      expect(figure.lowest).toBe(Math.min(...samples.map(({ value }) => value)));
      expect(figure.highest).toBe(Math.max(...samples.map(({ value }) => value)));
      expect(figure.median).toBeGreaterThanOrEqual(figure.lowest);
      expect(figure.median).toBeLessThanOrEqual(figure.highest);
      expect(summarise({ kind: 'boot', name: 'some' }, samples.toReversed()).median).toBe(figure.median);
    }),
  );
});

test('the ratio is the median over the median of the twin, and absent without a twin', () => {
  const samples = [
    { value: 300, twin: 100, instructions: 7, engine: 'translator' },
    { value: 900, twin: 90, instructions: 7, engine: 'translator' },
    { value: 310, twin: 400, instructions: 7, engine: 'translator' },
  ];
  expect(summarise({ kind: 'boot', name: 'some' }, samples).ratio).toBe(3.1);
  expect(
    summarise({ kind: 'loop', name: 'integer' }, [{ value: 5, instructions: 1, engine: 'interpreter' }]),
  ).not.toHaveProperty('ratio');
});

test('each kind is measured in its own unit', () => {
  const samples = [{ value: 5, instructions: 1, engine: 'translator' }];
  const units = DISK_SUBJECTS.map((subject) => [subject.name, summarise(subject, samples).unit]);
  expect(units).toEqual([
    ['disk-read', 'MB/s'],
    ['disk-write', 'MB/s'],
    ['disk-4k', 'IO/s'],
  ]);
  for (const subject of CONTAINER_SUBJECTS) expect(summarise(subject, samples).unit).toBe('ms');
  for (const subject of FS_SUBJECTS) expect(summarise(subject, samples).unit).toBe('ms');
  expect(summarise({ kind: 'loop', name: 'integer' }, samples).unit).toBe('MIPS');
  expect(summarise({ kind: 'boot', name: 'busybox' }, samples).unit).toBe('ms');
});

test('shared files are measured with 2,500 small ones and a tree of 20 MB', () => {
  const files = benchFiles();
  const small = files.filter(({ path }) => path.startsWith('small/'));
  const tree = files.filter(({ path }) => path.startsWith('tree/'));
  expect([small.length, tree.length]).toEqual([2500, 1000]);
  const bytes = tree.reduce((sum, { contents }) => sum + (contents as Uint8Array).length, 0);
  expect(bytes).toBe(20_000_000);
  expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
});
