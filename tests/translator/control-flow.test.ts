// Control-flow graphs of every shape, in one page: each block goes to one of two blocks, by the bits of a random
// sequence, and leaves its mark on a register; so the order of all blocks executed shows in the end.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encode } from '../diff/encode.ts';
import { RAM } from '../support/core.ts';
import { Pair } from './pair.ts';

const SEQUENCE = 5;
const FACTOR = 6;
const TRACE = 10;
const CODE = RAM + 0x1000;
/** Bytes of a block. */
const BLOCK = 24;
/** What fits into a page. */
const MOST = Math.floor(4096 / BLOCK);

/** Blocks by their two successors. */
type Graph = readonly (readonly [number, number])[];

let pair = new Pair({ ramBytes: 1 << 20 });
/** A host may keep the modules of a core for as long as the core: a new one is made after so many graphs. */
const GRAPHS_PER_PAIR = 1000;
let graphsRun = 0;

function program(graph: Graph): Uint8Array {
  const words = graph.flatMap(([one, two], index) => {
    const distance = (to: number, from: number): number => (to - index) * BLOCK - from;
    // A block that goes on to the next one falls into it: it is one block to the translator, too.
    const falls = two === index + 1;
    return [
      ...(falls ? [encode('addi')] : []),
      encode('mul', { rd: SEQUENCE, rs1: SEQUENCE, rs2: FACTOR }),
      encode('addi', { rd: SEQUENCE, rs1: SEQUENCE, imm: 1013 }),
      encode('rori', { rd: TRACE, rs1: TRACE, imm: 7 }),
      encode('addi', { rd: TRACE, rs1: TRACE, imm: index * 11 + 1 }),
      encode('blt', { rs1: SEQUENCE, imm: distance(one, falls ? 20 : 16) }),
      ...(falls ? [] : [encode('jal', { imm: distance(two, 20) })]),
    ];
  });
  return new Uint8Array(Uint32Array.from(words).buffer);
}

/** Runs a graph on both machines in runs of these lengths; how they differ. */
function compare(graph: Graph, budgets: readonly number[]): string[] {
  if (++graphsRun % GRAPHS_PER_PAIR === 0) pair = new Pair({ ramBytes: 1 << 20 });
  pair.reset();
  const code = program(graph);
  pair.both(({ ram, hart }) => {
    ram.set(code, CODE - RAM);
    hart.pc = BigInt(CODE);
  });
  // Once through without a branch taken: what has not been executed is not translated.
  const first = pair.run(6 * graph.length);
  if (first.length > 0) return first;
  pair.both(({ hart }) => {
    hart.setX(SEQUENCE, 0x1234_5678_9abc_def1n);
    hart.setX(FACTOR, 6364136223846793005n);
  });
  for (const budget of budgets) {
    const lines = pair.run(budget);
    if (lines.length > 0) return lines;
  }
  return [];
}

const clamp = (value: number, count: number): number => Math.min(count - 1, Math.max(0, value));
/** Enough that every block is executed, then translated, then run. */
const LONG = [3000, 20_000, 20_000, 2500, 60_000, 5000, 7];
const translated = (): number => {
  const { translatedInstructions, instructions } = pair.cores[1].counters();
  return translatedInstructions / instructions;
};

const SHAPES: readonly (readonly [string, (index: number, count: number) => readonly [number, number]])[] = [
  ['each block one back or one on', (i, n) => [clamp(i - 1, n), i + 1 === n ? 0 : i + 1]],
  ['each block to itself or on', (i, n) => [i, i + 1 === n ? 0 : i + 1]],
  ['loops nested in loops', (i, n) => [clamp(n - 1 - i, n), i + 1 === n ? 0 : i + 1]],
  ['each block to the first or on', (i, n) => [0, i + 1 === n ? 0 : i + 1]],
  ['each block to the last or on', (i, n) => [n - 1, i + 1 === n ? 0 : i + 1]],
  ['two blocks back or one on', (i, n) => [clamp(i - 2, n), i + 1 === n ? 0 : i + 1]],
  ['one on or two on, round and round', (i, n) => [(i + 1) % n, (i + 2) % n]],
  ['halves and doubles', (i, n) => [(2 * i) % n, (2 * i + 1) % n]],
  ['strides of 7 and 11', (i, n) => [(i + 7) % n, (i + 11) % n]],
];

test.each(SHAPES)(
  '%s: translated code goes the way the interpreter goes, with 2 to 170 blocks',
  (_, shape) => {
    for (const count of [2, 3, 5, 16, 40, 100, 140, 150, 155, 160, MOST]) {
      const graph = Array.from({ length: count }, (_block, index) => shape(index, count));
      const lines = compare(graph, LONG);
      expect(lines, `${count} blocks: ${lines.join('; ')}`).toEqual([]);
      expect(translated(), `${count} blocks`).toBeGreaterThan(0.1);
    }
  },
);

const graphs = fc
  .tuple(fc.integer({ min: 2, max: MOST }), fc.integer({ min: 1, max: MOST }), fc.integer())
  .chain(([count, reach]) =>
    fc.array(fc.tuple(fc.integer({ min: -reach, max: reach }), fc.integer({ min: -reach, max: reach })), {
      minLength: count,
      maxLength: count,
    }),
  )
  .map(
    (blocks): Graph =>
      blocks.map(([one, two], index) => [
        clamp(index + one, blocks.length),
        clamp(index + two, blocks.length),
      ]),
  );

test(
  'random graphs: translated code goes the way the interpreter goes',
  () => {
    fc.assert(
      fc.property(
        graphs,
        fc.array(fc.integer({ min: 1, max: 25_000 }), { minLength: 2, maxLength: 6 }),
        (graph, budgets) => {
          expect(compare(graph, [...budgets, ...budgets])).toEqual([]);
        },
      ),
      { numRuns: process.env.HYPERTAB_LONG ? 200_000 : 500 },
    );
  },
  process.env.HYPERTAB_LONG ? 7_200_000 : 60_000,
);
