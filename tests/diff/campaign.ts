// Runs random cases on the core and under QEMU, and makes a failing one small.
import { disassemble } from '../../src/isa/disassemble.ts';
import { F_NAMES, X_NAMES } from '../../src/isa/registers.ts';
import { type DiffCase, resolve, type Unit } from './case.ts';
import { lengthOf } from './encode.ts';
import { generateCase } from './generator.ts';
import { differences, type Outcome } from './outcome.ts';
import { buildProgram, DATA, type Program } from './program.ts';
import { runOnCore } from './run-core.ts';
import { runOnQemu } from './run-qemu.ts';

/** Cases in one program. */
const BATCH = 400;
/** Runs of each case: the first decodes its instructions, the second finds them decoded. */
const REPEATS = 2;

export interface CampaignResult {
  readonly instructions: number;
  readonly cases: number;
  /** The first case that differs, made small and spelled out. */
  readonly failure?: string;
}

/** How the core and QEMU differ on case `index` of a program; empty when they agree. */
function judge(core: Outcome, qemu: Outcome, index: number): string[] {
  const [ours, theirs] = [core.records[index], qemu.records[index]];
  if (ours !== undefined && theirs !== undefined) return differences(ours, theirs);
  const state = (record: Uint8Array | undefined, outcome: Outcome): string =>
    record === undefined ? (outcome.failure ?? 'no record') : 'ends';
  const lines = [`core: ${state(ours, core)}`, `qemu: ${state(theirs, qemu)}`];
  // Where both have an exception, the case is at fault; say so rather than pass.
  return ours === undefined && theirs === undefined ? ['an exception in both', ...lines] : lines;
}

async function runBoth(
  cases: readonly DiffCase[],
): Promise<{ program: Program; core: Outcome; qemu: Outcome }> {
  const program = buildProgram(cases, REPEATS);
  const pending = runOnQemu(program);
  const core = runOnCore(program);
  return { program, core, qemu: await pending };
}

async function differs(one: DiffCase): Promise<string[]> {
  const { core, qemu } = await runBoth([one]);
  return judge(core, qemu, 0);
}

/** Takes units away, large pieces first, as long as the case still differs. */
async function shrink(one: DiffCase): Promise<DiffCase> {
  let units: readonly Unit[] = one.units;
  for (let size = units.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < units.length; ) {
      const fewer = [...units.slice(0, at), ...units.slice(at + size)];
      if ((await differs({ ...one, units: fewer })).length > 0) units = fewer;
      else at += size;
    }
  }
  return { ...one, units };
}

/** The case as text: its instructions, what the registers in them held, and what came out differently. */
async function describe(one: DiffCase): Promise<string> {
  const small = await shrink(one);
  const { program, core, qemu } = await runBoth([small]);
  let pc = program.begins[0]!;
  const lines = resolve(small.units).map((raw) => {
    const line = `  ${pc.toString(16)}: ${raw.toString(16).padStart(8)}  ${disassemble(raw, pc)}`;
    pc += lengthOf(raw);
    return line;
  });
  const code = lines.join('\n');
  const named = (names: readonly string[], values: readonly bigint[]): string[] =>
    names.flatMap((name, index) =>
      new RegExp(`\\b${name}\\b`).test(code) ? [`  ${name} = 0x${values[index]!.toString(16)}`] : [],
    );
  return [
    `seed ${one.seed}: ${small.units.length} of ${one.units.length} units are enough to differ`,
    code,
    `from (data at 0x${DATA.toString(16)})`,
    ...named(X_NAMES, small.x),
    ...named(F_NAMES, small.f),
    `  fcsr = 0x${small.fcsr.toString(16)}`,
    'gives',
    ...judge(core, qemu, 0).map((line) => `  ${line}`),
  ].join('\n');
}

/** Runs cases from `seed` on until `count` instructions have been compared or a case differs. */
export async function compareWithQemu(seed: number, count: number): Promise<CampaignResult> {
  let instructions = 0;
  let cases = 0;
  while (instructions < count) {
    const batch = Array.from({ length: BATCH }, (_, index) =>
      generateCase(seed + cases + index, BigInt(DATA)),
    );
    const { program, core, qemu } = await runBoth(batch);
    for (const [index, one] of batch.entries()) {
      if (judge(core, qemu, index).length === 0) continue;
      return { instructions, cases: cases + index, failure: await describe(one) };
    }
    instructions += program.instructions;
    cases += BATCH;
  }
  return { instructions, cases };
}
