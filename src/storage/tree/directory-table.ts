import type { ByteString } from './byte-name.ts';

/** An entry of a directory, with the place a listing goes on from. */
export interface TableSlot<T> {
  readonly name: ByteString;
  value: T;
  readonly cookie: number;
}

/** Names of a directory in the order in which they came; a listing stays right while names come and go. */
export class DirectoryTable<T> {
  private readonly byName = new Map<ByteString, TableSlot<T>>();
  /** Ascending cookies. Slots that are gone stay until they are the greater part. */
  private order: TableSlot<T>[] = [];
  private lastCookie = 0;

  get size(): number {
    return this.byName.size;
  }

  get(name: ByteString): T | undefined {
    return this.byName.get(name)?.value;
  }

  /** Adds a name, or puts another value under it (which keeps its cookie). */
  set(name: ByteString, value: T): void {
    const slot = this.byName.get(name);
    if (slot !== undefined) {
      slot.value = value;
      return;
    }
    const added = { name, value, cookie: ++this.lastCookie };
    this.byName.set(name, added);
    this.order.push(added);
  }

  delete(name: ByteString): void {
    if (!this.byName.delete(name)) return;
    if (this.order.length > 2 * this.byName.size + 16) {
      this.order = this.order.filter((slot) => this.byName.get(slot.name) === slot);
    }
  }

  /** At most `limit` slots whose cookies are greater than `after`. */
  list(after: number, limit: number): TableSlot<T>[] {
    let low = 0;
    let high = this.order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.order[middle]!.cookie > after) high = middle;
      else low = middle + 1;
    }
    const found: TableSlot<T>[] = [];
    for (; low < this.order.length && found.length < limit; low++) {
      const slot = this.order[low]!;
      if (this.byName.get(slot.name) === slot) found.push(slot);
    }
    return found;
  }

  values(): IterableIterator<TableSlot<T>> {
    return this.byName.values();
  }
}
