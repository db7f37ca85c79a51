import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from '../guests/paths-node.ts';
import { assemble } from '../isa/assembler/assemble.ts';
import { writeElf } from '../isa/elf-writer.ts';

/** The loops of `hypertab bench`; sources in guests/bench/. */
export const BENCH_PROGRAMS: readonly string[] = ['integer', 'memory', 'pointers', 'calls', 'float'];

/** Assembles one of them into an M-mode ELF for 0x8000_0000. */
export async function loadBenchProgram(name: string): Promise<Uint8Array> {
  const path = join(packageFolder(), 'guests', 'bench', `${name}.s`);
  return writeElf(assemble(await readFile(path, 'utf8')));
}
