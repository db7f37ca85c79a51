import type { ByteSource } from '../../storage/tree/byte-source.ts';
import { BlobSource } from '../../storage/tree/byte-source.ts';
import { ImageStoreError } from './image-store-error.ts';
import { type Hash, Sha256 } from './sha256.ts';
import type { Draft, Sign, StoreFiles } from './store-files.ts';
import { streamOf } from './stream-of.ts';

/** What newer lists of DOM types have (File System Standard). */
interface MovableHandle extends FileSystemFileHandle {
  move(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

const isName = (error: unknown, ...names: string[]) =>
  error instanceof DOMException && names.includes(error.name);

let writes = 0;

/** A store in the browser's private file system, shared by all tabs and workers of the site. */
export class BrowserStoreFiles implements StoreFiles {
  private readonly folder: string;
  /** Says of files that are written in one go that they are no one's leavings. */
  private own: Promise<Sign> | undefined;

  /** @param folder name of the store within what is ours */
  constructor(folder = 'images') {
    this.folder = folder;
  }

  async read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const file = await this.file(path);
    return file === undefined ? undefined : new Uint8Array(await file.arrayBuffer());
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.own ??= this.sign();
    const draft = await this.draft(await this.own, `${writes++}.write`);
    try {
      await draft.write(bytes);
      await draft.commit(path);
    } catch (error) {
      await draft.discard();
      throw error;
    }
  }

  async size(path: string): Promise<number | undefined> {
    return (await this.file(path))?.size;
  }

  async *stream(path: string, offset = 0): AsyncGenerator<Uint8Array> {
    const file = await this.need(path);
    const piece = 1 << 20;
    for (let at = offset; at < file.size; at += piece) {
      yield new Uint8Array(await file.slice(at, at + piece).arrayBuffer());
    }
  }

  source(path: string): Promise<File> {
    return this.need(path);
  }

  async open(path: string): Promise<ByteSource & { close(): void }> {
    return Object.assign(new BlobSource(await this.need(path)), { close: () => {} });
  }

  async list(folder: string): Promise<string[]> {
    const directory = await this.parent(`${folder}/x`, false);
    if (directory === undefined) return [];
    const names: string[] = [];
    for await (const name of directory.keys()) names.push(name);
    return names.sort();
  }

  async remove(path: string): Promise<void> {
    try {
      await (await this.parent(path, false))?.removeEntry(nameOf(path));
    } catch (error) {
      if (!isName(error, 'NotFoundError')) throw storageError(error, path);
    }
  }

  draft(sign: Sign, name: string): Promise<Draft> {
    return storing(name, async () => {
      const path = `drafts/${sign.id}.${name}`;
      // What a writable holds before it is closed is gone with its tab: nothing to go on with.
      const folder = (await this.parent(path, true))!;
      const handle = await folder.getFileHandle(nameOf(path), { create: true });
      return new BrowserDraft(handle as MovableHandle, await handle.createWritable(), (place) =>
        this.parent(place, true).then((found) => found!),
      );
    });
  }

  exclusively<T>(action: () => Promise<T>): Promise<T> {
    return navigator.locks.request(`hypertab ${this.folder}`, action) as Promise<T>;
  }

  async sign(): Promise<Sign> {
    const id = crypto.randomUUID();
    let end: () => void = () => {};
    // The lock ends with the tab or worker that holds it.
    await new Promise<void>((resolve) => {
      void navigator.locks.request(this.lockOf(id), () => {
        resolve();
        return new Promise<void>((done) => {
          end = done;
        });
      });
    });
    return {
      id,
      release: async () => {
        await this.remove(`leases/${id}`);
        end();
      },
    };
  }

  async isAlive(id: string): Promise<boolean> {
    const { held = [] } = await navigator.locks.query();
    return held.some((lock) => lock.name === this.lockOf(id));
  }

  newHash(): Hash {
    return new Sha256();
  }

  async *gunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const iterator = packed[Symbol.asyncIterator]();
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value as Uint8Array<ArrayBuffer>);
      },
      cancel: async () => void (await iterator.return?.()),
    });
    yield* streamOf(stream.pipeThrough(new DecompressionStream('gzip')));
  }

  private lockOf(id: string): string {
    return `hypertab ${this.folder} ${id}`;
  }

  /** The folder of a path; undefined when it is not there and not to be made. */
  private async parent(path: string, create: boolean): Promise<FileSystemDirectoryHandle | undefined> {
    try {
      let at = await navigator.storage.getDirectory();
      for (const part of ['hypertab', this.folder, ...path.split('/').slice(0, -1)]) {
        at = await at.getDirectoryHandle(part, { create });
      }
      return at;
    } catch (error) {
      if (!create && isName(error, 'NotFoundError')) return undefined;
      throw storageError(error, path);
    }
  }

  private async file(path: string): Promise<File | undefined> {
    try {
      const handle = await (await this.parent(path, false))?.getFileHandle(nameOf(path));
      return await handle?.getFile();
    } catch (error) {
      if (isName(error, 'NotFoundError')) return undefined;
      throw storageError(error, path);
    }
  }

  private async need(path: string): Promise<File> {
    const file = await this.file(path);
    if (file === undefined) throw new ImageStoreError('storage', `${path} is not in the store of images`);
    return file;
  }
}

class BrowserDraft implements Draft {
  readonly resumed = 0;
  private readonly handle: MovableHandle;
  private readonly writable: FileSystemWritableFileStream;
  private readonly folderOf: (path: string) => Promise<FileSystemDirectoryHandle>;

  constructor(
    handle: MovableHandle,
    writable: FileSystemWritableFileStream,
    folderOf: (path: string) => Promise<FileSystemDirectoryHandle>,
  ) {
    this.handle = handle;
    this.writable = writable;
    this.folderOf = folderOf;
  }

  async *earlier(): AsyncGenerator<Uint8Array> {}

  async write(bytes: Uint8Array): Promise<void> {
    await storing('a file', () => this.writable.write(bytes as Uint8Array<ArrayBuffer>));
  }

  async commit(path: string): Promise<void> {
    await storing(path, async () => {
      await this.writable.close();
      await this.handle.move(await this.folderOf(path), nameOf(path));
    });
  }

  keep(): Promise<void> {
    return this.discard();
  }

  async discard(): Promise<void> {
    await this.writable.abort().catch(() => {});
    const { remove } = this.handle as { remove?: () => Promise<void> };
    await remove?.call(this.handle).catch(() => {});
  }
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

async function storing<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw storageError(error, path);
  }
}

function storageError(error: unknown, path: string): unknown {
  if (!(error instanceof DOMException)) return error;
  if (error.name === 'QuotaExceededError') {
    return new ImageStoreError('full', `write ${path}: no space left on device`, { cause: error });
  }
  return new ImageStoreError('storage', `the browser's store of images cannot be used: ${error.message}`, {
    cause: error,
  });
}
