import { execFile } from 'node:child_process';

let isMissing = process.platform !== 'linux';

/**
 * Gives a range of a file back to the file system, so that it reads as zeroes: fallocate(2) by way of util-linux,
 * as Node has no call for it.
 * @returns false when the platform or the file system cannot; the range is then as it was
 */
export async function punchHole(path: string, offset: number, length: number): Promise<boolean> {
  if (isMissing) return false;
  const args = ['--punch-hole', '--offset', String(offset), '--length', String(length), '--', path];
  const error = await new Promise<(Error & { code?: unknown }) | null>((resolve) => {
    execFile('fallocate', args, { timeout: 30_000 }, (failure) => resolve(failure));
  });
  if (error?.code === 'ENOENT') isMissing = true;
  return error === null;
}
