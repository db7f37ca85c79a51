// Programs that read our images; each says which package it is in when it is missing.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

const PACKAGES: Record<string, string> = {
  e2fsck: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  'fsck.erofs': 'erofs-utils',
  'dump.erofs': 'erofs-utils',
};

/** Runs an oracle; gives its exit status and all it said. */
export function runOracle(
  program: string,
  args: readonly string[],
): Promise<{ status: number; output: string }> {
  // Debian keeps these where only root's PATH looks.
  const path = ['/usr/sbin', '/sbin', '/usr/bin', '/bin']
    .map((folder) => `${folder}/${program}`)
    .find(existsSync);
  if (path === undefined) {
    throw new Error(`${program} is missing: install the Debian package ${PACKAGES[program]}.`);
  }
  return new Promise((resolve) => {
    execFile(
      path,
      args,
      { maxBuffer: 64 * 1024 ** 2, env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } },
      (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : Number(error.code ?? 255), output: stdout + stderr });
      },
    );
  });
}
