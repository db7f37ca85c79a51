import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';

import type { BlockBackend, MaybeLater } from './block-backend.ts';
import { checkRange, checkSize, refuseChange, SECTOR_BYTES } from './extent.ts';
import { fileError } from './file-error-node.ts';
import { punchHole } from './file-holes-node.ts';
import { type FileLock, lockFile } from './file-lock-node.ts';
import { StorageError } from './storage-error.ts';

export interface FileBackendOptions {
  readonly?: boolean;
  /** Makes the file, as one hole of this many bytes, when there is none. */
  create?: number;
}

/** Ranges at least this long are given back to the file system: one costs a process, some 2 ms. */
const HOLE_BYTES = 1024 ** 2;
const ZEROES = new Uint8Array(256 * 1024);

/**
 * A raw disk image in a file. Reads and writes end at once (the host's page cache answers most), flushes later.
 * The file is locked against other machines and processes: one writer, or several readers.
 */
export class FileBackend implements BlockBackend {
  readonly bytes: number;
  readonly readonly: boolean;
  readonly #path: string;
  readonly #fd: number;
  readonly #lock: FileLock;
  /** Size of the file itself; it may end within its last sector. */
  readonly #fileBytes: number;
  /** What is under way: the file must not be closed under it. */
  readonly #pending = new Set<Promise<unknown>>();
  #isOpen = true;

  private constructor(path: string, fd: number, lock: FileLock, readonly: boolean) {
    const { size } = fstatSync(fd);
    this.#path = path;
    this.#fd = fd;
    this.#lock = lock;
    this.#fileBytes = size;
    this.readonly = readonly;
    this.bytes = Math.ceil(size / SECTOR_BYTES) * SECTOR_BYTES;
  }

  /** @throws {StorageError} denied, locked, full, or io when it is no file or empty */
  static async open(path: string, options: FileBackendOptions = {}): Promise<FileBackend> {
    const readonly = options.readonly ?? false;
    if (options.create !== undefined) checkSize(path, options.create);
    let fd: number | undefined;
    let lock: FileLock | undefined;
    try {
      const mode = readonly ? constants.O_RDONLY : constants.O_RDWR;
      // Without O_NONBLOCK, opening a pipe would wait for its other end.
      fd = openSync(
        path,
        mode | constants.O_NONBLOCK | (options.create === undefined ? 0 : constants.O_CREAT),
        0o644,
      );
      const info = fstatSync(fd, { bigint: true });
      if (!info.isFile())
        throw new StorageError('io', `${path} is not a regular file; give the path of a disk image`);
      lock = await lockFile(info, path, readonly ? 'read' : 'write');
      if (info.size === 0n && options.create !== undefined && !readonly) ftruncateSync(fd, options.create);
      if (fstatSync(fd).size === 0) {
        throw new StorageError('io', `${path} is empty; a disk image has at least ${SECTOR_BYTES} bytes`);
      }
      return new FileBackend(path, fd, lock, readonly);
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      await lock?.release();
      throw fileError(path, error);
    }
  }

  /** Tells whether the contents are still those seen before: size and time of the last change. */
  get identity(): string {
    const { size, mtimeMs } = fstatSync(this.#fd);
    return `${size} bytes of ${new Date(mtimeMs).toISOString()}`;
  }

  read(offset: number, target: Uint8Array): MaybeLater {
    this.#check(offset, target.length);
    try {
      for (let done = 0; done < target.length; ) {
        const count = readSync(this.#fd, target, done, target.length - done, offset + done);
        if (count === 0 && offset + done < this.#fileBytes) {
          throw new StorageError(
            'io',
            `${this.#path} has become shorter than it was; do not change it while it is in use`,
          );
        }
        if (count === 0) target.fill(0, done);
        done = count === 0 ? target.length : done + count;
      }
    } catch (error) {
      throw fileError(this.#path, error);
    }
    return undefined;
  }

  write(offset: number, source: Uint8Array): MaybeLater {
    this.#check(offset, source.length);
    if (this.readonly) refuseChange(this.#path);
    this.#writeAll(offset, source);
    return undefined;
  }

  flush(): MaybeLater {
    this.#check(0, 0);
    if (this.readonly) return undefined;
    return this.#track(
      new Promise((resolve, reject) => {
        fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(fileError(this.#path, error))));
      }),
    );
  }

  discard(offset: number, length: number): MaybeLater {
    this.#check(offset, length);
    if (this.readonly) refuseChange(this.#path);
    if (length < HOLE_BYTES) return undefined;
    return this.#track(this.#punch(offset, length).then(() => undefined));
  }

  writeZeroes(offset: number, length: number): MaybeLater {
    this.#check(offset, length);
    if (this.readonly) refuseChange(this.#path);
    if (length < HOLE_BYTES) return this.#fillZeroes(offset, length);
    return this.#track(
      this.#punch(offset, length).then((done) => (done ? undefined : this.#fillZeroes(offset, length))),
    );
  }

  close(): MaybeLater {
    if (!this.#isOpen) return undefined;
    const flushed = this.flush() ?? Promise.resolve();
    this.#isOpen = false;
    return flushed.finally(async () => {
      await Promise.allSettled(this.#pending);
      closeSync(this.#fd);
      await this.#lock.release();
    });
  }

  /** By way of the open file, in case another one has its name by now. */
  #punch(offset: number, length: number): Promise<boolean> {
    return punchHole(`/proc/${process.pid}/fd/${this.#fd}`, offset, length);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const done = () => this.#pending.delete(work);
    work.then(done, done);
    return work;
  }

  #fillZeroes(offset: number, length: number): undefined {
    for (let done = 0; done < length; done += ZEROES.length) {
      this.#writeAll(offset + done, ZEROES.subarray(0, Math.min(ZEROES.length, length - done)));
    }
  }

  #writeAll(offset: number, source: Uint8Array): void {
    try {
      for (let done = 0; done < source.length; ) {
        done += writeSync(this.#fd, source, done, source.length - done, offset + done);
      }
    } catch (error) {
      throw fileError(this.#path, error);
    }
  }

  #check(offset: number, length: number): void {
    if (!this.#isOpen) throw new StorageError('io', `${this.#path} is closed`);
    checkRange(this.#path, this.bytes, offset, length);
  }
}
