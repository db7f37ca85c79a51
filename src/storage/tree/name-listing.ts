import type { ByteString } from './byte-name.ts';
import { DirectoryTable } from './directory-table.ts';
import type { DirectoryEntry } from './file-system.ts';

/** Stands for a number that is not known (FUSE_UNKNOWN_INO): lookup tells it, here it would cost one. */
export const UNKNOWN_NUMBER = 0xffff_ffff;

/** The listing of a directory that lies elsewhere: names as they were found last, each with the cookie it had first. */
export class NameListing {
  private readonly table = new DirectoryTable<number>();

  /** @param found what the directory holds now, with the types (and perhaps permissions) that are known */
  refresh(found: ReadonlyMap<ByteString, number>): void {
    for (const { name } of [...this.table.values()]) if (!found.has(name)) this.table.delete(name);
    for (const [name, mode] of found) this.table.set(name, mode);
  }

  /** At most `limit` entries behind the cookie `after`. */
  list(after: number, limit: number): DirectoryEntry[] {
    return this.table
      .list(after, limit)
      .map(({ name, value, cookie }) => ({ name, number: UNKNOWN_NUMBER, mode: value, cookie }));
  }
}
