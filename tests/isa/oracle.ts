// GNU binutils for RISC-V as oracles.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a program; a missing one is an error that names its Debian package. */
export function runTool(
  packageName: string,
  program: string,
  args: readonly string[],
  input?: string,
): string {
  const result = spawnSync(program, [...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    ...(input === undefined ? {} : { input }),
  });
  if (result.error !== undefined)
    throw new Error(`${program} cannot be run: install the Debian package ${packageName}`);
  if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr.slice(0, 2000)}`);
  return result.stdout;
}

const BINUTILS = 'binutils-riscv64-linux-gnu';

/** All extensions of the table that binutils 2.40 knows: Zicond came with 2.41. */
export const MARCH = `rv64gc_${['zicbom', 'zicbop', 'zicboz', 'zihintpause', 'zawrs', 'zfhmin', 'zba', 'zbb', 'zbc', 'zbs', 'svinval'].join('_')}`;

/** Calls back with a folder of its own, removed afterwards. */
export async function withFolder<T>(action: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-isa-'));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Assembles with GNU as into an object file at `path`. */
export function gnuAssemble(source: string, path: string): void {
  runTool(BINUTILS, 'riscv64-linux-gnu-as', [`-march=${MARCH}`, '-mno-relax', '-o', path, '-'], source);
}

/** Bytes of .text as GNU as makes them and ld places them at `address`. */
export function gnuText(source: string, address: number): Promise<Uint8Array> {
  return withFolder((folder) => {
    const object = join(folder, 'a.o');
    const linked = join(folder, 'a.elf');
    const script = join(folder, 'a.ld');
    const binary = join(folder, 'a.bin');
    gnuAssemble(source, object);
    const place = (name: string) => `.${name} : ALIGN(16) { *(.${name} .${name}.*) }`;
    writeFileSync(
      script,
      `SECTIONS { . = ${address}; ${['text', 'rodata', 'data', 'bss'].map(place).join(' ')} }`,
    );
    runTool(BINUTILS, 'riscv64-linux-gnu-ld', ['--no-relax', '-T', script, '-e', '0', '-o', linked, object]);
    runTool(BINUTILS, 'riscv64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', linked, binary]);
    return new Uint8Array(readFileSync(binary));
  });
}
