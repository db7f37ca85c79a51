// The traditional memory balloon. Virtio 1.2, section 5.5; sections below are its.
import type { StateReader, StateWriter } from '../core/state-bytes.ts';
import type { Chain } from './chain.ts';
import type { GuestMemory } from './guest-memory.ts';
import { featureBit, VIRTIO_ID_BALLOON, type VirtioDevice, type VirtioLink } from './virtio-device.ts';

// Section 5.5.3.
export const VIRTIO_BALLOON_F_STATS_VQ = 1;
export const VIRTIO_BALLOON_F_DEFLATE_ON_OOM = 2;
export const VIRTIO_BALLOON_F_REPORTING = 5;

/** Section 5.5.2; without free page hints, the reporting queue follows that of the statistics. */
const INFLATE = 0;
const DEFLATE = 1;
const STATS = 2;
const REPORTING = 3;
const QUEUE_SIZE = 128;

/** Section 5.5.6: pages are of this size whatever the guest's are. */
const PAGE_BYTES = 4096;
// struct virtio_balloon_config (section 5.5.4): num_pages, actual.
const CONFIG_TARGET = 0;
const CONFIG_ACTUAL = 4;
/** Page numbers that one chain may hold; Linux sends 256. */
const PAGES_MAX = 4096;
/** struct virtio_balloon_stat: tag and value, packed (section 5.5.6.3). */
const STAT_BYTES = 10;
const STATS_MAX = 64;
/** One portion of work, in bytes of memory given back. */
const PORTION_BYTES = 4 << 20;

/** Section 5.5.6.4, by tag. */
const STAT_NAMES = [
  'swapIn',
  'swapOut',
  'majorFaults',
  'minorFaults',
  'free',
  'total',
  'available',
  'caches',
  'hugePages',
  'hugePageFailures',
] as const;

/** What a guest says of its memory: bytes, and events since it was started. */
export type GuestMemoryStats = Partial<Record<(typeof STAT_NAMES)[number], number>>;

/** Pages given back by the guest. */
export interface BalloonCounters {
  inflatedPages: number;
  deflatedPages: number;
  /** Bytes of free pages that the guest reported. */
  reportedBytes: number;
  /** Bytes of these and of inflated pages that held anything, and were zeroed. */
  zeroedBytes: number;
}

/**
 * Takes memory from the guest and gives it back.
 *
 * What the guest gives up is zeroed, and only where something is: a page that was never touched costs the host
 * nothing and is to stay so. Wasm has no way to hand pages of a memory back to the host, so the host's share shrinks
 * only where it compresses or merges equal pages; saved machines shrink everywhere.
 */
export class BalloonDevice implements VirtioDevice {
  readonly name = 'balloon';
  readonly deviceId = VIRTIO_ID_BALLOON;
  readonly features =
    featureBit(VIRTIO_BALLOON_F_STATS_VQ) |
    featureBit(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
    featureBit(VIRTIO_BALLOON_F_REPORTING);
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE];
  readonly config = new Uint8Array(8);
  readonly counters: BalloonCounters = {
    inflatedPages: 0,
    deflatedPages: 0,
    reportedBytes: 0,
    zeroedBytes: 0,
  };
  /** What the guest said last; undefined before it has. */
  stats: GuestMemoryStats | undefined;
  readonly stateVersion = 1;
  readonly #memory: GuestMemory;
  readonly #view = new DataView(this.config.buffer);
  #link: VirtioLink | undefined;
  /** The guest's buffer for statistics: given back, it is a request for new ones. */
  #statsChain: Chain | undefined;
  /** A report that is too large to be dealt with at once, and how far it is. */
  #reported: { chain: Chain; done: number } | undefined;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** Bytes that the guest is asked to give up. It follows at its own pace, as far as it can. */
  get target(): number {
    return this.#view.getUint32(CONFIG_TARGET, true) * PAGE_BYTES;
  }

  set target(bytes: number) {
    const pages = Math.max(0, Math.min(Math.floor(bytes / PAGE_BYTES), 0xffff_ffff));
    if (pages === this.#view.getUint32(CONFIG_TARGET, true)) return;
    this.#view.setUint32(CONFIG_TARGET, pages, true);
    this.#link?.configChanged();
  }

  /** Bytes that the guest says it has given up. */
  get actual(): number {
    return this.#view.getUint32(CONFIG_ACTUAL, true) * PAGE_BYTES;
  }

  /** Asks the guest for new statistics; `stats` has them some milliseconds later. */
  requestStats(): void {
    const chain = this.#statsChain;
    this.#statsChain = undefined;
    chain?.finish(0);
  }

  attach(link: VirtioLink): void {
    this.#link = link;
  }

  /** The driver tells how large the balloon is. */
  writeConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset === CONFIG_ACTUAL && size === 4) this.#view.setUint32(CONFIG_ACTUAL, value, true);
  }

  serve(queue: number): boolean {
    const link = this.#link!;
    // A driver without statistics counts the reporting queue in their place, as Linux does.
    const role = queue === STATS && !link.has(VIRTIO_BALLOON_F_STATS_VQ) ? REPORTING : queue;
    if (role === REPORTING && this.#reported) return this.#takeReported(this.#reported);
    let bytes = 0;
    while (bytes < PORTION_BYTES) {
      const chain = link.queue(queue).pop();
      if (!chain) return false;
      switch (role) {
        case INFLATE:
        case DEFLATE:
          bytes += this.#move(chain, role);
          chain.finish(0);
          break;
        case STATS:
          this.#readStats(chain);
          break;
        case REPORTING:
          return this.#takeReported({ chain, done: 0 });
      }
    }
    return true;
  }

  reset(): void {
    this.#statsChain = undefined;
    this.#reported = undefined;
    this.stats = undefined;
    this.#view.setUint32(CONFIG_ACTUAL, 0, true);
  }

  saveState(writer: StateWriter): void {
    writer.raw(this.config);
    writer.optional(this.stats, (stats) => {
      for (const name of STAT_NAMES) writer.optional(stats[name], (value) => writer.count(value));
    });
    const { inflatedPages, deflatedPages, reportedBytes, zeroedBytes } = this.counters;
    for (const count of [inflatedPages, deflatedPages, reportedBytes, zeroedBytes]) writer.count(count);
    const waiting = this.#statsChain?.current ? this.#statsChain : undefined;
    writer.optional(waiting, ({ head }) => writer.u16(head));
    const reported = this.#reported?.chain.current ? this.#reported : undefined;
    writer.optional(reported, ({ chain, done }) => {
      writer.u16(chain.head);
      writer.count(done);
    });
  }

  loadState(reader: StateReader): () => void {
    const config = reader.raw(this.config.length);
    const stats = reader.optional(() => {
      const values: GuestMemoryStats = {};
      for (const name of STAT_NAMES) {
        const value = reader.optional(() => reader.count());
        if (value !== undefined) values[name] = value;
      }
      return values;
    });
    const [inflatedPages, deflatedPages, reportedBytes, zeroedBytes] = [
      reader.count(),
      reader.count(),
      reader.count(),
      reader.count(),
    ];
    const waiting = reader.optional(() => reader.u16());
    const reported = reader.optional(() => ({ head: reader.u16(), done: reader.count() }));
    return () => {
      this.config.set(config);
      this.stats = stats;
      Object.assign(this.counters, { inflatedPages, deflatedPages, reportedBytes, zeroedBytes });
      const link = this.#link!;
      this.#statsChain = waiting === undefined ? undefined : link.queue(STATS).resume(waiting);
      const reporting = link.has(VIRTIO_BALLOON_F_STATS_VQ) ? REPORTING : STATS;
      const chain = reported && link.queue(reporting).resume(reported.head);
      this.#reported = chain && { chain, done: reported.done };
    };
  }

  /** Section 5.5.6: a list of page numbers. Returns the bytes of memory it is about. */
  #move(chain: Chain, role: typeof INFLATE | typeof DEFLATE): number {
    const list = new Uint8Array(Math.min(chain.readableBytes, PAGES_MAX * 4) & ~3);
    chain.read(0, list);
    const view = new DataView(list.buffer);
    const pages = list.length / 4;
    if (role === DEFLATE) {
      this.counters.deflatedPages += pages;
      return 0;
    }
    this.counters.inflatedPages += pages;
    for (let index = 0; index < pages; index++) {
      const page = this.#memory.view(view.getUint32(index * 4, true) * PAGE_BYTES, PAGE_BYTES);
      // A number that is not RAM's is the guest's fault and harms nobody.
      if (page) this.#zero(page);
    }
    return pages * PAGE_BYTES;
  }

  /** Section 5.5.6.7: the chain's buffers are the free pages themselves. One portion of it; true for the rest. */
  #takeReported({ chain, done }: { chain: Chain; done: number }): true {
    for (const range of chain.writableParts(done, PORTION_BYTES)) {
      for (let at = 0; at < range.length; at += PAGE_BYTES) this.#zero(range.subarray(at, at + PAGE_BYTES));
    }
    const now = Math.min(done + PORTION_BYTES, chain.writableBytes);
    this.counters.reportedBytes += now - done;
    this.#reported = now < chain.writableBytes ? { chain, done: now } : undefined;
    // Nothing that the driver could read was written: as before, what is in a free page means nothing.
    if (!this.#reported) chain.finish(0);
    return true;
  }

  #readStats(chain: Chain): void {
    const list = new Uint8Array(Math.min(chain.readableBytes, STATS_MAX * STAT_BYTES));
    chain.read(0, list);
    const view = new DataView(list.buffer);
    const stats: GuestMemoryStats = {};
    for (let at = 0; at + STAT_BYTES <= list.length; at += STAT_BYTES) {
      const name = STAT_NAMES[view.getUint16(at, true)];
      const value = view.getBigUint64(at + 2, true);
      // All ones: the guest does not know.
      if (name !== undefined && value < 1n << 53n) stats[name] = Number(value);
    }
    this.stats = stats;
    // Section 5.5.6.3: there is one such buffer; another one means that the first is wanted back.
    this.#statsChain?.finish(0);
    this.#statsChain = chain;
  }

  #zero(bytes: Uint8Array): void {
    if (isZero(bytes)) return;
    bytes.fill(0);
    this.#memory.noteWritten(bytes, bytes.length);
    this.counters.zeroedBytes += bytes.length;
  }
}

/** Reads no more than it must: a page that nobody wrote is not to be made the host's to keep. */
function isZero(bytes: Uint8Array): boolean {
  if (bytes.byteOffset % 4 !== 0 || bytes.length % 4 !== 0) return bytes.every((byte) => byte === 0);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  for (let index = 0; index < words.length; index++) if (words[index] !== 0) return false;
  return true;
}
