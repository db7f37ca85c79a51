/** What went wrong, in the terms a guest's driver can be told. */
export type StorageErrorKind =
  /** No room left (quota, full disk): ENOSPC. */
  | 'full'
  /** Not allowed, or the store is read-only: EROFS, EACCES. */
  | 'denied'
  /** Another tab, process or machine holds the store. */
  | 'locked'
  /** The contents are not what they must be (bad magic, failed digest, truncated). */
  | 'corrupt'
  /** Anything else that failed below: EIO. */
  | 'io';

/** A store failed: says which, where, and what to do about it. */
export class StorageError extends Error {
  readonly kind: StorageErrorKind;

  constructor(kind: StorageErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.kind = kind;
  }
}
