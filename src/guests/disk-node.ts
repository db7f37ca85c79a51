import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, rm, stat } from 'node:fs/promises';
import { GuestError } from './guest-error.ts';

const REASONS: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space and run the same command again',
  EDQUOT: 'your disk quota is used up; free some space and run the same command again',
  EACCES: 'permission denied; choose another folder or correct its permissions',
  EPERM: 'permission denied; choose another folder or correct its permissions',
  EROFS: 'the file system is read-only; choose another folder',
  EIO: 'the disk reports an error',
  EFBIG: 'the file is too large for this file system',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EMFILE: 'too many open files',
};

/** Turns a file system's refusal into a GuestError that names the path; anything else is handed back as it is. */
export function diskError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const reason = typeof code === 'string' ? REASONS[code] : undefined;
  return reason === undefined ? error : new GuestError('disk', `cannot write ${path}: ${reason}`, error);
}

/** Runs `action`; a file system's refusal becomes a GuestError that names `path`. */
export async function onDisk<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw diskError(error, path);
  }
}

/** SHA-256 of a file as lower-case hex. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** SHA-256 of bytes as lower-case hex. */
export const hashBytes = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/** Size of a regular file in bytes; undefined when there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() ? info.size : undefined;
}

/** Gives a file a second name, or copies it where that cannot be (another file system). */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  await onDisk(to, async () => {
    await rm(to, { force: true });
    try {
      await link(from, to);
    } catch {
      await copyFile(from, to);
    }
  });
}
