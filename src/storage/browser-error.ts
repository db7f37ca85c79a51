import { StorageError } from './storage-error.ts';

/** Puts a failure of the browser's storage into the words of a store. */
export function browserError(name: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const { name: kind = '', message = String(error) } = (error ?? {}) as Partial<Error>;
  const what = `the disk "${name}"`;
  switch (kind) {
    case 'QuotaExceededError':
      return new StorageError(
        'full',
        `${what}: the browser gives this page no more room; delete disks or images`,
        {
          cause: error,
        },
      );
    case 'NoModificationAllowedError':
      return new StorageError('locked', `${what} is in use by another tab or machine; close that one`, {
        cause: error,
      });
    case 'NotAllowedError':
    case 'SecurityError':
      return new StorageError('denied', `${what}: the browser allows this page no storage (${message})`, {
        cause: error,
      });
    case 'NotFoundError':
      return new StorageError('io', `there is no disk "${name}" in this browser; give a size to make one`, {
        cause: error,
      });
    default:
      return new StorageError('io', `${what}: ${message}`, { cause: error });
  }
}
