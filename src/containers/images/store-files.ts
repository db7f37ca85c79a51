// What a store of images asks of the platform: files that are there whole or not at all, and a way to take turns.
import type { ByteSource } from '../../storage/tree/byte-source.ts';
import type { ArchiveSource } from '../../storage/tree/tree-spec.ts';
import type { Hash } from './sha256.ts';

/** A file that is being written. It has no name that anyone looks for until it is committed. */
export interface Draft {
  write(bytes: Uint8Array): Promise<void>;
  /** Bytes that an earlier attempt has left in it, from its beginning; read before the first write. */
  readonly resumed: number;
  /** Those bytes. */
  earlier(): AsyncIterable<Uint8Array>;
  /** Gives it its name, in place of what has it. */
  commit(path: string): Promise<void>;
  /** Leaves it for a later attempt where the platform can keep it. */
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** A sign that someone is working, which ends with him. */
export interface Sign {
  /** Letters, digits and dashes. */
  readonly id: string;
  release(): Promise<void>;
}

/** A folder of the host or of the browser's private file system. Paths are relative, with `/`. */
export interface StoreFiles {
  /** The whole file; undefined when there is none. */
  read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Replaces a file at once: whoever reads it sees the old or the new one.
   * @param passing it means nothing after a power failure, and need not be waited for until it is on the disk
   */
  write(path: string, bytes: Uint8Array, passing?: boolean): Promise<void>;
  /** Bytes of a file; undefined when there is none. */
  size(path: string): Promise<number | undefined>;
  /** A file's bytes from an offset on. */
  stream(path: string, offset?: number): AsyncIterable<Uint8Array>;
  /** A file as a machine's worker can open it. */
  source(path: string): Promise<ArchiveSource>;
  /** A file to be read here and there. */
  open(path: string): Promise<ByteSource & { close(): void }>;
  /** Names in a folder; none when it is not there. */
  list(folder: string): Promise<string[]>;
  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>;
  /** Begins a file in drafts/, or goes on with one of that name that was kept or whose writer is gone. */
  draft(sign: Sign, name: string): Promise<Draft>;
  /** Runs an action while no one else, in this or another process or tab, runs one on this store. */
  exclusively<T>(action: () => Promise<T>): Promise<T>;
  sign(): Promise<Sign>;
  isAlive(id: string): Promise<boolean>;
  newHash(): Hash;
  /** Unpacks gzip, of several members too; throws what it likes when it is damaged. */
  gunzip(packed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}
