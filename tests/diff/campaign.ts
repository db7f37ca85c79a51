// Runs random cases on both engines of the core and under QEMU, and makes a failing one small.
import { disassemble } from '../../src/isa/disassemble.ts';
import { F_NAMES, X_NAMES } from '../../src/isa/registers.ts';
import { type DiffCase, resolve, type Unit } from './case.ts';
import { lengthOf } from './encode.ts';
import { generateCase } from './generator.ts';
import { differences, type Outcome } from './outcome.ts';
import { buildProgram, DATA, type Program } from './program.ts';
import { type CoreOutcome, runOnCore } from './run-core.ts';
import { runOnQemu } from './run-qemu.ts';

/** Cases in one program. */
const BATCH = 400;

export interface CampaignResult {
  readonly instructions: number;
  readonly cases: number;
  /** Share of the translating machine's instructions that ran in translated code, harness included. */
  readonly translated: number;
  /** The first case that differs, made small and spelled out. */
  readonly failure?: string;
}

interface Run {
  readonly program: Program;
  readonly interpreter: CoreOutcome;
  readonly translator: CoreOutcome;
  readonly qemu: Outcome;
}

/** How one engine and QEMU differ on case `index` of a program; empty when they agree. */
function judgeEngine(name: string, core: Outcome, qemu: Outcome, index: number): string[] {
  const [ours, theirs] = [core.records[index], qemu.records[index]];
  if (ours !== undefined && theirs !== undefined) return differences(ours, theirs, name);
  const state = (record: Uint8Array | undefined, outcome: Outcome): string =>
    record === undefined ? (outcome.failure ?? 'no record') : 'ends';
  const lines = [`${name}: ${state(ours, core)}`, `qemu: ${state(theirs, qemu)}`];
  // Where both have an exception, the case is at fault; say so rather than pass.
  return ours === undefined && theirs === undefined ? ['an exception in both', ...lines] : lines;
}

const judge = (run: Run, index: number): string[] => [
  ...judgeEngine('interpreter', run.interpreter, run.qemu, index),
  ...judgeEngine('translator', run.translator, run.qemu, index),
];

async function runAll(cases: readonly DiffCase[]): Promise<Run> {
  const program = buildProgram(cases);
  const pending = runOnQemu(program);
  const interpreter = runOnCore(program, 'interpreter');
  const translator = runOnCore(program, 'translator');
  return { program, interpreter, translator, qemu: await pending };
}

async function differs(one: DiffCase): Promise<boolean> {
  return judge(await runAll([one]), 0).length > 0;
}

/** Takes units away, large pieces first, as long as the case still differs. */
async function shrink(one: DiffCase): Promise<DiffCase> {
  let units: readonly Unit[] = one.units;
  for (let size = units.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < units.length; ) {
      const fewer = [...units.slice(0, at), ...units.slice(at + size)];
      if (await differs({ ...one, units: fewer })) units = fewer;
      else at += size;
    }
  }
  return { ...one, units };
}

/** The case as text: its instructions, what the registers in them held, and what came out differently. */
async function describe(one: DiffCase, found: readonly string[]): Promise<string> {
  const alone = await differs(one);
  const small = alone ? await shrink(one) : one;
  const run = await runAll([small]);
  let pc = run.program.begins[0]!;
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
    alone
      ? `seed ${one.seed}: ${small.units.length} of ${one.units.length} units are enough to differ`
      : `seed ${one.seed}: differs among the cases of its batch, not alone`,
    code,
    `from (data at 0x${DATA.toString(16)})`,
    ...named(X_NAMES, small.x),
    ...named(F_NAMES, small.f),
    `  fcsr = 0x${small.fcsr.toString(16)}`,
    'gives',
    ...(alone ? judge(run, 0) : found).map((line) => `  ${line}`),
  ].join('\n');
}

/**
 * Runs cases from `seed` on until `count` instructions have been compared or a case differs.
 * @param progress is told the instructions compared so far, after each batch
 */
export async function compareWithQemu(
  seed: number,
  count: number,
  progress: (instructions: number) => void = () => {},
): Promise<CampaignResult> {
  let instructions = 0;
  let cases = 0;
  let translated = 0;
  while (instructions < count) {
    const batch = Array.from({ length: BATCH }, (_, index) =>
      generateCase(seed + cases + index, BigInt(DATA)),
    );
    const run = await runAll(batch);
    const share = (): number => (cases === 0 ? 0 : (translated * BATCH) / cases);
    for (const [index, one] of batch.entries()) {
      const found = judge(run, index);
      if (found.length === 0) continue;
      return {
        instructions,
        cases: cases + index,
        translated: share(),
        failure: await describe(one, found),
      };
    }
    instructions += run.program.instructions;
    cases += BATCH;
    translated += run.translator.translated;
    progress(instructions);
  }
  return { instructions, cases, translated: (translated * BATCH) / cases };
}
