// The split virtqueue, as a device sees it. Virtio 1.2, section 2.7; sections below are its.
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import { Chain, type ChainOwner } from './chain.ts';
import type { GuestMemory } from './guest-memory.ts';

// Section 2.7.5: the descriptor table.
export const VIRTQ_DESC_BYTES = 16;
export const VIRTQ_DESC_F_NEXT = 1;
export const VIRTQ_DESC_F_WRITE = 2;
export const VIRTQ_DESC_F_INDIRECT = 4;
// Section 2.7.6: the available ring; used_event lies behind its entries.
export const VIRTQ_AVAIL_F_NO_INTERRUPT = 1;
export const VIRTQ_RING_INDEX = 2;
export const VIRTQ_RING_ENTRIES = 4;
export const VIRTQ_AVAIL_ENTRY_BYTES = 2;
// Section 2.7.8: the used ring; avail_event lies behind its entries.
export const VIRTQ_USED_ENTRY_BYTES = 8;

/** Largest queue a device here may offer. Descriptors of one chain, those of an indirect table too, are no more. */
export const QUEUE_SIZE_MAX = 1024;
/** Section 2.7.4: a chain is at most 2^32 bytes long. */
const CHAIN_BYTES_MAX = 2 ** 32;

/** The three parts of a queue in guest RAM, with their alignments (section 2.7). */
export const QUEUE_AREAS = ['descriptor', 'driver', 'device'] as const;
const AREA_ALIGNMENT = [16, 2, 4] as const;

/** What a queue tells its transport. */
export interface VirtqueueEvents {
  /** The driver wants to know of used buffers. */
  usedBuffers(): void;
  /** The driver did what it must not; the queue answers no more until it is reset. */
  broken(reason: string): void;
}

/** The features that change how a queue works. */
export interface VirtqueueFeatures {
  eventIndex: boolean;
  indirect: boolean;
}

/** Where the areas lie in RAM; checked. */
interface Rings {
  descriptors: number;
  available: number;
  used: number;
}

/** One split virtqueue over guest RAM. Nothing a guest writes makes it throw, loop, or reach beyond RAM. */
export class Virtqueue implements ChainOwner, Stateful {
  /** Largest number of entries (Queue Size). */
  readonly maxSize: number;
  /** Entries the driver chose, a power of two. */
  size: number;
  /** Low and high words of the descriptor, driver and device area's addresses. */
  readonly addresses = new Uint32Array(6);
  readonly #memory: GuestMemory;
  readonly #events: VirtqueueEvents;
  #features: VirtqueueFeatures = { eventIndex: false, indirect: false };
  #rings: Rings | undefined;
  #epoch = 0;
  #nextAvailable = 0;
  #nextUsed = 0;
  #availEvent = 0;
  #inFlight = 0;
  #broken = false;
  readonly stateVersion = 1;

  /** @param maxSize entries, a power of two up to QUEUE_SIZE_MAX */
  constructor(memory: GuestMemory, maxSize: number, events: VirtqueueEvents) {
    if (maxSize < 1 || maxSize > QUEUE_SIZE_MAX || (maxSize & (maxSize - 1)) !== 0) {
      throw new RangeError(`a virtqueue of ${maxSize} entries: give a power of two up to ${QUEUE_SIZE_MAX}`);
    }
    this.#memory = memory;
    this.maxSize = maxSize;
    this.size = maxSize;
    this.#events = events;
  }

  /** True between enable() and reset(). */
  get enabled(): boolean {
    return this.#rings !== undefined;
  }

  /** Chains taken and not given back. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The driver has set size and addresses: the queue lives. Breaks it when they cannot be. */
  enable(features: VirtqueueFeatures): void {
    if (this.enabled) return;
    this.#features = features;
    const rings = this.#place(this.size, this.addresses);
    if (typeof rings === 'string') this.#fail(rings);
    else this.#rings = rings;
  }

  /** Back to the state after a device reset; chains taken before are stale from here on. */
  reset(): void {
    this.#epoch++;
    this.#rings = undefined;
    this.#broken = false;
    this.#nextAvailable = 0;
    this.#nextUsed = 0;
    this.#availEvent = 0;
    this.#inFlight = 0;
    this.size = this.maxSize;
    this.addresses.fill(0);
  }

  /** The next chain the driver has made available; undefined when there is none, or the queue is not alive. */
  pop(): Chain | undefined {
    const rings = this.#rings;
    if (!rings || this.#broken) return undefined;
    let waiting = this.#waiting(rings);
    if (waiting === 0) {
      this.#askForNotification(rings);
      // The driver may have added one before it could see that.
      waiting = this.#waiting(rings);
      if (waiting === 0) return undefined;
    }
    if (waiting > this.size) {
      return this.#fail(`the available index runs ${waiting} ahead in a queue of ${this.size}`);
    }
    if (this.#inFlight >= this.size)
      return this.#fail('more chains are available than the queue has entries');
    const slot = this.#nextAvailable & (this.size - 1);
    const at = rings.available + VIRTQ_RING_ENTRIES + VIRTQ_AVAIL_ENTRY_BYTES * slot;
    const head = this.#memory.data.getUint16(at, true);
    const chain = this.#walk(rings, head);
    if (!chain) return undefined;
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    this.#inFlight++;
    return chain;
  }

  owns(chain: Chain): boolean {
    return chain.epoch === this.#epoch && this.enabled && !this.#broken;
  }

  /** See Chain.finish; section 2.7.8. */
  finish(chain: Chain, written: number): boolean {
    const rings = this.#rings;
    if (chain.finished || !rings || !this.owns(chain)) return false;
    chain.finished = true;
    // A state from elsewhere may have counted otherwise.
    this.#inFlight = Math.max(0, this.#inFlight - 1);
    this.#noteWritten(chain, written);
    const { data } = this.#memory;
    const slot = this.#nextUsed & (this.size - 1);
    const at = rings.used + VIRTQ_RING_ENTRIES + VIRTQ_USED_ENTRY_BYTES * slot;
    data.setUint32(at, chain.head, true);
    data.setUint32(at + 4, Math.min(written, 0xffff_ffff), true);
    this.#memory.noteWrittenAt(at, VIRTQ_USED_ENTRY_BYTES);
    const before = this.#nextUsed;
    this.#nextUsed = (before + 1) & 0xffff;
    data.setUint16(rings.used + VIRTQ_RING_INDEX, this.#nextUsed, true);
    this.#memory.noteWrittenAt(rings.used, VIRTQ_RING_ENTRIES);
    if (this.#wantsInterrupt(rings, before)) this.#events.usedBuffers();
    return true;
  }

  /** Chains under way are saved by those who took them, by their heads. */
  saveState(writer: StateWriter): void {
    writer.u32(this.size);
    for (const word of this.addresses) writer.u32(word);
    writer.flag(this.enabled);
    writer.flag(this.#broken);
    writer.flag(this.#features.eventIndex);
    writer.flag(this.#features.indirect);
    writer.u16(this.#nextAvailable);
    writer.u16(this.#nextUsed);
    writer.u16(this.#availEvent);
    writer.u16(this.#inFlight);
  }

  loadState(reader: StateReader): () => void {
    const size = reader.u32();
    const addresses = Uint32Array.from(this.addresses, () => reader.u32());
    const enabled = reader.flag();
    const broken = reader.flag();
    const features = { eventIndex: reader.flag(), indirect: reader.flag() };
    const [nextAvailable, nextUsed, availEvent] = [reader.u16(), reader.u16(), reader.u16()];
    const inFlight = reader.u16(this.maxSize);
    const rings = enabled ? this.#place(size, addresses) : undefined;
    if (typeof rings === 'string') reader.damaged(rings);
    return () => {
      this.#epoch++;
      this.size = size;
      this.addresses.set(addresses);
      this.#rings = rings;
      this.#broken = broken;
      this.#features = features;
      this.#nextAvailable = nextAvailable;
      this.#nextUsed = nextUsed;
      this.#availEvent = availEvent;
      this.#inFlight = inFlight;
    };
  }

  /**
   * A chain that was under way when the state was saved, to go on with after loadState().
   * @param head as Chain.head was; undefined when the chain is not there any more: the queue is broken then
   */
  resume(head: number): Chain | undefined {
    const rings = this.#rings;
    return rings && !this.#broken ? this.#walk(rings, head) : undefined;
  }

  /** Chains made available and not taken. */
  #waiting(rings: Rings): number {
    const index = this.#memory.data.getUint16(rings.available + VIRTQ_RING_INDEX, true);
    return (index - this.#nextAvailable) & 0xffff;
  }

  /** Section 2.7.10: the driver is to notify once it has added a chain after the last one taken. */
  #askForNotification(rings: Rings): void {
    if (!this.#features.eventIndex || this.#availEvent === this.#nextAvailable) return;
    this.#availEvent = this.#nextAvailable;
    const at = rings.used + VIRTQ_RING_ENTRIES + VIRTQ_USED_ENTRY_BYTES * this.size;
    this.#memory.data.setUint16(at, this.#availEvent, true);
    this.#memory.noteWrittenAt(at, 2);
  }

  /** Section 2.7.7.2. @param before the used index before the last chain was given back */
  #wantsInterrupt(rings: Rings, before: number): boolean {
    if (!this.#features.eventIndex) {
      return (this.#memory.data.getUint16(rings.available, true) & VIRTQ_AVAIL_F_NO_INTERRUPT) === 0;
    }
    const at = rings.available + VIRTQ_RING_ENTRIES + VIRTQ_AVAIL_ENTRY_BYTES * this.size;
    return this.#memory.data.getUint16(at, true) === before;
  }

  /** Reads the chain that begins at `head`, through an indirect table where there is one (section 2.7.5.3). */
  #walk(rings: Rings, head: number): Chain | undefined {
    const readable: Uint8Array[] = [];
    const writable: Uint8Array[] = [];
    const { data } = this.#memory;
    let table = rings.descriptors;
    let entries = this.size;
    let index = head;
    let indirect = false;
    let bytes = 0;
    // `steps` counts within a table: a chain that is longer than its table runs in a circle.
    for (let steps = 0, parts = 0; ; steps++, parts++) {
      if (index >= entries) return this.#fail(`descriptor ${index} of a table of ${entries}`);
      if (steps >= entries) return this.#fail(`the chain at descriptor ${head} runs in a circle`);
      if (parts > QUEUE_SIZE_MAX) {
        return this.#fail(`the chain at descriptor ${head} has more than ${QUEUE_SIZE_MAX} parts`);
      }
      const at = table + index * VIRTQ_DESC_BYTES;
      const address = data.getUint32(at, true) + data.getUint32(at + 4, true) * 2 ** 32;
      const length = data.getUint32(at + 8, true);
      const flags = data.getUint16(at + 12, true);
      const offset = this.#memory.offsetOf(address, length);
      if (offset < 0) return this.#fail(`0x${address.toString(16)} + ${length} bytes is not RAM`);
      if ((flags & VIRTQ_DESC_F_INDIRECT) !== 0) {
        const wrong = this.#refuseIndirect(flags, length, indirect);
        if (wrong !== undefined) return this.#fail(wrong);
        indirect = true;
        table = offset;
        entries = length / VIRTQ_DESC_BYTES;
        index = 0;
        steps = -1;
        continue;
      }
      bytes += length;
      if (bytes > CHAIN_BYTES_MAX)
        return this.#fail(`the chain at descriptor ${head} is longer than 2^32 bytes`);
      const segment = this.#memory.at(offset, length);
      if ((flags & VIRTQ_DESC_F_WRITE) !== 0) append(writable, segment);
      else if (writable.length > 0) return this.#fail('a readable descriptor behind a writable one');
      else append(readable, segment);
      if ((flags & VIRTQ_DESC_F_NEXT) === 0) break;
      index = data.getUint16(at + 14, true);
    }
    return new Chain(this, this.#epoch, head, readable, writable);
  }

  #refuseIndirect(flags: number, length: number, inside: boolean): string | undefined {
    if (!this.#features.indirect) return 'an indirect descriptor, which was not negotiated';
    if (inside) return 'an indirect descriptor within an indirect table';
    if ((flags & VIRTQ_DESC_F_NEXT) !== 0) return 'an indirect descriptor with a next one';
    if (length === 0 || length % VIRTQ_DESC_BYTES !== 0) return `an indirect table of ${length} bytes`;
    return undefined;
  }

  /** Where the areas of a queue lie in RAM, or why they cannot be there. */
  #place(size: number, addresses: Uint32Array): Rings | string {
    if (size < 1 || size > this.maxSize || (size & (size - 1)) !== 0) return `queue size ${size}`;
    const lengths = [
      VIRTQ_DESC_BYTES * size,
      VIRTQ_RING_ENTRIES + VIRTQ_AVAIL_ENTRY_BYTES * size + 2,
      VIRTQ_RING_ENTRIES + VIRTQ_USED_ENTRY_BYTES * size + 2,
    ];
    const offsets: number[] = [];
    for (const [index, length] of lengths.entries()) {
      const address = addresses[index * 2]! + addresses[index * 2 + 1]! * 2 ** 32;
      const aligned = address % AREA_ALIGNMENT[index]! === 0;
      const offset = aligned ? this.#memory.offsetOf(address, length) : -1;
      if (offset < 0) return `no ${QUEUE_AREAS[index]} area can be at 0x${address.toString(16)}`;
      offsets.push(offset);
    }
    const [descriptors, available, used] = offsets as [number, number, number];
    return { descriptors, available, used };
  }

  #noteWritten(chain: Chain, written: number): void {
    let left = written;
    for (const segment of chain.writable) {
      if (left <= 0) return;
      this.#memory.noteWritten(segment, Math.min(left, segment.length));
      left -= segment.length;
    }
  }

  #fail(reason: string): undefined {
    if (this.#broken) return;
    this.#broken = true;
    this.#events.broken(reason);
  }
}

/** Adds a segment, joined with the last one where it begins at its end: fewer and larger pieces for the device. */
function append(segments: Uint8Array[], segment: Uint8Array): void {
  const last = segments.at(-1);
  if (last && last.byteOffset + last.length === segment.byteOffset) {
    segments[segments.length - 1] = new Uint8Array(
      last.buffer,
      last.byteOffset,
      last.length + segment.length,
    );
  } else segments.push(segment);
}
