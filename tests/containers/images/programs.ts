// Programs of Debian that the tests of images compare with.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const folders: string[] = [];

/** A folder of the test's own; removeFolders() takes it away. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hypertab-images-'));
  folders.push(folder);
  return folder;
}

/** Removes what temporaryFolder() made. */
export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}

/** Runs a program to its end; answers what it printed. */
export async function runProgram(debianPackage: string, program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    throw isMissing(error) ? missingProgram(debianPackage, program) : error;
  }
}

export const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

export function missingProgram(debianPackage: string, program: string): Error {
  return new Error(`this test needs ${program}: install the Debian package ${debianPackage}`);
}

/** skopeo, with no opinion about signatures and no list of registries. */
export function skopeo(...args: string[]): Promise<string> {
  return runProgram('skopeo', 'skopeo', '--insecure-policy', ...args);
}
