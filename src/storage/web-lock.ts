import { StorageError } from './storage-error.ts';

/** A lock that is held; it also ends with the tab or worker that holds it. */
export interface WebLock {
  release(): void;
}

/**
 * How long to wait for a worker that is just being ended or a tab that is being closed: Chromium lets a worker that
 * is busy go on for 2 s after terminate().
 */
const PATIENCE_MS = 3000;

/**
 * Takes the lock of a disk, which only one worker of all tabs can hold (Web Locks API).
 * @throws {StorageError} locked
 */
export async function lockDisk(name: string, patienceMs = PATIENCE_MS): Promise<WebLock> {
  return new Promise((resolve, reject) => {
    const held = (): Promise<void> =>
      new Promise<void>((end) => {
        resolve({ release: end });
      });
    navigator.locks
      .request(`hypertab disk ${name}`, { signal: AbortSignal.timeout(patienceMs) }, held)
      .catch((error: unknown) => {
        const isTaken = error instanceof DOMException && ['AbortError', 'TimeoutError'].includes(error.name);
        reject(
          isTaken
            ? new StorageError(
                'locked',
                `the disk "${name}" is in use by another tab or machine; power that one off or close its tab`,
              )
            : new StorageError('io', `the disk "${name}" cannot be locked: ${String(error)}`, {
                cause: error,
              }),
        );
      });
  });
}
