// Runs a floating-point program on one of the core's engines, or under qemu-riscv64.

import { type EngineName, supervisorCore } from '../diff/run-core.ts';
import { execute } from '../diff/run-qemu.ts';
import { type FloatProgram, START } from './engine-program.ts';

const BUDGET = 0x2000_0000;
const SYS_WRITE = 64n;

// A Buffer may lie anywhere in a larger one: copied, it is aligned.
const words = (bytes: Uint8Array): BigUint64Array => new BigUint64Array(new Uint8Array(bytes).buffer);

/** The results, and the share of instructions that ran in translated code. */
export function runEngine(
  program: FloatProgram,
  engine: EngineName,
): { results: BigUint64Array; translated: number } {
  const core = supervisorCore(program.image, engine);
  const { hart } = core;
  const exit = core.run(BUDGET);
  if (exit !== 'sbi' || hart.getX(17) !== SYS_WRITE)
    throw new Error(`the ${engine} stops with ${exit} at 0x${hart.pc.toString(16)}`);
  const from = Number(hart.getX(11)) - START;
  const { instructions, translatedInstructions } = core.counters();
  return {
    results: words(core.ram.subarray(from, from + Number(hart.getX(12)))),
    translated: translatedInstructions / instructions,
  };
}

export async function runQemu(program: FloatProgram): Promise<BigUint64Array> {
  const { output, failure } = await execute(program.elf);
  if (failure !== undefined) throw new Error(`qemu-riscv64 ends with ${failure}`);
  return words(output);
}
