import { StorageError, type StorageErrorKind } from './storage-error.ts';

const KINDS: Record<string, [StorageErrorKind, string]> = {
  ENOSPC: ['full', 'the disk is full; make room on it'],
  EDQUOT: ['full', 'your quota on the disk is used up; make room in it'],
  EFBIG: ['full', 'the file system allows no file of this size'],
  EACCES: ['denied', 'permission denied'],
  EPERM: ['denied', 'permission denied'],
  EROFS: ['denied', 'the file system is read-only'],
  EISDIR: ['io', 'it is a directory'],
  ENOENT: ['io', 'no such file'],
  ENOTDIR: ['io', 'no such file'],
  EEXIST: ['denied', 'it is there already'],
  ELOOP: ['io', 'too many symbolic links'],
  EMFILE: ['io', 'too many files are open'],
  EIO: ['io', 'the disk reports an error'],
};

/** Puts a failure of Node's file system functions into the words of a store. */
export function fileError(path: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const [kind, words] = KINDS[code] ?? ['io', error instanceof Error ? error.message : String(error)];
  return new StorageError(kind, `${path}: ${words}`, { cause: error });
}
