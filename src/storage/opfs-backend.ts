import type { BlockBackend, MaybeLater } from './block-backend.ts';
import { browserError } from './browser-error.ts';
import { DISK_HEADER_BYTES, decodeDiskHeader, encodeDiskHeader } from './disk-header.ts';
import { checkRange, checkSize, refuseChange } from './extent.ts';
import { fileName, openSyncFile, opfsFolder, type SyncAccessHandle } from './opfs-files.ts';
import { StorageError } from './storage-error.ts';
import { lockDisk, type WebLock } from './web-lock.ts';

export interface BrowserDiskOptions {
  /** Makes the disk, of this many bytes, when there is none. */
  create?: number;
  readonly?: boolean;
}

const ZEROES = new Uint8Array(1024 ** 2);

/**
 * A disk in the browser's private file system: one file, with a header that tells its size, as long as the furthest
 * write. Every operation ends at once. For workers only.
 */
export class OpfsBackend implements BlockBackend {
  readonly bytes: number;
  readonly readonly: boolean;
  readonly #name: string;
  readonly #file: SyncAccessHandle;
  readonly #lock: WebLock;
  /** Bytes of the disk that the file holds; what is behind them was never written. */
  #extent: number;
  #isOpen = true;

  private constructor(name: string, file: SyncAccessHandle, lock: WebLock, bytes: number, readonly: boolean) {
    this.#name = name;
    this.#file = file;
    this.#lock = lock;
    this.bytes = bytes;
    this.readonly = readonly;
    this.#extent = Math.max(0, file.getSize() - DISK_HEADER_BYTES);
  }

  /** @throws {StorageError} locked, full, denied, corrupt, or io when there is no such disk */
  static async open(name: string, options: BrowserDiskOptions = {}): Promise<OpfsBackend> {
    if (options.create !== undefined) checkSize(`the disk "${name}"`, options.create);
    const lock = await lockDisk(name);
    let file: SyncAccessHandle | undefined;
    try {
      file = await openSyncFile(await opfsFolder('disks'), name, options.create !== undefined);
      const header = new Uint8Array(DISK_HEADER_BYTES);
      const length = file.read(header, { at: 0 });
      let bytes = decodeDiskHeader(header.subarray(0, length), `the disk "${name}"`);
      if (bytes === undefined) {
        // Killed between making the file and its header, there is nothing in it yet.
        if (options.create === undefined) throw new DOMException('it was never finished', 'NotFoundError');
        bytes = options.create;
        writeAll(file, 0, encodeDiskHeader(bytes));
        file.flush();
      }
      return new OpfsBackend(name, file, lock, bytes, options.readonly ?? false);
    } catch (error) {
      file?.close();
      lock.release();
      throw browserError(name, error);
    }
  }

  read(offset: number, target: Uint8Array): MaybeLater {
    this.#check(offset, target.length);
    const there = Math.min(target.length, Math.max(0, this.#extent - offset));
    try {
      for (let done = 0; done < there; ) {
        const count = this.#file.read(target.subarray(done, there), {
          at: DISK_HEADER_BYTES + offset + done,
        });
        if (count === 0)
          throw new StorageError('io', `the disk "${this.#name}" has become shorter than it was`);
        done += count;
      }
    } catch (error) {
      throw browserError(this.#name, error);
    }
    target.fill(0, there);
    return undefined;
  }

  write(offset: number, source: Uint8Array): MaybeLater {
    this.#check(offset, source.length);
    if (this.readonly) refuseChange(`the disk "${this.#name}"`);
    try {
      writeAll(this.#file, DISK_HEADER_BYTES + offset, source);
      this.#extent = Math.max(this.#extent, offset + source.length);
    } catch (error) {
      this.#remeasure();
      throw browserError(this.#name, error);
    }
    return undefined;
  }

  flush(): MaybeLater {
    this.#check(0, 0);
    if (this.readonly) return undefined;
    try {
      this.#file.flush();
    } catch (error) {
      throw browserError(this.#name, error);
    }
    return undefined;
  }

  discard(offset: number, length: number): MaybeLater {
    this.#check(offset, length);
    if (this.readonly) refuseChange(`the disk "${this.#name}"`);
    // The only room a file here gives back is at its end.
    if (offset < this.#extent && offset + length >= this.#extent) this.#cut(offset);
    return undefined;
  }

  writeZeroes(offset: number, length: number): MaybeLater {
    this.#check(offset, length);
    if (this.readonly) refuseChange(`the disk "${this.#name}"`);
    if (offset + length >= this.#extent) {
      if (offset < this.#extent) this.#cut(offset);
      return undefined;
    }
    for (let done = 0; done < length; done += ZEROES.length) {
      this.write(offset + done, ZEROES.subarray(0, Math.min(ZEROES.length, length - done)));
    }
    return undefined;
  }

  close(): MaybeLater {
    if (!this.#isOpen) return undefined;
    try {
      this.flush();
    } finally {
      this.#isOpen = false;
      this.#file.close();
      this.#lock.release();
    }
    return undefined;
  }

  #cut(extent: number): void {
    try {
      this.#file.truncate(DISK_HEADER_BYTES + extent);
      this.#extent = extent;
    } catch (error) {
      throw browserError(this.#name, error);
    }
  }

  /** After a write that failed, part of it may be there. */
  #remeasure(): void {
    try {
      this.#extent = Math.max(this.#extent, this.#file.getSize() - DISK_HEADER_BYTES);
    } catch {}
  }

  #check(offset: number, length: number): void {
    if (!this.#isOpen) throw new StorageError('io', `the disk "${this.#name}" is closed`);
    checkRange(`the disk "${this.#name}"`, this.bytes, offset, length);
  }
}

function writeAll(file: SyncAccessHandle, at: number, source: Uint8Array): void {
  for (let done = 0; done < source.length; ) {
    const count = file.write(source.subarray(done), { at: at + done });
    if (count === 0) throw new DOMException('nothing more could be written', 'QuotaExceededError');
    done += count;
  }
}

/**
 * Deletes a disk; nothing happens when there is none.
 * @throws {StorageError} locked
 */
export async function deleteOpfsDisk(name: string): Promise<void> {
  const lock = await lockDisk(name);
  try {
    await (await opfsFolder('disks')).removeEntry(fileName(name));
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw browserError(name, error);
  } finally {
    lock.release();
  }
}
