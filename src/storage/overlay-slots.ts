import { SLOT_LIMIT } from './overlay-layout.ts';
import { StorageError } from './storage-error.ts';

/** Which slots of an overlay's store are in use, by how many maps, and which may be taken. */
export class OverlaySlots {
  readonly #limit: number;
  /** How many maps (the live one and snapshots) name each slot. */
  #references = new Uint16Array(1024);
  /** Slots from here on were never used. */
  #next = 0;
  /** Unused slots below that, last in first out. */
  #free: number[] = [];
  /** Unused slots that a map on the store may still name: free when the next one is written. */
  #released: number[] = [];

  constructor(limit: number) {
    this.#limit = Math.min(limit, SLOT_LIMIT);
  }

  get used(): number {
    return this.#next - this.#free.length - this.#released.length;
  }

  /**
   * Takes an unused slot, in ascending order where possible.
   * @throws {StorageError} full
   */
  take(): number {
    const slot = this.#free.pop() ?? this.#next;
    if (slot >= this.#limit) {
      throw new StorageError(
        'full',
        'the overlay is full; delete snapshots, or commit or discard its changes',
      );
    }
    if (slot === this.#next) {
      this.#next++;
      if (slot >= this.#references.length) {
        const larger = new Uint16Array(this.#references.length * 2);
        larger.set(this.#references);
        this.#references = larger;
      }
    }
    this.#references[slot] = 1;
    return slot;
  }

  /** Gives back a slot that no map ever named. */
  giveBack(slot: number): void {
    this.#references[slot] = 0;
    this.#free.push(slot);
  }

  /** One more map names a slot. */
  keep(slot: number): void {
    this.#references[slot]!++;
  }

  /** One map less names a slot. */
  release(slot: number): void {
    if (--this.#references[slot]! === 0) this.#released.push(slot);
  }

  /** Does more than one map name it? Then it must not change. */
  isShared(slot: number): boolean {
    return this.#references[slot]! > 1;
  }

  /** Counts a slot named by a map that was read from the store; once per map. */
  found(slot: number): void {
    while (slot >= this.#references.length) {
      const larger = new Uint16Array(this.#references.length * 2);
      larger.set(this.#references);
      this.#references = larger;
    }
    this.#references[slot]!++;
    this.#next = Math.max(this.#next, slot + 1);
  }

  /** All maps were counted: what is left between is free. */
  foundAll(): void {
    this.#free = [];
    for (let slot = this.#next - 1; slot >= 0; slot--)
      if (this.#references[slot] === 0) this.#free.push(slot);
  }

  /**
   * The maps on the store name only slots in use: those released before may be taken.
   * @returns runs of them: first slot, number
   */
  reclaim(): [number, number][] {
    const released = this.#released.sort((a, b) => a - b);
    this.#released = [];
    const runs: [number, number][] = [];
    for (const slot of released) {
      const last = runs.at(-1);
      if (last !== undefined && last[0] + last[1] === slot) last[1]++;
      else runs.push([slot, 1]);
    }
    for (const slot of released.reverse()) this.#free.push(slot);
    return runs;
  }
}
