// What other engines reached with the same programs: the table of docs/measuring.md, which says how. Times as multiples of
// the same program's as Wasm, on the computer, in the Node and on the day that are named; not measured in this browser.

export const REFERENCE_PLACE = { computer: 'AMD EPYC, 2 cores', host: 'Node 20.20', date: '2026-11-21' };

/** [qemu-riscv64 in user mode, v86 0.5.462] by workload. */
const MEASURED: Readonly<Record<string, readonly [number, number]>> = {
  sha256: [2.4, 20.0],
  chacha20: [2.6, 23.6],
  aes: [4.1, 8.7],
  mixed: [2.8, 8.9],
  matrix: [3.1, 14.6],
  compress: [2.6, 11.7],
  sort: [2.9, 4.7],
  recursion: [5.6, 9.7],
  indirect: [3.0, 3.2],
  interpreter: [7.1, 9.7],
  'chase-cache': [1.0, 4.1],
  'chase-memory': [1.0, 1.4],
  memcpy: [1.9, 10.9],
  strings: [2.0, 8.8],
  hash: [2.2, 7.0],
  trees: [2.3, 4.2],
  nbody: [16.1, 23.1],
  mandelbrot: [16.1, 16.1],
  'matrix-f64': [24.5, 33.0],
};

export const REFERENCE_ENGINES = ['qemu', 'v86'] as const;
export type ReferenceEngine = (typeof REFERENCE_ENGINES)[number];

/** How many times as long as Wasm an engine took for a workload; undefined where nobody has measured it. */
export function reference(engine: ReferenceEngine, workload: string): number | undefined {
  return MEASURED[workload]?.[REFERENCE_ENGINES.indexOf(engine)];
}
