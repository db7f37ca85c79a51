import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('program.S', import.meta.url));

/** program.S as a bare-metal ELF at the start of RAM. */
export function buildProgram(): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-determinism-'));
  try {
    const output = join(folder, 'program');
    const { error, status, stderr } = spawnSync(
      'riscv64-linux-gnu-gcc',
      [
        ...['-nostdlib', '-static', '-march=rv64gc', '-mcmodel=medany', '-mno-relax'],
        ...['-Wl,-Ttext=0x80000000,--build-id=none,--omagic,--no-warn-rwx-segments', '-o', output, SOURCE],
      ],
      { encoding: 'utf8' },
    );
    if (error !== undefined)
      throw new Error('riscv64-linux-gnu-gcc is missing: apt-get install gcc-riscv64-linux-gnu');
    if (status !== 0) throw new Error(stderr);
    return new Uint8Array(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
