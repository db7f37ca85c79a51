import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Which Debian package has a program these tests compare with. */
const PACKAGES: Record<string, string> = {
  cpio: 'cpio',
  tar: 'tar',
  xz: 'xz-utils',
  gzip: 'gzip',
  zstd: 'zstd',
  gpg: 'gnupg',
  gpgv: 'gpgv',
  'riscv64-linux-gnu-gcc': 'gcc-riscv64-linux-gnu',
  'riscv64-linux-gnu-objcopy': 'binutils-riscv64-linux-gnu',
};

/** Runs a program and returns its standard output; fails with its message, or with the package it is in. */
export function run(
  program: string,
  args: readonly string[],
  options: { input?: Uint8Array; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Buffer {
  const result = spawnSync(program, args, {
    ...options,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
    maxBuffer: 1 << 28,
  });
  if ((result.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    throw new Error(`this test needs ${program}: install the Debian package ${PACKAGES[program] ?? program}`);
  }
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

/** A folder that is removed after the tests of this file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
