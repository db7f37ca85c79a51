// Snapshots in a folder (Node).
import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { fileError } from '../file-error-node.ts';
import { lockFile } from '../file-lock-node.ts';
import { StorageError } from '../storage-error.ts';
import { SNAPSHOT_SUFFIX, type SnapshotFiles, snapshotId } from './snapshot-files.ts';

/** How long to wait for another process that writes or removes a snapshot. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 25;
let drafts = 0;

/** Snapshots in a folder, which is made when the first is written. */
export class FolderSnapshots implements SnapshotFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(): Promise<string[]> {
    try {
      const names = await readdir(this.#folder);
      return names.flatMap((name) => snapshotId(name) ?? []).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw fileError(this.#folder, error);
    }
  }

  async read(id: string): Promise<Uint8Array | undefined> {
    const path = this.#path(id);
    try {
      return new Uint8Array(await readFile(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw fileError(path, error);
    }
  }

  async peek(id: string): Promise<Blob | undefined> {
    return openAsBlob(this.#path(id)).catch(() => undefined);
  }

  async write(id: string, contents: Blob): Promise<void> {
    // Nobody else writes now: what is not finished never will be.
    for (const name of await readdir(this.#folder)) {
      if (name.endsWith('.draft')) await rm(join(this.#folder, name), { force: true });
    }
    await writeWhole(this.#path(id), contents);
  }

  async remove(id: string): Promise<void> {
    const path = this.#path(id);
    await rm(path, { force: true }).catch((error: unknown) => {
      throw fileError(path, error);
    });
  }

  async alone<T>(action: () => Promise<T>): Promise<T> {
    try {
      await mkdir(this.#folder, { recursive: true });
    } catch (error) {
      throw fileError(this.#folder, error);
    }
    const info = await stat(this.#folder, { bigint: true });
    for (const begin = performance.now(); ; ) {
      try {
        const lock = await lockFile(info, this.#folder, 'write');
        try {
          return await action();
        } finally {
          await lock.release();
        }
      } catch (error) {
        const isHeld = error instanceof StorageError && error.kind === 'locked';
        if (!isHeld || performance.now() - begin > PATIENCE_MS) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  #path(id: string): string {
    return join(this.#folder, id + SNAPSHOT_SUFFIX);
  }
}

/**
 * Writes a file so that it is there whole or not at all, and what was there before stays until then.
 * @throws {StorageError} full, denied or io, naming the path
 */
export async function writeWhole(path: string, contents: Blob): Promise<void> {
  const draft = `${path}.${process.pid}-${++drafts}.draft`;
  try {
    const source = Readable.fromWeb(contents.stream() as WebStream<Uint8Array>);
    await pipeline(source, createWriteStream(draft));
    const file = await open(draft, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw fileError(path, error);
  }
}
