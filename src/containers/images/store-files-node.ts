import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { GuestError } from '../../guests/guest-error.ts';
import { withLock } from '../../guests/lock-node.ts';
import { FileSource } from '../../storage/tree/file-source-node.ts';
import { ImageStoreError } from './image-store-error.ts';
import type { Hash } from './sha256.ts';
import type { Draft, Sign, StoreFiles } from './store-files.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT']);
/** Signs of other hosts (a shared home) are believed for so long, in ms. */
const FOREIGN_MS = 24 * 3600 * 1000;

const HOST = hostname().replace(/[^\w-]/g, '_');
const newId = () => `${process.pid}-${randomBytes(6).toString('hex')}-${HOST}`;

/** The last of the actions that take turns in this process, by folder. */
const turns = new Map<string, Promise<unknown>>();

/** A store in a folder of the host. */
export class NodeStoreFiles implements StoreFiles {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return new Uint8Array(await readFile(this.at(path)));
    } catch (error) {
      return ifMissing(error, path);
    }
  }

  async write(path: string, bytes: Uint8Array, passing = false): Promise<void> {
    const part = this.at(`drafts/${newId()}.write`);
    await storing(path, async () => {
      await mkdir(dirname(part), { recursive: true });
      await mkdir(dirname(this.at(path)), { recursive: true });
      const file = await open(part, 'wx');
      try {
        await file.writeFile(bytes);
        if (!passing) await file.datasync();
        await file.close();
        await rename(part, this.at(path));
      } catch (error) {
        await file.close().catch(() => {});
        await rm(part, { force: true });
        throw error;
      }
    });
  }

  async size(path: string): Promise<number | undefined> {
    try {
      const info = await stat(this.at(path));
      return info.isFile() ? info.size : undefined;
    } catch (error) {
      return ifMissing(error, path);
    }
  }

  async *stream(path: string, offset = 0): AsyncGenerator<Uint8Array> {
    try {
      const file: ReadStream = createReadStream(this.at(path), { start: offset, highWaterMark: 1 << 20 });
      yield* file as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw storageError(error, path);
    }
  }

  async source(path: string): Promise<string> {
    return this.at(path);
  }

  async open(path: string): Promise<FileSource> {
    return new FileSource(this.at(path));
  }

  async list(folder: string): Promise<string[]> {
    try {
      return (await readdir(this.at(folder))).sort();
    } catch (error) {
      return ifMissing(error, folder) ?? [];
    }
  }

  async remove(path: string): Promise<void> {
    await storing(path, () => rm(this.at(path), { force: true }));
  }

  async draft(sign: Sign, name: string): Promise<Draft> {
    const path = this.at(`drafts/${sign.id}.${name}`);
    return storing(path, async () => {
      await mkdir(dirname(path), { recursive: true });
      for (const other of await this.list('drafts')) {
        const owner = other.slice(0, other.indexOf('.'));
        if (!other.endsWith(`.${name}`) || (owner !== 'kept' && (await this.isAlive(owner)))) continue;
        // Whoever renames it first has it.
        const won = await rename(this.at(`drafts/${other}`), path).then(
          () => true,
          () => false,
        );
        if (won) break;
      }
      const file = await open(path, 'a+');
      const { size } = await file.stat();
      return new NodeDraft(this.folder, path, name, file, size);
    });
  }

  async exclusively<T>(action: () => Promise<T>): Promise<T> {
    // Those of this process take turns among themselves first: waiting for a lock file is slow.
    const before = turns.get(this.folder) ?? Promise.resolve();
    const own = before.then(() => withLock(this.folder, {}, action));
    turns.set(
      this.folder,
      own.catch(() => {}),
    );
    try {
      return await own;
    } catch (error) {
      if (error instanceof GuestError) throw new ImageStoreError('storage', error.message, { cause: error });
      throw error;
    }
  }

  async sign(): Promise<Sign> {
    const id = newId();
    return { id, release: () => this.remove(`leases/${id}`) };
  }

  async isAlive(id: string): Promise<boolean> {
    const match = /^(\d+)-[0-9a-f]+-(.*)$/.exec(id);
    if (match === null) return false;
    if (match[2] !== HOST) {
      const info = await stat(this.at(`leases/${id}`)).catch(() => undefined);
      return info !== undefined && Date.now() - info.mtimeMs < FOREIGN_MS;
    }
    try {
      process.kill(Number(match[1]), 0);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  }

  newHash(): Hash {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
  }

  async *gunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const unpacking = createGunzip({ chunkSize: 1 << 18 });
    const fed = pipeline(packed, unpacking).catch((error: unknown) => error);
    yield* unpacking as AsyncIterable<Uint8Array>;
    const failed = await fed;
    if (failed !== undefined) throw failed;
  }

  private at(path: string): string {
    return join(this.folder, path);
  }
}

class NodeDraft implements Draft {
  readonly resumed: number;
  private readonly folder: string;
  private readonly path: string;
  private readonly name: string;
  private readonly file: FileHandle;

  constructor(folder: string, path: string, name: string, file: FileHandle, resumed: number) {
    this.folder = folder;
    this.path = path;
    this.name = name;
    this.file = file;
    this.resumed = resumed;
  }

  earlier(): AsyncIterable<Uint8Array> {
    return createReadStream(this.path, { end: this.resumed - 1, highWaterMark: 1 << 20 });
  }

  async write(bytes: Uint8Array): Promise<void> {
    await storing(this.path, () => this.file.appendFile(bytes));
  }

  async commit(path: string): Promise<void> {
    const place = join(this.folder, path);
    await storing(path, async () => {
      await this.file.datasync();
      await this.file.close();
      await mkdir(dirname(place), { recursive: true });
      await rename(this.path, place);
    });
  }

  async keep(): Promise<void> {
    await this.file.close().catch(() => {});
    await rename(this.path, join(dirname(this.path), `kept.${this.name}`)).catch(() => {});
  }

  async discard(): Promise<void> {
    await this.file.close().catch(() => {});
    await rm(this.path, { force: true }).catch(() => {});
  }
}

function ifMissing(error: unknown, path: string): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw storageError(error, path);
}

async function storing<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw storageError(error, path);
  }
}

function storageError(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof ImageStoreError) return error;
  if (FULL.has(code)) {
    return new ImageStoreError('full', `write ${path}: no space left on device`, { cause: error });
  }
  return new ImageStoreError('storage', `the store of images cannot be used: ${message}`, { cause: error });
}
