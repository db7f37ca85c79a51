import { closeSync, fstatSync, openSync, readvSync } from 'node:fs';
import { StorageError } from '../storage-error.ts';
import type { ByteSource } from './byte-source.ts';

/** A source of the bytes of a file of the host, which must not change. */
export class FileSource implements ByteSource {
  readonly size: number;
  private readonly fd: number;

  /** @throws {StorageError} io */
  constructor(path: string) {
    try {
      this.fd = openSync(path, 'r');
      this.size = fstatSync(this.fd).size;
    } catch (error) {
      throw new StorageError('io', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
    }
  }

  read(offset: number, targets: readonly Uint8Array[]): number {
    return targets.length === 0 ? 0 : readvSync(this.fd, targets, offset);
  }

  close(): void {
    closeSync(this.fd);
  }
}
