// An Ethernet switch: what VMs of one tab or process are plugged into. It learns where stations are and floods what
// it cannot place (IEEE 802.1Q-2018, section 8); it knows nothing of what frames carry.
import { AddressTable } from './address-table.ts';
import {
  checkMtu,
  FRAME_DESTINATION,
  FRAME_HEADER_BYTES,
  FRAME_SOURCE,
  longestFrame,
} from './ethernet-frame.ts';
import { FrameQueue } from './frame-queue.ts';
import { isGroup, macKey } from './mac-address.ts';

/** Frames that wait at a port for whoever is plugged in, and their bytes; what comes on top is dropped. */
const QUEUE_FRAMES = 256;
const QUEUE_BYTES = 1 << 19;
/** As IEEE 802.1Q recommends (table 8-6). */
const AGE_MS = 300_000;
const STATIONS_PER_PORT = 1024;
/** Section 8.6.3: 01-80-C2-00-00-00 to -0F are for the bridge itself and go no further. */
const RESERVED = 0x0180_c200_0000;
const RESERVED_LAST = 0x0180_c200_000f;

export interface SwitchOptions {
  /** Largest packet in a frame, in bytes; default: 1500. Interfaces tell their guests. */
  mtu?: number;
  /** Milliseconds after which a silent station is forgotten; default: five minutes. */
  ageMs?: number;
  /** A clock in milliseconds; default: performance.now(). */
  now?: () => number;
}

/** What passed a port. Frames and bytes are seen from the port's owner: sent into the switch, received from it. */
export interface PortCounters {
  sentFrames: number;
  sentBytes: number;
  receivedFrames: number;
  receivedBytes: number;
  /** Frames for the owner that were lost because it took none and the queue was full. */
  dropped: number;
  /** Frames of the owner that no network carries: too short, too long, from a group's address. */
  refused: number;
}

/** Takes a frame, which is its to keep but not to change; false, and the frame waits, while it has no room. */
export type FrameTaker = (frame: Uint8Array) => boolean;

/** A place to plug something in. */
export interface SwitchPort {
  readonly counters: Readonly<PortCounters>;
  /** Sends a frame into the network; it is the network's from then on and must not be changed. */
  send(frame: Uint8Array): void;
  /** The owner has room again: it is given what waits. */
  drain(): void;
  /** Unplugs; what waits is lost. */
  close(): void;
}

/** Connects ports. Give the same one to several VMs, and they are in one network. */
export class EthernetSwitch {
  /** Bytes of the largest packet. */
  readonly mtu: number;
  readonly #longest: number;
  readonly #now: () => number;
  readonly #stations: AddressTable<Port>;
  readonly #ports = new Set<Port>();

  /** @throws {RangeError} for an MTU that cannot be */
  constructor({ mtu, ageMs = AGE_MS, now = () => performance.now() }: SwitchOptions = {}) {
    this.mtu = checkMtu(mtu);
    this.#longest = longestFrame(this.mtu);
    this.#now = now;
    this.#stations = new AddressTable(ageMs, STATIONS_PER_PORT);
  }

  /** Counters of every port that is plugged in. */
  get ports(): readonly Readonly<PortCounters>[] {
    return Array.from(this.#ports, ({ counters }) => counters);
  }

  /** Plugs something in: `take` is given the frames that are for it. */
  connect(take: FrameTaker): SwitchPort {
    const port = new Port(
      take,
      (frame) => this.#forward(port, frame),
      () => {
        this.#ports.delete(port);
        this.#stations.forget(port);
      },
    );
    this.#ports.add(port);
    return port;
  }

  #forward(from: Port, frame: Uint8Array): void {
    const { length } = frame;
    if (length < FRAME_HEADER_BYTES || length > this.#longest || isGroup(frame, FRAME_SOURCE)) {
      from.counters.refused++;
      return;
    }
    from.counters.sentFrames++;
    from.counters.sentBytes += length;
    const now = this.#now();
    this.#stations.learn(macKey(frame, FRAME_SOURCE), from, now);
    const destination = macKey(frame, FRAME_DESTINATION);
    if (destination >= RESERVED && destination <= RESERVED_LAST) return;
    const to = isGroup(frame, FRAME_DESTINATION) ? undefined : this.#stations.find(destination, now);
    if (to === from) return;
    if (to !== undefined) to.offer(frame);
    else for (const port of this.#ports) if (port !== from) port.offer(frame);
  }
}

class Port implements SwitchPort {
  readonly counters: PortCounters = {
    sentFrames: 0,
    sentBytes: 0,
    receivedFrames: 0,
    receivedBytes: 0,
    dropped: 0,
    refused: 0,
  };
  readonly #take: FrameTaker;
  readonly #forward: (frame: Uint8Array) => void;
  readonly #unplug: () => void;
  readonly #queue = new FrameQueue(QUEUE_FRAMES, QUEUE_BYTES);
  #draining = false;
  #closed = false;

  constructor(take: FrameTaker, forward: (frame: Uint8Array) => void, unplug: () => void) {
    this.#take = take;
    this.#forward = forward;
    this.#unplug = unplug;
  }

  send(frame: Uint8Array): void {
    if (!this.#closed) this.#forward(frame);
  }

  /** A frame for the owner. */
  offer(frame: Uint8Array): void {
    if (this.#closed) return;
    if (!this.#queue.push(frame)) this.counters.dropped++;
    // An owner may send while it takes: what comes back to it meanwhile waits for its turn.
    this.drain();
  }

  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let frame = this.#queue.first; frame !== undefined; frame = this.#queue.first) {
        if (!this.#take(frame)) return;
        this.counters.receivedFrames++;
        this.counters.receivedBytes += frame.length;
        this.#queue.shift();
      }
    } finally {
      this.#draining = false;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.clear();
    this.#unplug();
  }
}
