// The network device. Virtio 1.2, section 5.1; sections below are its.
import type { StateReader, StateWriter } from '../../core/state-bytes.ts';
import { FRAME_HEADER_BYTES, longestFrame } from '../../network/ethernet-frame.ts';
import type { FrameLink } from '../../network/frame-link.ts';
import { FrameQueue } from '../../network/frame-queue.ts';
import { formatMac, MAC_BYTES, macKey } from '../../network/mac-address.ts';
import type { Chain } from '../chain.ts';
import { RateGate, RateLimiter } from '../rate-limiter.ts';
import { VIRTIO_ID_NET, type VirtioDevice, type VirtioLink } from '../virtio-device.ts';
import {
  CONTROL,
  NET_FEATURES,
  NET_HEADER_BUFFERS,
  NET_HEADER_BYTES,
  netConfig,
  RECEIVE,
  setLink,
  TRANSMIT,
  VIRTIO_NET_F_MRG_RXBUF,
} from './net-config.ts';
import { answerControl } from './net-control.ts';
import { ReceiveFilter } from './receive-filter.ts';

const QUEUE_SIZE = 256;
const CONTROL_QUEUE_SIZE = 16;
/** Frames that wait for the guest's buffers, above which the sender is held back, and above which they are lost. */
const WAITING_FRAMES = 256;
const LOST_FRAMES = 4096;
const LOST_BYTES = 1 << 21;

/** What passed the device, and what did not. */
export interface NetCounters {
  transmittedFrames: number;
  transmittedBytes: number;
  receivedFrames: number;
  receivedBytes: number;
  /** Frames of the guest that are none: too short or longer than its MTU. */
  refused: number;
  /** Frames for the guest that it did not want, had no driver for, or gave no buffers for. */
  lost: number;
}

/** Bytes and packets a second that a network interface keeps to; absent or 0: as many as there are. */
export interface NetworkRates {
  /** To the guest. */
  bpsReceive?: number;
  ppsReceive?: number;
  /** From the guest. */
  bpsTransmit?: number;
  ppsTransmit?: number;
}

export interface NetOptions {
  name: string;
  mac: Uint8Array;
  /** Bytes of the largest packet. */
  mtu: number;
  link: FrameLink;
}

/** Moves frames between the guest and what its interface is plugged into. */
export class NetDevice implements VirtioDevice {
  readonly name: string;
  readonly deviceId = VIRTIO_ID_NET;
  readonly features = NET_FEATURES;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE, CONTROL_QUEUE_SIZE];
  readonly config: Uint8Array;
  readonly counters: NetCounters = {
    transmittedFrames: 0,
    transmittedBytes: 0,
    receivedFrames: 0,
    receivedBytes: 0,
    refused: 0,
    lost: 0,
  };
  readonly stateVersion = 1;
  readonly #cable: FrameLink;
  readonly #mac: Uint8Array;
  readonly #scratch: Uint8Array;
  readonly #filter = new ReceiveFilter();
  readonly #waiting = new FrameQueue(LOST_FRAMES, LOST_BYTES);
  #link: VirtioLink | undefined;
  /** The guest's frame that found no room, and its chain. */
  #held: { chain: Chain | undefined; frame: Uint8Array } | undefined;
  /** Buffers taken for a frame that needs more of them. */
  #buffers: Chain[] = [];
  #bufferBytes = 0;
  readonly #receiving = { gate: new RateGate(), limiter: new RateLimiter() };
  readonly #transmitting = { gate: new RateGate(), limiter: new RateLimiter() };
  /** What the sender waits for while it is held back. */
  #room: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor({ name, mac, mtu, link }: NetOptions) {
    this.name = `${name} ${formatMac(mac)}`;
    this.#mac = mac.slice(0, MAC_BYTES);
    this.config = netConfig(this.#mac, mtu);
    this.#scratch = new Uint8Array(longestFrame(mtu) + 1);
    this.#cable = link;
    this.#filter.reset(this.#mac);
    link.onRoom = () => this.#link?.wake(TRANSMIT);
    link.listen((frame) => this.#receive(frame));
  }

  attach(link: VirtioLink): void {
    this.#link = link;
  }

  /** Rates to keep to from now on. What has to wait fills the queues of guest and switch, which then lose frames. */
  set rates(rates: NetworkRates) {
    this.#receiving.limiter.rates = { bytes: rates.bpsReceive, operations: rates.ppsReceive };
    this.#transmitting.limiter.rates = { bytes: rates.bpsTransmit, operations: rates.ppsTransmit };
    this.#link?.wake(RECEIVE);
    this.#link?.wake(TRANSMIT);
  }

  /** Plugs the cable in or pulls it out, as far as the guest can see. */
  setLink(up: boolean): void {
    if (setLink(this.config, up)) this.#link?.configChanged();
  }

  serve(queue: number): boolean {
    if (!this.#link) return false;
    switch (queue) {
      case RECEIVE:
        return this.#fill(this.#link);
      case TRANSMIT:
        return this.#transmit(this.#link);
      case CONTROL: {
        const chain = this.#link.queue(CONTROL).pop();
        if (!chain) return false;
        answerControl(chain, this.#filter, (mac) => {
          this.config.set(mac);
          this.#filter.setAddress(mac);
        });
        return true;
      }
      default:
        return false;
    }
  }

  reset(): void {
    this.#held = undefined;
    this.#buffers = [];
    this.#bufferBytes = 0;
    this.#waiting.clear();
    this.config.set(this.#mac);
    this.#filter.reset(this.#mac);
    this.#letIn();
  }

  /** With the frames on their way to the guest, and the one that waits for room in the cable. */
  saveState(writer: StateWriter): void {
    writer.u32(this.#scratch.length);
    writer.raw(this.#mac);
    writer.raw(this.config.subarray(0, MAC_BYTES));
    this.#filter.saveState(writer);
    writer.list(this.#waiting.all, (frame) => writer.block(frame));
    writer.list(
      this.#buffers.filter(({ current }) => current),
      ({ head }) => writer.u16(head),
    );
    writer.optional(this.#held, ({ chain, frame }) => {
      writer.optional(chain?.current ? chain.head : undefined, (head) => writer.u16(head));
      writer.block(frame);
    });
    for (const { gate } of [this.#receiving, this.#transmitting]) writer.flag(gate.waiting);
  }

  loadState(reader: StateReader): () => void {
    reader.match(reader.u32(), this.#scratch.length, 'frames of');
    const mac = reader.raw(MAC_BYTES);
    const current = reader.raw(MAC_BYTES);
    const filter = this.#filter.loadState(reader);
    const readFrame = () => {
      const frame = reader.block(this.#scratch.length - 1);
      reader.check(frame.length >= FRAME_HEADER_BYTES, 'a frame without a header');
      return frame;
    };
    const waiting = reader.list(LOST_FRAMES, readFrame);
    const buffers = reader.list(QUEUE_SIZE, () => reader.u16());
    const held = reader.optional(() => ({ head: reader.optional(() => reader.u16()), frame: readFrame() }));
    const gates = [reader.flag(), reader.flag()];
    // An interface that was given another address shows it, unless the driver had chosen one itself.
    const chosen = macKey(current, 0) !== macKey(mac, 0);
    return () => {
      const link = this.#link!;
      this.config.set(chosen ? current : this.#mac);
      filter();
      this.#waiting.clear();
      for (const frame of waiting) this.#waiting.push(frame);
      this.#buffers = buffers
        .map((head) => link.queue(RECEIVE).resume(head))
        .filter((chain) => chain !== undefined);
      this.#bufferBytes = this.#buffers.reduce((bytes, chain) => bytes + chain.writableBytes, 0);
      this.#held = undefined;
      if (held) {
        const { head, frame } = held;
        this.#held = { chain: head === undefined ? undefined : link.queue(TRANSMIT).resume(head), frame };
      }
      this.#letIn();
      // This cable may have room, and these rates may let something pass.
      if (gates[0]) link.wake(RECEIVE);
      if (gates[1] || held) link.wake(TRANSMIT);
    };
  }

  /** A frame from the cable. */
  #receive(frame: Uint8Array): void | Promise<void> {
    const short = frame.length < FRAME_HEADER_BYTES;
    if (!this.#link?.live || short || !this.#filter.wants(frame) || !this.#waiting.push(frame)) {
      this.counters.lost++;
    } else {
      this.#link.wake(RECEIVE);
    }
    if (this.#waiting.length < WAITING_FRAMES) return;
    this.#room ??= whenever();
    return this.#room.promise;
  }

  /** Those who were held back may send again. */
  #letIn(): void {
    if (this.#waiting.length >= WAITING_FRAMES / 2) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** Section 5.1.6.3: gives the guest one waiting frame; true when there may be another. */
  #fill(link: VirtioLink): boolean {
    const frame = this.#waiting.first;
    if (frame === undefined || !this.#may(this.#receiving, RECEIVE)) return false;
    const needed = NET_HEADER_BYTES + frame.length;
    const mergeable = link.has(VIRTIO_NET_F_MRG_RXBUF);
    while (this.#bufferBytes < needed && (mergeable || this.#buffers.length === 0)) {
      const chain = link.queue(RECEIVE).pop();
      // The rest comes when the guest has added buffers and says so.
      if (!chain) return false;
      this.#buffers.push(chain);
      this.#bufferBytes += chain.writableBytes;
    }
    const buffers = this.#buffers;
    const bytes = this.#bufferBytes;
    this.#buffers = [];
    this.#bufferBytes = 0;
    this.#waiting.shift();
    this.#letIn();
    // Without merging each buffer must hold any frame (section 5.1.6.3.1): one that does not comes back empty.
    if (bytes < needed) {
      this.counters.lost++;
      for (const chain of buffers) chain.finish(0);
      return true;
    }
    this.#receiving.limiter.take(frame.length);
    this.counters.receivedFrames++;
    this.counters.receivedBytes += frame.length;
    scatter(frame, buffers);
    return true;
  }

  #may({ gate, limiter }: { gate: RateGate; limiter: RateLimiter }, queue: number): boolean {
    return gate.open([limiter], () => this.#link?.wake(queue));
  }

  /** Section 5.1.6.2: takes one frame of the guest's; true when there may be another. */
  #transmit(link: VirtioLink): boolean {
    if (this.#held === undefined) {
      if (!this.#may(this.#transmitting, TRANSMIT)) return false;
      const chain = link.queue(TRANSMIT).pop();
      if (!chain) return false;
      const length = chain.read(NET_HEADER_BYTES, this.#scratch);
      if (length < FRAME_HEADER_BYTES || length === this.#scratch.length) {
        this.counters.refused++;
        chain.finish(0);
        return true;
      }
      this.#held = { chain, frame: this.#scratch.subarray(0, length) };
    }
    const { chain, frame } = this.#held;
    if (!this.#cable.send(frame)) return false;
    this.#held = undefined;
    this.#transmitting.limiter.take(frame.length);
    this.counters.transmittedFrames++;
    this.counters.transmittedBytes += frame.length;
    chain?.finish(0);
    return true;
  }
}

/** Writes a frame behind its header over buffers that have room for both, and gives them back. */
function scatter(frame: Uint8Array, buffers: readonly Chain[]): void {
  const header = new Uint8Array(NET_HEADER_BYTES);
  new DataView(header.buffer).setUint16(NET_HEADER_BUFFERS, buffers.length, true);
  const whole = new Uint8Array(NET_HEADER_BYTES + frame.length);
  whole.set(header);
  whole.set(frame, NET_HEADER_BYTES);
  let at = 0;
  for (const chain of buffers) {
    const written = chain.write(0, whole.subarray(at));
    at += written;
    chain.finish(written);
  }
}

function whenever(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
