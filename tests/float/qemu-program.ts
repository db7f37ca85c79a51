// A static RISC-V program that executes the instructions themselves, to check the exact model against QEMU.
import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Kind, Operation } from './operations.ts';
import type { Outcome, Rounding } from './oracle.ts';

const run = promisify(execFile);

/** One execution: index of the operation, rounding mode, operands. */
export interface Execution {
  readonly operation: number;
  readonly rounding: Rounding;
  readonly operands: readonly bigint[];
}

const LOAD = { f64: 'fmv.d.x', f32: 'fmv.w.x', f16: 'fmv.h.x' } as const;
const STORE = { f64: 'fmv.x.d', f32: 'fmv.x.w', f16: 'fmv.x.h' } as const;

/** The instruction on fa1, fa2, fa3 (or a1) into fa0 (or a0), with the dynamic rounding mode. */
function assemble(operation: Operation): string[] {
  const register = (kind: Kind, index: number): string => (kind === 'x' ? `a${index}` : `fa${index}`);
  const lines = operation.operands.flatMap((kind, index) =>
    kind === 'x' ? [] : [`${LOAD[kind]} fa${index + 1}, a${index + 1}`],
  );
  const names = [
    register(operation.result, 0),
    ...operation.operands.map((kind, i) => register(kind, i + 1)),
  ];
  lines.push('fsrm a4', 'fsflags zero', `${operation.instruction} ${names.join(', ')}`, 'frflags a5');
  if (operation.result !== 'x') lines.push(`${STORE[operation.result]} a0, fa0`);
  return lines;
}

function source(operations: readonly Operation[]): string {
  const cases = operations.map((operation, index) => {
    const text = assemble(operation).join('\\n');
    return `    case ${index}: __asm__ volatile("${text}" : "=r"(a0), "=r"(a5) : "r"(a1), "r"(a2), "r"(a3), "r"(a4) : "fa0", "fa1", "fa2", "fa3"); break;`;
  });
  return `#include <stdio.h>
__asm__(".option arch, +zfh");
typedef unsigned long u64;
int main(void) {
  u64 in[5];
  while (fread(in, sizeof in, 1, stdin) == 1) {
    register u64 a0 __asm__("a0"), a5 __asm__("a5");
    register u64 a1 __asm__("a1") = in[2], a2 __asm__("a2") = in[3], a3 __asm__("a3") = in[4], a4 __asm__("a4") = in[1];
    a0 = a5 = 0;
    switch (in[0]) {
${cases.join('\n')}
    default: return 1;
    }
    u64 out[2] = {a0, a5};
    fwrite(out, sizeof out, 1, stdout);
  }
  return 0;
}
`;
}

function missing(error: unknown, program: string, debianPackage: string): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return new Error(`${program} is missing: apt-get install ${debianPackage}`);
  return error instanceof Error ? error : new Error(String(error));
}

/** Compiles the program for these operations and returns its path. */
export async function buildProgram(folder: string, operations: readonly Operation[]): Promise<string> {
  const program = join(folder, 'float');
  await writeFile(`${program}.c`, source(operations));
  try {
    await run('riscv64-linux-gnu-gcc', ['-static', '-O1', '-o', program, `${program}.c`]);
  } catch (error) {
    throw missing(error, 'riscv64-linux-gnu-gcc', 'gcc-riscv64-linux-gnu libc6-dev-riscv64-cross');
  }
  return program;
}

/** Runs the program under qemu-riscv64 and returns one outcome for each execution. */
export async function execute(program: string, executions: readonly Execution[]): Promise<Outcome[]> {
  const input = new BigUint64Array(executions.length * 5);
  executions.forEach(({ operation, rounding, operands }, index) => {
    input.set([BigInt(operation), BigInt(rounding), ...operands], index * 5);
  });
  const output = await new Promise<Buffer>((resolve, reject) => {
    const qemu = spawn('qemu-riscv64', ['-cpu', 'rv64,Zfh=true', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    qemu.on('error', (error) => reject(missing(error, 'qemu-riscv64', 'qemu-user')));
    qemu.stdin.on('error', reject);
    qemu.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    qemu.on('close', (code) =>
      code === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error(`qemu-riscv64 ended with ${code}`)),
    );
    qemu.stdin.end(new Uint8Array(input.buffer));
  });
  const words = new BigUint64Array(output.buffer.slice(output.byteOffset, output.byteOffset + output.length));
  return executions.map((_, index) => ({ bits: words[index * 2]!, flags: Number(words[index * 2 + 1]) }));
}
