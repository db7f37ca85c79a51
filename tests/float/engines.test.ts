// Every floating-point instruction as guests run it, interpreted and translated, against qemu-riscv64 (whose arithmetic
// descends from Berkeley SoftFloat) and the exact model: values, boxes and flags, all rounding modes, dynamic and in the
// instruction. HYPERTAB_LONG=1 tries 2 million cases an instruction and prints what it did.
import { expect, it } from 'vitest';
import { findInstruction, INSTRUCTIONS, type Instruction } from '../../src/isa/instruction-table.ts';
import { CASE_WORDS, CaseSource, caseTable } from './engine-cases.ts';
import { floatProgram, RESULT_WORDS } from './engine-program.ts';
import { runEngine, runQemu } from './engine-run.ts';
import { Random } from './operands.ts';
import { FORMATS, OPERATIONS } from './operations.ts';
import { ROUNDING_NAMES, type Rounding, widthOf } from './oracle.ts';

const LONG = process.env.HYPERTAB_LONG === '1';
const SEED = Number(process.env.HYPERTAB_SEED ?? 2008);
/** Cases in one program: fewer, and the translator would come too late for them. */
const BATCH = LONG ? 200_000 : 5000;
/** Cases of one instruction with the rounding mode in frm. */
const DYNAMIC = LONG ? 2_000_000 : BATCH;
/** One case in so many goes to the exact model as well, which is slow. */
const MODEL_SHARE = LONG ? 50 : 10;

const SUBJECTS = INSTRUCTIONS.filter(
  ({ extension, operands }) =>
    ['F', 'D', 'Zfhmin'].includes(extension) && !operands.some((operand) => operand.includes('(')),
);

interface Batch {
  readonly instruction: Instruction;
  readonly rm: number;
  readonly table: BigUint64Array;
}

const hex = (value: bigint | undefined): string => `0x${(value ?? 0n).toString(16)}`;

function tell({ instruction, rm, table }: Batch, index: number, outcomes: Record<string, bigint[]>): string {
  const [fcsr, ...operands] = table.subarray(index * CASE_WORDS, (index + 1) * CASE_WORDS);
  const list = Object.entries(outcomes).map(
    ([name, [bits, flags]]) => `${name} ${hex(bits)} fcsr ${hex(flags)}`,
  );
  const mode = rm === 7 ? 'dyn' : ROUNDING_NAMES[rm];
  return `${instruction.mnemonic} ${mode}, fcsr ${hex(fcsr)}, (${operands.map(hex).join(', ')}): ${list.join('; ')}`;
}

const resultOf = (results: BigUint64Array, index: number): bigint[] => [
  ...results.subarray(index * RESULT_WORDS, (index + 1) * RESULT_WORDS),
];

/** The exact model's answer in registers; undefined for what it does not know, or boxes that are not right. */
function exact({ instruction, rm, table }: Batch, index: number): bigint[] | undefined {
  const operation = OPERATIONS.find((one) => one.instruction === instruction.mnemonic);
  if (operation === undefined) return undefined;
  const [fcsr = 0n, ...registers] = table.subarray(index * CASE_WORDS, (index + 1) * CASE_WORDS);
  const operands: bigint[] = [];
  for (const [place, kind] of operation.operands.entries()) {
    const width = kind === 'x' ? 64 : widthOf(FORMATS[kind]);
    const register = registers[place] ?? 0n;
    if (width < 64 && BigInt.asIntN(64, register) >> BigInt(width) !== -1n) return undefined;
    operands.push(BigInt.asUintN(width, register));
  }
  const rounding = (rm === 7 ? Number(fcsr >> 5n) : rm) as Rounding;
  const { bits, flags } = operation.expect(operands, rounding);
  const width = operation.result === 'x' ? 64 : widthOf(FORMATS[operation.result]);
  const box = width === 64 ? 0n : -1n << BigInt(width);
  return [BigInt.asUintN(64, bits | box), fcsr | BigInt(flags)];
}

const same = (one: readonly bigint[], two: readonly bigint[]): boolean =>
  one[0] === two[0] && one[1] === two[1];

/** Runs a batch everywhere; the first difference as text. */
async function compare(batch: Batch): Promise<{ failure?: string; modelled: number; translated: number }> {
  const program = floatProgram(batch.instruction, batch.rm, batch.table);
  const pending = runQemu(program);
  const interpreter = runEngine(program, 'interpreter').results;
  const { results: translator, translated } = runEngine(program, 'translator');
  const qemu = await pending;
  let modelled = 0;
  for (let index = 0; index < qemu.length / RESULT_WORDS; index++) {
    const at = index * RESULT_WORDS;
    let agree = true;
    for (const word of [at, at + 1])
      if (interpreter[word] !== qemu[word] || translator[word] !== qemu[word]) agree = false;
    const wanted = index % MODEL_SHARE === 0 || !agree ? exact(batch, index) : undefined;
    const got = resultOf(interpreter, index);
    if (wanted) modelled++;
    if (agree && (wanted === undefined || same(wanted, got))) continue;
    const outcomes = {
      interpreter: got,
      translator: resultOf(translator, index),
      qemu: resultOf(qemu, index),
    };
    const failure = tell(batch, index, wanted ? { ...outcomes, exact: wanted } : outcomes);
    return { failure, modelled, translated };
  }
  return { modelled, translated };
}

/** Batches of an instruction: by frm, then with each rounding mode of its own. */
function* batches(instruction: Instruction): Generator<Batch> {
  const random = new Random(SEED);
  const source = new CaseSource(instruction, random);
  const make = (rm: number, count: number): Batch => ({
    instruction,
    rm,
    table: caseTable(source, random, count, rm),
  });
  const rounds = instruction.fields.some(({ name }) => name === 'rm');
  for (let done = 0; done < DYNAMIC; done += BATCH) yield make(rounds ? 7 : 0, BATCH);
  if (!rounds) return;
  // To nearest has a short way in the translator; a short run tries it and one other.
  const other = 1 + ((instruction.match >>> 25) % 4);
  for (const rm of LONG ? [0, 1, 2, 3, 4] : [0, other]) yield make(rm, BATCH);
}

it.each(SUBJECTS.map(({ mnemonic }) => mnemonic))(
  '%s gives the same bits and flags interpreted, translated, on QEMU and in exact arithmetic',
  async (mnemonic) => {
    let cases = 0;
    let modelled = 0;
    const begin = performance.now();
    for (const batch of batches(findInstruction(mnemonic)!)) {
      const { failure, translated, modelled: more } = await compare(batch);
      if (failure !== undefined) expect.fail(failure);
      cases += batch.table.length / CASE_WORDS;
      modelled += more;
      expect(translated).toBeGreaterThan(0.3);
    }
    if (OPERATIONS.some((one) => one.instruction === mnemonic)) expect(modelled).toBeGreaterThan(400);
    if (LONG) {
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      process.stdout.write(
        `${mnemonic}: ${cases} cases, ${modelled} in exact arithmetic too, ${seconds} s\n`,
      );
    }
  },
  LONG ? 600_000 : 30_000,
);
