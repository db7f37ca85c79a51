// Compiles assembly/float alone and calls it with raw bits.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { FFLAGS, HART_BASE } from '../../assembly/layout.ts';
import type { Kind, Operation } from './operations.ts';
import type { Outcome, Rounding } from './oracle.ts';

const FLOAT = fileURLToPath(new URL('../../assembly/float/', import.meta.url));
const SUBJECTS = ['f64', 'f32', 'fma', 'compare', 'convert'];

type Call = (...operands: (bigint | number)[]) => bigint | number;

/** The compiled module, called by operation. */
export class FloatCore {
  readonly #functions: ReadonlyMap<string, Call>;
  readonly #memory: DataView;

  constructor(functions: ReadonlyMap<string, Call>, memory: WebAssembly.Memory) {
    this.#functions = functions;
    this.#memory = new DataView(memory.buffer);
  }

  /** Names of all exported functions. */
  get names(): string[] {
    return [...this.#functions.keys()];
  }

  /**
   * Runs an operation on raw bits, with fflags set beforehand.
   * @param name an export that takes the operation's operands (its own name, or the one with Slow)
   * @returns the result's bits and fflags afterwards
   */
  run(
    operation: Operation,
    operands: readonly bigint[],
    rounding: Rounding,
    fflags: number,
    name = operation.name,
  ): Outcome {
    const call = this.#functions.get(name);
    if (call === undefined) throw new Error(`assembly/float exports no ${name}`);
    const values: (bigint | number)[] = operands.map((bits, index) =>
      lower(bits, operation.operands[index]!),
    );
    if (operation.rounds) values.push(rounding);
    this.#memory.setUint32(HART_BASE + FFLAGS, fflags, true);
    const result = call(...values);
    const bits = typeof result === 'bigint' ? BigInt.asUintN(64, result) : BigInt(result >>> 0);
    return { bits, flags: this.#memory.getUint32(HART_BASE + FFLAGS, true) };
  }
}

/** f32 and f16 travel as i32, the rest as i64. */
const lower = (bits: bigint, kind: Kind): bigint | number =>
  kind === 'f32' || kind === 'f16' ? Number(bits) | 0 : BigInt.asIntN(64, bits);

/** Compiles the sources into a temporary file and instantiates them. */
export async function compileFloatCore(): Promise<FloatCore> {
  const folder = await mkdtemp(join(tmpdir(), 'hypertab-float-'));
  try {
    const output = join(folder, 'float.wasm');
    const { error, stderr } = await asc.main([
      ...SUBJECTS.map((subject) => join(FLOAT, `${subject}.ts`)),
      ...['--config', 'none', '--outFile', output, '--bindings', 'raw', '--runtime', 'stub'],
      ...['--importMemory', '--noExportMemory', '-O3', '--noAssert'],
      ...['--enable', 'sign-extension,bulk-memory,nontrapping-f2i,mutable-globals'],
    ]);
    if (error) throw new Error(`asc cannot compile assembly/float: ${error.message}\n${stderr.toString()}`);
    const memory = new WebAssembly.Memory({ initial: 16 });
    const { instance } = await WebAssembly.instantiate(await readFile(output), { env: { memory } });
    return new FloatCore(new Map(Object.entries(instance.exports as Record<string, Call>)), memory);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
