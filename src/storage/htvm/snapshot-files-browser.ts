// Snapshots in the browser's private file system, or in its database where files there cannot be written from a page.
import { browserError } from '../browser-error.ts';
import { StorageError } from '../storage-error.ts';
import { SNAPSHOT_SUFFIX, type SnapshotFiles, snapshotId } from './snapshot-files.ts';

const STORE = 'files';
/** RAM that is kept as it is, at most: a browser has to hold a file while it is made. */
const LARGEST_PLAIN_RAM = 512 * 1024 ** 2;
/** How many times that must still be free. */
const AMPLE = 4;

/** The better of the two stores that the browser has. */
export function openSnapshotsBrowser(kind: 'snapshots' | 'warm'): SnapshotFiles {
  const { FileSystemFileHandle: handle } = globalThis as { FileSystemFileHandle?: { prototype: object } };
  const hasFiles =
    typeof navigator.storage?.getDirectory === 'function' &&
    handle !== undefined &&
    'createWritable' in handle.prototype;
  return hasFiles ? new OpfsSnapshots(kind) : new IndexedDbSnapshots(kind);
}

/** One tab at a time changes snapshots. */
function inOneTab<T>(kind: string, action: () => Promise<T>): Promise<T> {
  // Pages over plain HTTP have no locks, and neither OPFS.
  if (navigator.locks === undefined) return action();
  return navigator.locks.request(`hypertab ${kind}`, action) as Promise<T>;
}

export class OpfsSnapshots implements SnapshotFiles {
  readonly #kind: string;

  /** @param kind name of their folder */
  constructor(kind: string) {
    this.#kind = kind;
  }

  async list(): Promise<string[]> {
    return this.#within('the snapshots', async (folder) => {
      const ids: string[] = [];
      for await (const name of folder.keys()) {
        const id = snapshotId(name);
        if (id !== undefined) ids.push(id);
      }
      return ids.sort();
    });
  }

  async read(id: string): Promise<Blob | undefined> {
    return this.#within(id, async (folder) => {
      try {
        return await (await folder.getFileHandle(id + SNAPSHOT_SUFFIX)).getFile();
      } catch (error) {
        if (error instanceof DOMException && error.name === 'NotFoundError') return undefined;
        throw error;
      }
    });
  }

  peek(id: string): Promise<Blob | undefined> {
    return this.read(id);
  }

  /** What is written goes to a file of the browser's own, which takes the place of the old one when it is closed. */
  async write(id: string, contents: Blob): Promise<void> {
    await this.#within(id, async (folder) => {
      const isNew = (await this.read(id)) === undefined;
      const file = await folder.getFileHandle(id + SNAPSHOT_SUFFIX, { create: true });
      const writable = await file.createWritable();
      try {
        await writable.write(contents);
        await writable.close();
      } catch (error) {
        await writable.abort().catch(() => {});
        if (isNew) await folder.removeEntry(id + SNAPSHOT_SUFFIX).catch(() => {});
        throw error;
      }
    });
  }

  async remove(id: string): Promise<void> {
    await this.#within(id, async (folder) => {
      await folder.removeEntry(id + SNAPSHOT_SUFFIX).catch((error: unknown) => {
        if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
      });
    });
  }

  async hasRoomForRam(bytes: number): Promise<boolean> {
    if (bytes > LARGEST_PLAIN_RAM) return false;
    const { quota = 0, usage = 0 } = await navigator.storage.estimate().catch(() => ({}) as StorageEstimate);
    return quota - usage >= AMPLE * bytes;
  }

  alone<T>(action: () => Promise<T>): Promise<T> {
    return inOneTab(this.#kind, action);
  }

  async #within<T>(what: string, action: (folder: FileSystemDirectoryHandle) => Promise<T>): Promise<T> {
    try {
      const root = await navigator.storage.getDirectory();
      const ours = await root.getDirectoryHandle('hypertab', { create: true });
      return await action(await ours.getDirectoryHandle(this.#kind, { create: true }));
    } catch (error) {
      throw inWords(what, error);
    }
  }
}

export class IndexedDbSnapshots implements SnapshotFiles {
  readonly #kind: string;

  /** @param kind tells their database from others */
  constructor(kind: string) {
    this.#kind = kind;
  }

  async list(): Promise<string[]> {
    const keys = await this.#within('the snapshots', 'readonly', (store) => store.getAllKeys());
    return keys.map(String).sort();
  }

  async read(id: string): Promise<Blob | undefined> {
    const value: unknown = await this.#within(id, 'readonly', (store) => store.get(id));
    return value instanceof Blob ? value : undefined;
  }

  peek(id: string): Promise<Blob | undefined> {
    return this.read(id);
  }

  async write(id: string, contents: Blob): Promise<void> {
    await this.#within(id, 'readwrite', (store) => store.put(contents, id));
  }

  async remove(id: string): Promise<void> {
    await this.#within(id, 'readwrite', (store) => store.delete(id));
  }

  alone<T>(action: () => Promise<T>): Promise<T> {
    return inOneTab(this.#kind, action);
  }

  /** Resolves when the transaction is done: what it wrote is then there, all of it. */
  async #within<T>(
    what: string,
    mode: IDBTransactionMode,
    action: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> {
    let database: IDBDatabase | undefined;
    try {
      database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(`hypertab ${this.#kind}`, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(STORE);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      const transaction = database.transaction(STORE, mode);
      const request = action(transaction.objectStore(STORE));
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? request.error);
      });
      return request.result;
    } catch (error) {
      throw inWords(what, error);
    } finally {
      database?.close();
    }
  }
}

/** browserError() speaks of disks. */
function inWords(what: string, error: unknown): StorageError {
  const { kind, message } = browserError(what, error);
  if (kind === 'full') {
    return new StorageError(
      'full',
      'the browser gives this page no more room for snapshots; remove some, or free space on the computer',
      { cause: error },
    );
  }
  return new StorageError(kind, `snapshots: ${message}`, { cause: error });
}
