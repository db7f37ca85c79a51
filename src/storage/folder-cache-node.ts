import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChunkCache, ChunkCacheOpener } from './chunk-cache.ts';
import { crc32c } from './crc32c.ts';

/** A cache in a folder: a file for each chunk, with its number and a CRC-32C in front, in a folder for each version of each URL. */
export function folderCache(folder: string, url: string): ChunkCacheOpener {
  return async (identity, chunkBytes) => {
    const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
    const home = join(folder, hash(url));
    const version = hash(JSON.stringify([identity, chunkBytes]));
    const place = join(home, version);
    await mkdir(place, { recursive: true });
    for (const other of await readdir(home)) {
      if (other !== version) await rm(join(home, other), { recursive: true, force: true });
    }
    return new FolderCache(place);
  };
}

class FolderCache implements ChunkCache {
  readonly #folder: string;
  #parts = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(chunk: number): Promise<Uint8Array | undefined> {
    const file = await readFile(join(this.#folder, String(chunk))).catch(() => undefined);
    if (file === undefined || file.length < 8) return undefined;
    const contents = new Uint8Array(file.subarray(8));
    const isRight = file.readUInt32LE(0) === chunk && file.readUInt32LE(4) === crc32c(contents);
    return isRight ? contents : undefined;
  }

  async put(chunk: number, contents: Uint8Array): Promise<void> {
    const part = join(this.#folder, `.part-${process.pid}-${this.#parts++}`);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(chunk, 0);
    head.writeUInt32LE(crc32c(contents), 4);
    try {
      await writeFile(part, Buffer.concat([head, contents]));
      await rename(part, join(this.#folder, String(chunk)));
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  async close(): Promise<void> {}
}
