// Runs a program of cases under qemu-riscv64.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, splitRecords } from './outcome.ts';
import type { Program } from './program.ts';

/** The extensions of the generator; those that this QEMU does not know are not generated. */
const CPU = 'rv64,zba=true,zbb=true,zbc=true,zbs=true,Zfh=true';
const OUTPUT_BYTES = 256 << 20;

export interface Ended {
  readonly output: Buffer;
  readonly failure?: string;
}

function start(path: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const options = { encoding: 'buffer', maxBuffer: OUTPUT_BYTES } as const;
    execFile('qemu-riscv64', ['-cpu', CPU, path], options, (error, output, messages) => {
      if (error === null) resolve({ output });
      else if (error.code === 'ENOENT')
        reject(new Error('qemu-riscv64 is missing: apt-get install qemu-user'));
      else resolve({ output, failure: `${error.signal ?? error.code} ${messages}`.trim() });
    });
  });
}

/** Runs a static executable to its end. */
export async function execute(elf: Uint8Array): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'hypertab-diff-'));
  try {
    const path = join(folder, 'cases');
    await writeFile(path, elf, { mode: 0o755 });
    return await start(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The records that the program writes; it ends early at a signal. */
export async function runOnQemu(program: Program): Promise<Outcome> {
  const { output, failure } = await execute(program.elf);
  const records = splitRecords(output);
  return failure === undefined ? { records } : { records, failure };
}
