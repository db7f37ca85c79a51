import type { MaybeLater } from './block-backend.ts';
import { checkRange, SECTOR_BYTES } from './extent.ts';
import { StorageError } from './storage-error.ts';
import { UnchangingBackend } from './unchanging-backend.ts';

/** A file that the user has picked, read in place. Should it change meanwhile, reading it fails. */
export class BlobBackend extends UnchangingBackend {
  readonly bytes: number;
  readonly identity: string | undefined;
  readonly #blob: Blob;
  #isOpen = true;

  /** @throws {StorageError} io when it is empty */
  constructor(blob: Blob, name: string) {
    if (blob.size === 0) throw new StorageError('io', `${name} is empty; give a disk image`);
    super(name);
    this.#blob = blob;
    this.bytes = Math.ceil(blob.size / SECTOR_BYTES) * SECTOR_BYTES;
    const { lastModified } = blob as Partial<File>;
    this.identity =
      lastModified === undefined
        ? undefined
        : `${blob.size} bytes of ${new Date(lastModified).toISOString()}`;
  }

  async read(offset: number, target: Uint8Array): Promise<void> {
    this.#check(offset, target.length);
    let contents: Uint8Array;
    try {
      contents = new Uint8Array(await this.#blob.slice(offset, offset + target.length).arrayBuffer());
    } catch (error) {
      throw new StorageError('io', `${this.label} can no longer be read; was it changed? Pick it again`, {
        cause: error,
      });
    }
    target.set(contents);
    target.fill(0, contents.length);
  }

  close(): MaybeLater {
    this.#isOpen = false;
    return undefined;
  }

  #check(offset: number, length: number): void {
    if (!this.#isOpen) throw new StorageError('io', `${this.label} is closed`);
    checkRange(this.label, this.bytes, offset, length);
  }
}
