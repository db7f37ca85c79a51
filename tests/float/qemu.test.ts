// The exact model itself against another implementation: the real instructions under qemu-riscv64.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random, randomOperands, specialOperands } from './operands.ts';
import { FORMATS, OPERATIONS } from './operations.ts';
import { type Outcome, ROUNDINGS, widthOf } from './oracle.ts';
import { buildProgram, type Execution, execute } from './qemu-program.ts';

const COUNT = process.env.HYPERTAB_LONG === '1' ? 100_000 : 1_000;

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypertab-float-'));
  program = await buildProgram(folder, OPERATIONS);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const show = ({ bits, flags }: Outcome): string => `0x${bits.toString(16)} flags ${flags}`;

describe.each(OPERATIONS.map((operation, index) => [operation.instruction, operation, index] as const))(
  'the exact model of %s',
  (_, operation, index) => {
    it('agrees with qemu-riscv64 in value and flags', async () => {
      const random = new Random(1985);
      const operands = [...specialOperands(operation)];
      while (operands.length > COUNT) operands.splice(random.below(operands.length), 1);
      for (let i = 0; i < COUNT; i++) operands.push(randomOperands(random, operation));
      const executions = operands.flatMap((list): Execution[] =>
        ROUNDINGS.map((rounding) => ({ operation: index, rounding, operands: list })),
      );
      const outcomes = await execute(program, executions);
      const width = operation.result === 'x' ? 64 : widthOf(FORMATS[operation.result]);
      const differences = executions.flatMap((execution, i) => {
        const { bits, flags } = outcomes[i]!;
        const got = { bits: BigInt.asUintN(width, bits), flags };
        const wanted = operation.expect(execution.operands, execution.rounding);
        if (got.bits === wanted.bits && got.flags === wanted.flags) return [];
        const list = execution.operands.map((n) => `0x${n.toString(16)}`).join(', ');
        return [`(${list}) rm ${execution.rounding}: qemu ${show(got)}, model ${show(wanted)}`];
      });
      expect(differences.slice(0, 5)).toEqual([]);
    });
  },
);
