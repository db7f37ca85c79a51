import { readFile } from 'node:fs/promises';
import { assemble } from '../isa/assembler.ts';

/** The loops of `hypertab bench`; sources in guests/bench/. */
export const BENCH_PROGRAMS: readonly string[] = ['integer', 'memory', 'pointers', 'calls', 'float'];

/** Assembles one of them into an M-mode program for 0x8000_0000. */
export async function loadBenchProgram(name: string): Promise<Uint8Array> {
  const url = new URL(`../../../guests/bench/${name}.s`, import.meta.url);
  return assemble(await readFile(url, 'utf8'));
}
