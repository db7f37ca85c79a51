import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from '../guests/paths-node.ts';
import { type Workload, withParameters } from '../guests/workloads.ts';
import { assemble } from '../isa/assembler/assemble.ts';
import { writeElf } from '../isa/elf-writer.ts';

/** The loops of `hypertab bench`; sources in guests/bench/. */
export const BENCH_PROGRAMS: readonly string[] = ['integer', 'memory', 'pointers', 'calls', 'float'];

const benchFile = (...path: string[]) => join(packageFolder(), 'guests', 'bench', ...path);

/** Assembles one of them into an M-mode ELF for 0x8000_0000. */
export async function loadBenchProgram(name: string): Promise<Uint8Array> {
  return writeElf(assemble(await readFile(benchFile(`${name}.s`), 'utf8')));
}

/** The catalogue of workloads: C programs with known results, and a Wasm twin of each. */
export async function loadWorkloads(): Promise<Workload[]> {
  const workloads: Workload[] = JSON.parse(await readFile(benchFile('workloads.json'), 'utf8'));
  return workloads;
}

/** A workload as an M-mode ELF that runs `passes` times. */
export async function loadWorkloadImage({ name, n }: Workload, passes: number): Promise<Uint8Array> {
  return withParameters(await readFile(benchFile('binaries', `${name}.bare`)), n, passes);
}

/** A workload's Wasm twin. */
export async function loadTwin({ name }: Workload): Promise<WebAssembly.Instance> {
  const { instance } = await WebAssembly.instantiate(
    new Uint8Array(await readFile(benchFile('binaries', `${name}.wasm`))),
  );
  return instance;
}
