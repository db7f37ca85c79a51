import type { ChunkCache, ChunkCacheOpener } from './chunk-cache.ts';
import { crc32c } from './crc32c.ts';
import { hasSyncFiles, openSyncFile, opfsFolder, type SyncAccessHandle } from './opfs-files.ts';

const MAGIC = 0x48_43_54_48;
const HEADER_BYTES = 4096;

/**
 * A cache in one private file of the browser: a header that names the version, then for each chunk a CRC-32C with a
 * mark, then the chunks. A second worker that opens the same goes without.
 * @param name of the cache
 */
export function opfsCache(name: string): ChunkCacheOpener {
  return async (identity, chunkBytes, chunks) => {
    if (!hasSyncFiles()) throw new Error('this browser has no synchronous files');
    const file = await openSyncFile(await opfsFolder('cache'), name, true, 0);
    try {
      return new OpfsCache(file, `${identity} in ${chunkBytes}`, chunkBytes, chunks);
    } catch (error) {
      file.close();
      throw error;
    }
  };
}

class OpfsCache implements ChunkCache {
  readonly #file: SyncAccessHandle;
  readonly #chunkBytes: number;
  readonly #dataStart: number;
  #isOpen = true;

  constructor(file: SyncAccessHandle, version: string, chunkBytes: number, chunks: number) {
    this.#file = file;
    this.#chunkBytes = chunkBytes;
    this.#dataStart = HEADER_BYTES + Math.ceil((chunks * 12) / 4096) * 4096;
    const header = new Uint8Array(HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(0, MAGIC, true);
    const { written } = new TextEncoder().encodeInto(version, header.subarray(16));
    view.setUint32(4, written, true);
    view.setUint32(8, crc32c(header.subarray(16)), true);
    const found = new Uint8Array(HEADER_BYTES);
    file.read(found, { at: 0 });
    if (found.some((byte, index) => byte !== header[index])) {
      file.truncate(0);
      file.write(header, { at: 0 });
    }
  }

  async get(chunk: number): Promise<Uint8Array | undefined> {
    if (!this.#isOpen) return undefined;
    const entry = new Uint8Array(12);
    if (this.#file.read(entry, { at: HEADER_BYTES + chunk * 12 }) !== 12) return undefined;
    const view = new DataView(entry.buffer);
    const length = view.getUint32(4, true);
    if (view.getUint32(0, true) !== MAGIC || length > this.#chunkBytes) return undefined;
    const contents = new Uint8Array(length);
    const count = this.#file.read(contents, { at: this.#dataStart + chunk * this.#chunkBytes });
    return count === length && crc32c(contents) === view.getUint32(8, true) ? contents : undefined;
  }

  async put(chunk: number, contents: Uint8Array): Promise<void> {
    if (!this.#isOpen) return;
    // The entry comes last, and its CRC tells of contents that did not get there.
    const count = this.#file.write(contents, { at: this.#dataStart + chunk * this.#chunkBytes });
    if (count !== contents.length) return;
    const entry = new Uint8Array(12);
    const view = new DataView(entry.buffer);
    view.setUint32(0, MAGIC, true);
    view.setUint32(4, contents.length, true);
    view.setUint32(8, crc32c(contents), true);
    this.#file.write(entry, { at: HEADER_BYTES + chunk * 12 });
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.flush();
    this.#file.close();
  }
}
