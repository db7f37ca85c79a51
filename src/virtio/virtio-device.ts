// What a virtio device is, and what its transport gives it. One folder or file a device stands on this.
import type { Stateful } from '../core/state-bytes.ts';
import type { WorkQueue } from '../devices/work-queue.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { Virtqueue } from './virtqueue.ts';

// Virtio 1.2, chapter 5.
export const VIRTIO_ID_NET = 1;
export const VIRTIO_ID_BLOCK = 2;
export const VIRTIO_ID_CONSOLE = 3;
export const VIRTIO_ID_ENTROPY = 4;
export const VIRTIO_ID_BALLOON = 5;
export const VIRTIO_ID_FS = 26;

/** A device's mask of a feature bit. */
export function featureBit(bit: number): bigint {
  return 1n << BigInt(bit);
}

/** What a device may ask of the transport it was attached to. */
export interface VirtioLink {
  /** Queue by its number, as in `queueSizes`. */
  queue(index: number): Virtqueue;
  /** True once the driver is ready, until it resets the device. */
  readonly live: boolean;
  /** True when driver and device agreed on a feature bit. */
  has(bit: number): boolean;
  /** The device changed `config`: tells the driver. */
  configChanged(): void;
  /** Has serve(index) called before the guest runs on: after an input, or when room was made for more requests. */
  wake(index: number): void;
  /** The device cannot go on: DEVICE_NEEDS_RESET (section 2.1.1). */
  fail(reason: string): void;
}

/**
 * A virtio device without its transport. It reads and writes guest RAM only in serve(), and when it finishes chains
 * later, in a turn of its own: the other methods may be called while guest code runs.
 */
export interface VirtioDevice extends Stateful {
  readonly name: string;
  /** VIRTIO_ID_*. */
  readonly deviceId: number;
  /** Device-specific feature bits (0 to 23); the transport adds its own. */
  readonly features: bigint;
  /** Largest size of each queue, a power of two. */
  readonly queueSizes: readonly number[];
  /** Device-specific configuration as the driver reads it, kept up to date by the device; little-endian. */
  readonly config: Uint8Array;
  /** The driver writes configuration; absent: it may not. [offset, offset + size) lies within `config`. */
  writeConfig?(offset: number, size: 1 | 2 | 4, value: number): void;
  /** Once, before anything else. */
  attach(link: VirtioLink): void;
  /** The driver has set DRIVER_OK: features are agreed on, queues are alive. */
  start?(): void;
  /**
   * The driver notified a queue (or wake() was called): takes chains off it, a bounded portion of work at a time.
   * @returns true to be called again soon, when there is more that can be done now
   */
  serve(queue: number): boolean;
  /**
   * Resolves when nothing is under way that would write guest RAM or what the device stands on; absent: nothing ever
   * is. Chains that only wait may stay taken.
   */
  quiesce?(): Promise<void>;
  /** To the state after power-on; chains taken before are stale, and what is under way must come to nothing. */
  reset(): void;
}

/** What a transport needs of its machine. */
export interface VirtioHost {
  readonly memory: GuestMemory;
  readonly work: WorkQueue;
}
