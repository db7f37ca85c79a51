// From a seed to a random program and to what happens while it runs.
import type { Privilege } from '../../src/core/core-types.ts';
import { CaseGenerator } from '../diff/generator.ts';
import { Random } from '../diff/random.ts';
import { floatValue, integerValue, memoryValue } from '../diff/values.ts';
import { PTE } from './board.ts';
import { ItemMaker } from './items.ts';
import type { Block, Item } from './program.ts';

/** What the host does to both machines between two runs. */
export type HostEvent =
  | { kind: 'go'; block: number; mode: number; x: readonly bigint[] }
  | { kind: 'registers'; x: readonly bigint[]; f: readonly bigint[] }
  | { kind: 'floats'; f: readonly bigint[] }
  | { kind: 'patch'; id: number; word: number; whole: boolean }
  | { kind: 'swap'; window: number; pages: readonly [number, number] }
  | { kind: 'line'; line: 'ssi' | 'sei' | 'mei' | 'msi' }
  | { kind: 'status'; set: bigint; clear: bigint }
  | { kind: 'round'; fcsr: number };

export interface Step {
  readonly budget: number;
  /** What happens before the run. */
  readonly events: readonly HostEvent[];
}

export interface RandomProgram {
  readonly seed: number;
  readonly blocks: readonly Block[];
  readonly steps: readonly Step[];
  readonly x: readonly bigint[];
  readonly f: readonly bigint[];
  readonly data: readonly bigint[];
  /** Flags of each page in both windows. */
  readonly leaves: readonly (readonly number[])[];
  readonly csrs: readonly (readonly [number, bigint])[];
  /** Modes that ecalls lead to, in turn. */
  readonly modes: readonly number[];
  /** Blocks where it goes on after a jump into nowhere, in turn. */
  readonly recover: readonly number[];
  readonly period: bigint;
  /** 0, 1, …: which of the machines' instructionsPerTick. */
  readonly clock: number;
}

/** Windows and modes that code runs in: machine, supervisor (identity, window B), user. */
export const MODES: readonly { base: number; privilege: Privilege }[] = [
  { base: 0x8000_0000, privilege: 3 },
  { base: 0x8000_0000, privilege: 1 },
  { base: 0x4020_0000, privilege: 1 },
  { base: 0x4000_0000, privilege: 0 },
];
export const CLOCKS = [0, 1, 3, 10];

function makeBlocks(random: Random, maker: ItemMaker, functions: readonly number[], count: number): Block[] {
  const calm = random.once(2);
  return Array.from({ length: count }, (_, id) => {
    const first = functions.includes(id);
    const items: Item[] = first ? maker.prologue() : [];
    if (id === 0) items.unshift(maker.refresh());
    for (let n = random.below(first ? 6 : 9); n > 0; n--) {
      // A calm program is one of plain instructions and control flow: it stays in translated code for long.
      items.push(calm && !random.once(40) ? maker.plainUnit() : maker.body());
    }
    const last = functions.includes(id + 1) || id === count - 1;
    const kind = random.below(20);
    if (last) items.push(maker.leave(id));
    else if (kind < 6) items.push(maker.branch(id));
    else if (kind < 10) items.push(maker.latch(id));
    else if (kind < 12) items.push(maker.branch(id), maker.jump(id));
    else if (kind < 13) items.push(maker.jump(id));
    else if (kind < 15) items.push(maker.call());
    else if (kind < 16) items.push(maker.table(id));
    else if (kind < 17) items.push(maker.computed(maker.target(id), 0));
    else if (kind < 18) items.push(maker.leave(id));
    const gap = random.once(4) ? 2 * random.below(8) : 0;
    const beforePageEnd = first && id > 0 && random.once(3) ? 2 * random.below(40) : undefined;
    return { id, gap, beforePageEnd, items };
  });
}

function makeEvent(random: Random, maker: ItemMaker): HostEvent {
  const x = Array.from({ length: 32 }, () => integerValue(random));
  const kind = random.below(16);
  if (kind < 6) return { kind: 'go', block: random.below(maker.blocks), mode: random.below(MODES.length), x };
  if (kind < 8) return { kind: 'registers', x, f: Array.from({ length: 32 }, () => floatValue(random)) };
  if (kind < 11)
    return { kind: 'patch', id: random.below(1 << 20), word: maker.patchWord(), whole: random.once(4) };
  if (kind < 12)
    return { kind: 'swap', window: random.below(2), pages: [0x80 + random.below(6), 0x80 + random.below(6)] };
  if (kind < 14) return { kind: 'line', line: random.pick(['ssi', 'sei', 'mei', 'msi']) };
  if (kind < 15) {
    if (random.once(2)) return floatStatus(random);
    const bits = random.pick([0x40000n, 0x8n, 0x2n, 0xan]);
    return random.once(2)
      ? { kind: 'status', set: bits, clear: 0n }
      : { kind: 'status', set: 0n, clear: bits };
  }
  return { kind: 'round', fcsr: random.below(256) };
}

/** One long loop of random instructions: each of them is soon translated, and then meets other operands in each run. */
function makeLoop(random: Random, maker: ItemMaker): Block[] {
  const items = Array.from({ length: random.between(4, 30) }, () => maker.gatheredUnit()).flat();
  if (!random.once(4)) items.push(maker.system.observe());
  return [
    { id: 0, gap: 0, items: [maker.refresh()] },
    { id: 1, gap: 0, items: [...items, maker.jumpTo(1)] },
  ];
}

function makeLoopEvents(random: Random): HostEvent[] {
  const x = Array.from({ length: 32 }, () => integerValue(random));
  const f = Array.from({ length: 32 }, () => floatValue(random));
  return [
    ...(random.once(4) ? [{ kind: 'round', fcsr: random.below(256) } as const] : []),
    ...(random.once(4) ? [floatStatus(random)] : []),
    ...(random.once(2) ? [{ kind: 'floats', f } as const] : []),
    // Through block 0, where the pointers get their values back, or straight into the loop.
    ...(random.once(2) ? [{ kind: 'go', block: random.below(2), mode: 0, x } as const] : []),
  ];
}

/** One of the four values of mstatus.FS. */
function floatStatus(random: Random): HostEvent {
  return { kind: 'status', clear: 0x6000n, set: random.pick([0n, 0x2000n, 0x4000n, 0x6000n]) };
}

function makeBudget(random: Random): number {
  switch (random.below(8)) {
    case 0:
      return random.between(1, 60);
    case 1:
      return random.between(2030, 2120);
    case 2:
      return random.between(61, 2000);
    case 3:
      return random.between(19_900, 20_100);
    default:
      return random.between(2100, 9000);
  }
}

/** The program of a seed: the same on every host. */
export function generateProgram(seed: number): RandomProgram {
  const random = new Random(seed);
  const generator = new CaseGenerator(random);
  const loop = random.once(3);
  const count = loop ? 2 : random.between(3, random.once(4) ? 80 : 24);
  const functions = [0];
  for (let id = 1; id < count; id++) if (random.once(5)) functions.push(id);
  const maker = new ItemMaker(generator, count, functions);
  const blocks = loop ? makeLoop(random, maker) : makeBlocks(random, maker, functions, count);
  const makeStep = (_: unknown, index: number): Step => {
    if (!loop)
      return { budget: makeBudget(random), events: random.once(2) ? [makeEvent(random, maker)] : [] };
    if (index === 0) return { budget: random.between(200, 900), events: [] };
    return { budget: random.between(2100, 3200), events: makeLoopEvents(random) };
  };
  const strict = random.once(3);
  const leaf = (window: number): number => {
    const user = (window === 0) === !random.once(60) ? PTE.U : 0;
    const full = 0xcf | user;
    return strict && random.once(4) ? full & ~random.pick([0x40, 0x80, 0xc0, 1, 4, 8]) : full;
  };
  const leaves = [0, 1].map((window) => Array.from({ length: 256 }, () => leaf(window)));
  const delegated = random.once(2) ? 0n : random.long() & 0xb3ffn;
  return {
    seed,
    blocks,
    steps: Array.from({ length: random.between(8, 24) }, makeStep),
    x: Array.from({ length: 32 }, () => integerValue(random)),
    f: Array.from({ length: 32 }, () => floatValue(random)),
    data: Array.from({ length: 64 }, () => memoryValue(random)),
    leaves,
    csrs: [
      [0x302, delegated],
      [0x303, random.once(2) ? 0n : 0x222n],
      [0x304, random.once(3) ? 0n : 0xaaan],
      [0x306, 7n],
      [0x106, 7n],
      // Sstc, cache-block operations, and hardware setting of A and D or faults for them.
      [0x30a, (1n << 63n) | 0xf0n | (random.once(2) ? 1n << 61n : 0n)],
      [0x10a, 0xf0n],
      [0x14d, random.once(3) ? (1n << 64n) - 1n : BigInt(random.below(500))],
      [0x300, loop ? 0x6000n : random.pick([0x6000n, 0x6008n, 0x600an, 0x4600an, 0x2000n, 0n])],
      [0x003, BigInt(random.once(3) ? random.below(256) : 1)],
    ],
    modes: Array.from({ length: 8 }, () => random.below(MODES.length)),
    recover: Array.from({ length: 8 }, () => random.below(count)),
    period: random.long(),
    clock: random.below(CLOCKS.length),
  };
}
