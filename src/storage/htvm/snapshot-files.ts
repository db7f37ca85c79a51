// Where snapshots are kept: files by their ids, each written whole or not at all.
import type { HtvmBytes } from './htvm-reader.ts';

export interface SnapshotFiles {
  /** Ids of the files that there are. Fails with a StorageError, as the other calls do. */
  list(): Promise<string[]>;
  /** A file's bytes; undefined when there is none. */
  read(id: string): Promise<HtvmBytes | undefined>;
  /** The same to look into, read as it is needed: it is good until the file is replaced or removed. */
  peek(id: string): Promise<Blob | undefined>;
  /** Writes a file, in the place of one of that id; on failure (kind full, for example) nothing has changed. */
  write(id: string, contents: Blob): Promise<void>;
  /** Removes a file; nothing happens when there is none. */
  remove(id: string): Promise<void>;
  /** True where there is ample room for the RAM of a machine with that many bytes of it as it is; default: never. */
  hasRoomForRam?(bytes: number): Promise<boolean>;
  /** Runs an action while no other tab or process changes anything. */
  alone<T>(action: () => Promise<T>): Promise<T>;
}

/** What a file's name has after its id. */
export const SNAPSHOT_SUFFIX = '.htvm';

/** The id in a file's name; undefined for other files. */
export function snapshotId(fileName: string): string | undefined {
  return /^([0-9a-f]{32})\.htvm$/.exec(fileName)?.[1];
}
