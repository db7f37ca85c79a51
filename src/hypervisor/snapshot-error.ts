import { HtvmError } from '../storage/htvm/htvm-error.ts';
import { StorageError } from '../storage/storage-error.ts';
import { HypertabError } from './errors.ts';

/** Why a snapshot cannot be made, kept or restored. */
export type SnapshotFault =
  /** There is no such snapshot, or not the drive, share or file that it needs. */
  | 'missing'
  /** No saved machine at all. */
  | 'format'
  /** Written by a newer Hypertab. */
  | 'version'
  | 'truncated'
  | 'damaged'
  /** It does not fit the machine that it is to become: memory, drives, shares, interfaces. */
  | 'configuration'
  /** It is an increment of one that is not there, or others are increments of it. */
  | 'parent'
  /** No room left to keep it. */
  | 'full'
  | 'locked'
  | 'denied'
  | 'io';

/** A snapshot cannot be made, kept or restored; nothing has changed. */
export class SnapshotError extends HypertabError {
  override name = 'SnapshotError';
  readonly fault: SnapshotFault;

  constructor(fault: SnapshotFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** Failures of files and stores in the words of snapshots; others are left alone. */
export function snapshotError(error: unknown): unknown {
  if (error instanceof HtvmError) return new SnapshotError(error.fault, error.message, { cause: error });
  if (error instanceof StorageError) {
    const fault = error.kind === 'corrupt' ? 'damaged' : error.kind;
    return new SnapshotError(fault, error.message, { cause: error });
  }
  if (error instanceof RangeError) {
    return new SnapshotError('io', `this host has not the memory for it (${error.message})`, {
      cause: error,
    });
  }
  return error;
}
