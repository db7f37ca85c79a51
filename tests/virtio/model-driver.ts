// A driver of a split virtqueue, written from the specification alone: Virtio 1.2, section 2.7.
import { RAM_BASE, type TestMemory } from './memory.ts';

/** A buffer of the driver's, in RAM. */
export interface DriverSegment {
  address: number;
  length: number;
  writable: boolean;
}

export interface DriverLayout {
  size: number;
  descriptors: number;
  available: number;
  used: number;
  eventIndex: boolean;
}

const DESC_NEXT = 1;
const DESC_WRITE = 2;
const DESC_INDIRECT = 4;

/** Makes chains available, collects used ones, and keeps both sides' notifications to a minimum. */
export class ModelDriver {
  readonly layout: DriverLayout;
  /** Notifications the driver would have sent. */
  kicks = 0;
  #memory: TestMemory;
  #free: number[];
  #nextAvailable = 0;
  #lastKicked = 0;
  #lastUsed = 0;
  /** Descriptors of each head in flight. */
  #chains = new Map<number, number[]>();

  constructor(memory: TestMemory, layout: DriverLayout) {
    this.#memory = memory;
    this.layout = layout;
    this.#free = Array.from({ length: layout.size }, (_, index) => index);
  }

  get freeDescriptors(): number {
    return this.#free.length;
  }

  /** Adds a chain of its descriptors; returns its head. The device does not see it before publish(). */
  add(segments: readonly DriverSegment[], indirectTable?: number): number {
    const { view } = this.#memory;
    const { layout } = this;
    let head: number;
    if (indirectTable !== undefined) {
      for (const [index, segment] of segments.entries()) {
        const next = index + 1 < segments.length ? index + 1 : undefined;
        this.#describe(indirectTable + index * 16, segment, next);
      }
      head = this.#free.pop()!;
      const at = layout.descriptors + head * 16 - RAM_BASE;
      view.setBigUint64(at, BigInt(indirectTable), true);
      view.setUint32(at + 8, segments.length * 16, true);
      view.setUint16(at + 12, DESC_INDIRECT, true);
      this.#chains.set(head, [head]);
    } else {
      // Descriptors in no order: a chain's links are all that says which comes next.
      const own = segments.map(() => this.#free.pop()!);
      head = own[0]!;
      for (const [index, segment] of segments.entries()) {
        this.#describe(layout.descriptors + own[index]! * 16, segment, own[index + 1]);
      }
      this.#chains.set(head, own);
    }
    const slot = this.#nextAvailable % layout.size;
    view.setUint16(layout.available + 4 + slot * 2 - RAM_BASE, head, true);
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    return head;
  }

  /** Shows the device what was added; true when the device wants to be notified (section 2.7.10). */
  publish(): boolean {
    const { view } = this.#memory;
    const { layout } = this;
    view.setUint16(layout.available + 2 - RAM_BASE, this.#nextAvailable, true);
    let wanted: boolean;
    if (layout.eventIndex) {
      const event = view.getUint16(layout.used + 4 + layout.size * 8 - RAM_BASE, true);
      const added = (this.#nextAvailable - this.#lastKicked) & 0xffff;
      wanted = ((this.#nextAvailable - event - 1) & 0xffff) < added;
    } else wanted = (view.getUint16(layout.used - RAM_BASE, true) & 1) === 0;
    this.#lastKicked = this.#nextAvailable;
    if (wanted) this.kicks++;
    return wanted;
  }

  /** The next used chain, if there is one. */
  collect(): { head: number; written: number } | undefined {
    const { view } = this.#memory;
    const { layout } = this;
    if (view.getUint16(layout.used + 2 - RAM_BASE, true) === this.#lastUsed) return undefined;
    const at = layout.used + 4 + (this.#lastUsed % layout.size) * 8 - RAM_BASE;
    this.#lastUsed = (this.#lastUsed + 1) & 0xffff;
    const head = view.getUint32(at, true);
    const own = this.#chains.get(head);
    if (!own) throw new Error(`the device gave back ${head}, which is not its`);
    this.#chains.delete(head);
    this.#free.push(...own);
    return { head, written: view.getUint32(at + 4, true) };
  }

  /** Asks for an interrupt once `after` more chains are used than were collected; undefined: for none. */
  wantInterrupt(after: number | undefined): void {
    const { view } = this.#memory;
    const { layout } = this;
    view.setUint16(layout.available - RAM_BASE, after === undefined ? 1 : 0, true);
    // The index the device must pass; one far behind it is passed last of all.
    const event = (this.#lastUsed + (after === undefined ? 0x8000 : after - 1)) & 0xffff;
    view.setUint16(layout.available + 4 + layout.size * 2 - RAM_BASE, event, true);
  }

  #describe(address: number, segment: DriverSegment, next: number | undefined): void {
    const { view } = this.#memory;
    const at = address - RAM_BASE;
    view.setBigUint64(at, BigInt(segment.address), true);
    view.setUint32(at + 8, segment.length, true);
    view.setUint16(at + 12, (segment.writable ? DESC_WRITE : 0) | (next === undefined ? 0 : DESC_NEXT), true);
    view.setUint16(at + 14, next ?? 0, true);
  }
}
