// QEMU's whole machine as an oracle for programs that print.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const QEMU_SYSTEM = '/usr/bin/qemu-system-riscv64';

/**
 * What the machine printed on its serial port until it switched itself off. The port leads to a file: into a pipe whose
 * reader is late, QEMU gives up on a character after four attempts and loses it.
 * @param folder for that file
 * @throws {Error} when QEMU is missing or says anything itself
 */
export function serialOutputOfQemu(folder: string, args: readonly string[], timeoutMs: number): string {
  if (!existsSync(QEMU_SYSTEM))
    throw new Error(`${QEMU_SYSTEM} is missing: install the Debian package qemu-system-misc`);
  const file = join(folder, 'serial');
  const quiet = ['-display', 'none', '-monitor', 'none', '-serial', `file:${file}`];
  const { error, stderr } = spawnSync(QEMU_SYSTEM, ['-M', 'virt', ...quiet, ...args], {
    encoding: 'utf8',
    timeout: timeoutMs,
  });
  if (error !== undefined || stderr !== '') throw error ?? new Error(`QEMU says: ${stderr.slice(0, 500)}`);
  return readFileSync(file, 'latin1');
}
