// Runs random programs on both machines, and makes a failing one small.
import type { Core } from '../../src/core/core.ts';
import { disassemble } from '../../src/isa/disassemble.ts';
import {
  CODE_AT,
  DATA_AT,
  HANDLERS,
  LEAVES,
  M_HANDLER,
  M_SAVE,
  RAM,
  RAM_BYTES,
  S_HANDLER,
  S_SAVE,
  SATP_SV39,
  SAVE,
  writeTables,
} from './board.ts';
import {
  CLOCKS,
  generateProgram,
  type HostEvent,
  MODES,
  type RandomProgram,
  type Step,
} from './generator.ts';
import { Pair } from './pair.ts';
import { type Block, C_RET, type Layout, layOut } from './program.ts';

/** A host may keep the modules of a core for as long as the core: a new one is made after so many programs. */
const PROGRAMS_PER_PAIR = 300;
const pairs = new Map<number, { pair: Pair; programs: number }>();
function pairFor(clock: number): Pair {
  let known = pairs.get(clock);
  if (!known || known.programs >= PROGRAMS_PER_PAIR) {
    known = { pair: new Pair({ ramBytes: RAM_BYTES, instructionsPerTick: CLOCKS[clock]! }), programs: 0 };
    pairs.set(clock, known);
  }
  known.programs++;
  return known.pair;
}

const viewOf = (core: Core): DataView =>
  new DataView(core.ram.buffer, core.ram.byteOffset, core.ram.byteLength);

function setUp(core: Core, program: RandomProgram, layout: Layout): void {
  const { hart, ram } = core;
  const view = viewOf(core);
  // Where nothing is, everything returns.
  new Uint16Array(ram.buffer, ram.byteOffset, ram.length >> 1).fill(C_RET, CODE_AT >> 2);
  ram.set(HANDLERS, 0);
  ram.set(layout.bytes, CODE_AT);
  for (const [index, value] of program.data.entries()) view.setBigUint64(DATA_AT + 8 * index, value, true);
  writeTables(view, (window, page) => program.leaves[window]![page]!);
  for (const [at, s] of [
    [M_SAVE, false],
    [S_SAVE, true],
  ] as const) {
    for (const [index, block] of program.recover.entries())
      view.setBigUint64(at + SAVE.recover + 8 * index, BigInt(layout.blockAddress(block)), true);
    view.setBigUint64(at + SAVE.period, program.period, true);
    for (const [index, mode] of program.modes.entries()) {
      const { base, privilege } = MODES[s && MODES[mode]!.privilege === 3 ? 1 : mode]!;
      view.setBigUint64(at + SAVE.modes + 16 * index, BigInt(base), true);
      view.setBigUint64(at + SAVE.modes + 16 * index + 8, BigInt(privilege) << (s ? 8n : 11n), true);
    }
  }
  hart.writeCsr(0x3b0, (1n << 54n) - 1n);
  hart.writeCsr(0x3a0, 0x1fn);
  hart.writeCsr(0x305, BigInt(M_HANDLER));
  hart.writeCsr(0x105, BigInt(S_HANDLER));
  resetScratch(core);
  hart.writeCsr(0x180, SATP_SV39);
  for (const [csr, value] of program.csrs) hart.writeCsr(csr, value);
  for (const [index, value] of program.x.entries()) hart.setX(index, value);
  for (const [index, value] of program.f.entries()) hart.setF(index, value);
  hart.pc = BigInt(layout.blockAddress(0));
}

/** What the handlers expect when they are entered. */
function resetScratch({ hart }: Core): void {
  hart.writeCsr(0x340, BigInt(RAM + M_SAVE));
  hart.writeCsr(0x140, BigInt(RAM + S_SAVE));
}

function apply(core: Core, event: HostEvent, layout: Layout): void {
  const { hart } = core;
  const view = viewOf(core);
  switch (event.kind) {
    case 'go': {
      const { base, privilege } = MODES[event.mode]!;
      hart.pc = BigInt(layout.blockAddress(event.block) - RAM + base);
      hart.privilege = privilege;
      resetScratch(core);
      // No mode below M has MPRV set: it would take the handler's own stores with it.
      hart.writeCsr(0x300, (hart.readCsr(0x300) ?? 0n) & ~0x20000n);
      for (const [index, value] of event.x.entries()) hart.setX(index, value);
      break;
    }
    case 'registers':
      // A handler needs the registers it has.
      if (BigInt.asUintN(20, hart.pc) >= CODE_AT) {
        for (const [index, value] of event.x.entries()) hart.setX(index, value);
      }
      for (const [index, value] of event.f.entries()) hart.setF(index, value);
      break;
    case 'floats':
      for (const [index, value] of event.f.entries()) hart.setF(index, value);
      break;
    case 'patch': {
      const at = (layout.patches[event.id % layout.patches.length] ?? RAM + CODE_AT) - RAM;
      view.setUint32(at, event.word, true);
      if (event.whole) core.noteRamWritten(CODE_AT, layout.bytes.length);
      else core.noteRamWritten(at, 4);
      break;
    }
    case 'swap': {
      const [one, two] = event.pages.map((page) => LEAVES + 4096 * event.window + 8 * page) as [
        number,
        number,
      ];
      const first = view.getBigUint64(one, true);
      view.setBigUint64(one, view.getBigUint64(two, true), true);
      view.setBigUint64(two, first, true);
      core.noteRamWritten(one, 8);
      core.noteRamWritten(two, 8);
      // Writing satp ends all translations.
      hart.writeCsr(0x180, hart.readCsr(0x180) ?? 0n);
      break;
    }
    case 'line':
      hart.setInterruptLine(event.line, true);
      break;
    case 'status':
      hart.writeCsr(0x300, ((hart.readCsr(0x300) ?? 0n) & ~event.clear) | event.set);
      break;
    case 'round':
      hart.writeCsr(3, BigInt(event.fcsr));
  }
}

/** A hart that waits is woken: by its timer, or by an interrupt. */
function wake(core: Core): void {
  const timer = core.nextTimer();
  if (timer !== undefined) core.advanceTime(timer);
  core.hart.writeCsr(0x304, (core.hart.readCsr(0x304) ?? 0n) | 2n);
  core.hart.setInterruptLine('ssi', true);
}

export interface Divergence {
  readonly step: number;
  readonly lines: readonly string[];
}

/** Runs a program on both machines; where they first differ, if they do. */
export function runProgram(program: RandomProgram): {
  divergence?: Divergence;
  instructions: number;
  translated: number;
} {
  const pair = pairFor(program.clock);
  pair.reset();
  const layout = layOut(program.blocks);
  pair.both((core) => setUp(core, program, layout));
  const [one, two] = pair.cores;
  let divergence: Divergence | undefined;
  for (const [index, step] of program.steps.entries()) {
    let lines: string[];
    try {
      for (const event of step.events) pair.both((core) => apply(core, event, layout));
      if (one.waiting && two.waiting) pair.both(wake);
      lines = pair.run(step.budget);
    } catch (error) {
      lines = [`the translator fails: ${error instanceof Error ? (error.stack ?? error.message) : error}`];
    }
    if (lines.length > 0) {
      divergence = { step: index, lines };
      break;
    }
  }
  const { instructions, translatedInstructions } = two.counters();
  return { divergence, instructions, translated: translatedInstructions };
}

/** Takes pieces of a list away, large ones first, as long as `fails` still holds. */
function reduce<T>(list: readonly T[], fails: (fewer: readonly T[]) => boolean, least = 0): readonly T[] {
  let kept = list;
  for (let size = Math.max(1, kept.length >> 1); size >= 1; size >>= 1) {
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (fewer.length >= least && fails(fewer)) kept = fewer;
      else at += size;
    }
  }
  return kept;
}

/** A smaller program that still makes the machines differ. */
export function shrink(program: RandomProgram): RandomProgram {
  const fails = (one: RandomProgram): boolean => {
    try {
      return runProgram(one).divergence !== undefined;
    } catch {
      return false;
    }
  };
  let small = program;
  const found = runProgram(program).divergence;
  if (found === undefined) return program;
  small = { ...small, steps: small.steps.slice(0, found.step + 1) };
  for (let round = 0; round < 2; round++) {
    const attempt = <K extends keyof RandomProgram>(key: K, value: RandomProgram[K]): boolean => {
      const next = { ...small, [key]: value };
      if (!fails(next)) return false;
      small = next;
      return true;
    };
    reduce(small.steps, (steps) => attempt('steps', steps), 1);
    for (let index = 0; index < small.steps.length; index++) {
      reduce(small.steps[index]!.events, (events) => {
        const steps = small.steps.map((step, at): Step => (at === index ? { ...step, events } : step));
        return attempt('steps', steps);
      });
    }
    reduce(small.blocks, (blocks) => attempt('blocks', blocks), 1);
    for (const { id } of small.blocks) {
      const own = small.blocks.find((block) => block.id === id)!;
      const replaced = (next: Block): readonly Block[] =>
        small.blocks.map((block) => (block.id === id ? next : block));
      let current = own;
      reduce(own.items, (items) => {
        const next = { ...current, items };
        if (!attempt('blocks', replaced(next))) return false;
        current = next;
        return true;
      });
      if (current.gap > 0 && attempt('blocks', replaced({ ...current, gap: 0 })))
        current = { ...current, gap: 0 };
      if (current.beforePageEnd !== undefined)
        attempt('blocks', replaced({ ...current, beforePageEnd: undefined }));
    }
    reduce(small.csrs, (csrs) => attempt('csrs', csrs));
  }
  return small;
}

const text = (value: unknown): string =>
  JSON.stringify(value, (key, inner) =>
    key === 'x' || key === 'f' ? undefined : typeof inner === 'bigint' ? `0x${inner.toString(16)}` : inner,
  );

/** A small failing program, spelled out. */
export function describe(program: RandomProgram): string {
  const small = shrink(program);
  const { divergence } = runProgram(small);
  const layout = layOut(small.blocks);
  const starts = new Map([...layout.blocks].map(([id, at]) => [at, id]));
  const code = layout.listing.map(([at, raw]) => {
    const label = starts.has(at) ? `block ${starts.get(at)}:\n` : '';
    return `${label}  ${at.toString(16)}: ${raw.toString(16).padStart(8)}  ${disassemble(raw, at)}`;
  });
  return [
    `seed ${program.seed}: interpreter and translator differ in step ${divergence?.step}`,
    ...code,
    'runs',
    ...small.steps.map((step) => `  ${text(step)}`),
    `csrs ${text(small.csrs)}, clock ${CLOCKS[small.clock]}, modes ${small.modes.join(' ')}`,
    'gives',
    ...(divergence?.lines ?? ['no difference any more']).map((line) => `  ${line}`),
  ].join('\n');
}

export interface CampaignResult {
  readonly programs: number;
  readonly instructions: number;
  /** Instructions retired in translated code. */
  readonly translated: number;
  readonly failure?: string;
}

/** Runs the programs of seeds from `seed` on for about `milliseconds`, up to the first that differs. */
export function compareEngines(seed: number, milliseconds: number): CampaignResult {
  const end = performance.now() + milliseconds;
  let programs = 0;
  let instructions = 0;
  let translated = 0;
  while (performance.now() < end) {
    const program = generateProgram(seed + programs);
    const result = runProgram(program);
    programs++;
    instructions += result.instructions;
    translated += result.translated;
    if (result.divergence) return { programs, instructions, translated, failure: describe(program) };
  }
  return { programs, instructions, translated };
}
