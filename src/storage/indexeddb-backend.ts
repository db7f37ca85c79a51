// A disk as a database of chunks, for browsers and contexts without synchronous access to private files.
import { browserError } from './browser-error.ts';
import type { ChunkStore } from './chunk-store.ts';
import { ChunkedBackend } from './chunked-backend.ts';
import { checkSize } from './extent.ts';
import type { BrowserDiskOptions } from './opfs-backend.ts';
import { StorageError } from './storage-error.ts';
import { lockDisk, type WebLock } from './web-lock.ts';

/** Measured: see docs/measurements.md. */
const CHUNK_BYTES = 128 * 1024;
const VERSION = 1;
const CHUNKS = 'chunks';
const DISK = 'disk';

interface DiskRecord {
  bytes: number;
  chunkBytes: number;
}

const databaseName = (name: string) => `hypertab disk ${name}`;

/**
 * Opens a disk in the browser's database.
 * @throws {StorageError} locked, full, denied, corrupt, or io when there is no such disk
 */
export async function openIndexedDbDisk(
  name: string,
  options: BrowserDiskOptions = {},
): Promise<ChunkedBackend> {
  if (options.create !== undefined) checkSize(`the disk "${name}"`, options.create);
  const lock = await lockDisk(name);
  let database: IDBDatabase | undefined;
  try {
    database = await openDatabase(name, options.create);
    const record = await answer<unknown>(database.transaction(DISK).objectStore(DISK).get(0));
    if (!isDiskRecord(record)) {
      throw new StorageError(
        'corrupt',
        `the disk "${name}" is damaged: its record is not whole; delete the disk`,
      );
    }
    const store = new IndexedDbChunks(name, database, lock, record.chunkBytes);
    return new ChunkedBackend(store, record.bytes, `the disk "${name}"`, options.readonly);
  } catch (error) {
    database?.close();
    lock.release();
    throw browserError(name, error);
  }
}

/**
 * Deletes a disk; nothing happens when there is none.
 * @throws {StorageError} locked
 */
export async function deleteIndexedDbDisk(name: string): Promise<void> {
  const lock = await lockDisk(name);
  try {
    await answer(indexedDB.deleteDatabase(databaseName(name)));
  } catch (error) {
    throw browserError(name, error);
  } finally {
    lock.release();
  }
}

function openDatabase(name: string, create: number | undefined): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(databaseName(name), VERSION);
    request.onupgradeneeded = () => {
      if (create === undefined) {
        // Taking the new database back leaves none behind.
        request.transaction?.abort();
        reject(new DOMException('no such disk', 'NotFoundError'));
        return;
      }
      request.result.createObjectStore(CHUNKS);
      const record: DiskRecord = { bytes: create, chunkBytes: CHUNK_BYTES };
      request.result.createObjectStore(DISK).put(record, 0);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function isDiskRecord(value: unknown): value is DiskRecord {
  const { bytes, chunkBytes } = (value ?? {}) as Partial<DiskRecord>;
  const isChunk = Number.isInteger(chunkBytes) && chunkBytes! >= 4096 && chunkBytes! <= 4 * 1024 ** 2;
  return isChunk && Number.isSafeInteger(bytes) && bytes! > 0;
}

class IndexedDbChunks implements ChunkStore {
  readonly chunkBytes: number;
  readonly #name: string;
  readonly #database: IDBDatabase;
  readonly #lock: WebLock;

  constructor(name: string, database: IDBDatabase, lock: WebLock, chunkBytes: number) {
    this.#name = name;
    this.#database = database;
    this.#lock = lock;
    this.chunkBytes = chunkBytes;
  }

  async get(chunk: number): Promise<Uint8Array | undefined> {
    try {
      const value = await answer<unknown>(this.#database.transaction(CHUNKS).objectStore(CHUNKS).get(chunk));
      if (value === undefined) return undefined;
      if (!(value instanceof Uint8Array) || value.length > this.chunkBytes) {
        throw new StorageError('corrupt', `the disk "${this.#name}" is damaged at chunk ${chunk}`);
      }
      return value;
    } catch (error) {
      throw browserError(this.#name, error);
    }
  }

  put(chunks: ReadonlyMap<number, Uint8Array | undefined>, isDurable: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: unknown) => reject(browserError(this.#name, error));
      try {
        const durability = isDurable ? 'strict' : 'relaxed';
        const transaction = this.#database.transaction(CHUNKS, 'readwrite', { durability });
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => failed(transaction.error);
        const store = transaction.objectStore(CHUNKS);
        // A write that is refused aborts them all.
        for (const [chunk, contents] of chunks) {
          if (contents === undefined) store.delete(chunk);
          else store.put(contents, chunk);
        }
        transaction.commit();
      } catch (error) {
        failed(error);
      }
    });
  }

  close(): void {
    this.#database.close();
    this.#lock.release();
  }
}
