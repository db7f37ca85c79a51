import { mkdirSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { FileError } from '../hypervisor/errors.ts';

/**
 * The folder of this user's running machines, made if it is not there: HYPERTAB_RUNTIME_DIR, else in
 * XDG_RUNTIME_DIR or the temporary folder.
 * @throws {FileError} when it cannot be made, or belongs to somebody else
 */
export function runtimeFolder(): string {
  const { HYPERTAB_RUNTIME_DIR: own, XDG_RUNTIME_DIR: xdg } = process.env;
  const { uid } = userInfo();
  const folder = own || (xdg ? join(xdg, 'hypertab') : join(tmpdir(), `hypertab-${uid}`));
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const info = statSync(folder);
    // Whoever can write here can take a machine's place. Windows has no such modes, and reports uid -1.
    if (uid >= 0 && (info.uid !== uid || (info.mode & 0o077) !== 0)) {
      throw new FileError(`${folder} is not this user's alone; remove it, or set HYPERTAB_RUNTIME_DIR`);
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`cannot use ${folder}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  return folder;
}
