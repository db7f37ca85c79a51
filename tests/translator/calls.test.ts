// Functions of one page that call each other: directly, through a register, themselves, in loops, some by a tail call.
// Each leaves its mark on a register, and saves what it must on the stack; so the order of all calls and returns shows.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HostFeatures, hostFeatures } from '../../src/core/host-features.ts';
import { encode } from '../diff/encode.ts';
import { RAM } from '../support/core.ts';
import { Pair } from './pair.ts';

const RA = 1;
const SP = 2;
const FUEL = 8; // s0: calls left in this round
const TRACE = 9; // s1
const ROUNDS = 18; // s2
const TARGET = 6; // t1
const COUNT = 19; // s3: a function's own loop counter, saved by it
const CODE = RAM + 0x1000;
const STACK = RAM + 0x40000;
/** Bytes of a function: the page holds 18 of them. */
const FUNCTION = 224;
const MOST = Math.floor(4096 / FUNCTION) - 1;

/** What a function does between its prologue and its epilogue. */
type Step =
  | { readonly kind: 'call' | 'register' | 'loop'; readonly to: number }
  | { readonly kind: 'mark'; readonly by: number };
interface Func {
  readonly steps: readonly Step[];
  /** Ends with a jump to this function instead of a return; undefined: returns. */
  readonly tail: number | undefined;
}

const OPS = { mark: 2, call: 1, register: 4, loop: 4 } as const;

function functionWords(self: number, { steps, tail }: Func): number[] {
  const words: number[] = [];
  const at = (): number => self * FUNCTION + words.length * 4;
  const add = (mnemonic: string, fields: Parameters<typeof encode>[1] = {}): void => {
    words.push(encode(mnemonic, fields));
  };
  /** t1 = address of a function, from pc. */
  const address = (to: number): void => {
    const from = at();
    add('auipc', { rd: TARGET });
    add('addi', { rd: TARGET, rs1: TARGET, imm: to * FUNCTION - from });
  };
  // Out of fuel: back at once, so that recursion ends.
  add('bne', { rs1: FUEL, imm: 8 });
  add('jalr', { rs1: RA });
  add('addi', { rd: FUEL, rs1: FUEL, imm: -1 });
  add('addi', { rd: SP, rs1: SP, imm: -16 });
  add('sd', { rs1: SP, rs2: RA });
  add('sd', { rs1: SP, rs2: COUNT, imm: 8 });
  add('rori', { rd: TRACE, rs1: TRACE, imm: 7 });
  add('addi', { rd: TRACE, rs1: TRACE, imm: self * 13 + 1 });
  for (const step of steps) {
    if (step.kind === 'mark') {
      add('rori', { rd: TRACE, rs1: TRACE, imm: 3 });
      add('xori', { rd: TRACE, rs1: TRACE, imm: step.by });
    } else if (step.kind === 'call') add('jal', { rd: RA, imm: step.to * FUNCTION - at() });
    else if (step.kind === 'register') {
      address(step.to);
      add('jalr', { rd: RA, rs1: TARGET });
    } else {
      add('addi', { rd: COUNT, imm: 3 });
      const head = at();
      add('jal', { rd: RA, imm: step.to * FUNCTION - at() });
      add('addi', { rd: COUNT, rs1: COUNT, imm: -1 });
      add('bne', { rs1: COUNT, imm: head - at() });
    }
  }
  add('ld', { rd: RA, rs1: SP });
  add('ld', { rd: COUNT, rs1: SP, imm: 8 });
  add('addi', { rd: SP, rs1: SP, imm: 16 });
  if (tail === undefined) add('jalr', { rs1: RA });
  else add('jal', { imm: tail * FUNCTION - at() });
  while (words.length < FUNCTION / 4) add('addi');
  if (words.length > FUNCTION / 4) throw new Error('a function is too long for its place');
  return words;
}

/** A page: the functions, then a loop that calls the first one with new fuel, for ever. */
function page(functions: readonly Func[], fuel: number): { bytes: Uint8Array; start: number } {
  const words = functions.flatMap((one, index) => functionWords(index, one));
  const start = words.length * 4;
  words.push(encode('addi', { rd: FUEL, imm: fuel }));
  words.push(encode('jal', { rd: RA, imm: -(start + 4) }));
  words.push(encode('addi', { rd: ROUNDS, rs1: ROUNDS, imm: 1 }));
  words.push(encode('jal', { imm: -12 }));
  return { bytes: new Uint8Array(Uint32Array.from(words).buffer), start };
}

const index = fc.nat({ max: MOST - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('call' as const, 'register' as const, 'loop' as const), to: index }),
  fc.record({ kind: fc.constant('mark' as const), by: fc.integer({ min: 1, max: 2000 }) }),
);
const func: fc.Arbitrary<Func> = fc.record({
  steps: fc.array(step, { maxLength: 9 }),
  tail: fc.option(index, { nil: undefined, freq: 5 }),
});
const programs = fc.array(func, { minLength: 1, maxLength: MOST }).map((functions): Func[] =>
  functions.map(({ steps, tail }) => ({
    steps: steps
      .map((one) => (one.kind === 'mark' ? one : { ...one, to: one.to % functions.length }))
      // Within the room of a function.
      .filter((_, at) => steps.slice(0, at + 1).reduce((sum, { kind }) => sum + OPS[kind], 0) <= 40),
    tail: tail === undefined ? undefined : tail % functions.length,
  })),
);

/** Thresholds, and hosts that can do more or less. */
const HOSTS: readonly (readonly [number, HostFeatures | undefined])[] = [
  [1, undefined],
  [40, undefined],
  [1, { tailCalls: false, fusedMultiplyAdd: false, tableImports: 'any' }],
  [1, { tailCalls: false, fusedMultiplyAdd: false, tableImports: 'none' }],
  [1, { ...hostFeatures(), tableImports: 'none' }],
];
const newPair = ([threshold, features]: (typeof HOSTS)[number]): Pair =>
  new Pair({ ramBytes: 1 << 20, ...(features && { features }) }, threshold);
const pairs = HOSTS.map(newPair);
let runs = 0;

function compare(functions: readonly Func[], fuel: number, budgets: readonly number[]): string[] {
  // A host may keep the modules of a core for as long as the core.
  if (++runs % 500 === 0) for (const [k, host] of HOSTS.entries()) pairs[k] = newPair(host);
  const { bytes, start } = page(functions, fuel);
  for (const pair of pairs) {
    pair.reset();
    pair.both(({ ram, hart }) => {
      ram.set(bytes, CODE - RAM);
      hart.pc = BigInt(CODE + start);
      hart.setX(SP, BigInt(STACK));
    });
    for (const budget of budgets) {
      const lines = pair.run(budget);
      if (lines.length > 0) return lines;
    }
  }
  return [];
}

test(
  'random functions that call each other: translated code goes the way the interpreter goes',
  () => {
    let translated = 0;
    let all = 0;
    fc.assert(
      fc.property(
        programs,
        fc.integer({ min: 1, max: 400 }),
        fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 3, maxLength: 8 }),
        (functions, fuel, budgets) => {
          expect(compare(functions, fuel, [...budgets, ...budgets])).toEqual([]);
          const { translatedInstructions, instructions } = pairs[0]!.cores[1].counters();
          translated += translatedInstructions;
          all += instructions;
        },
      ),
      { numRuns: process.env.HYPERTAB_LONG ? 100_000 : 120 },
    );
    // The translator takes its part: else nothing is compared.
    expect(translated / all).toBeGreaterThan(0.3);
  },
  process.env.HYPERTAB_LONG ? 7_200_000 : 90_000,
);
