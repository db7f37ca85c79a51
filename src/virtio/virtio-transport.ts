// What both transports have in common: status, features, queues, interrupt causes. Virtio 1.2, chapters 2 and 3.
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import type { InterruptWire } from '../devices/device.ts';
import type { Job } from '../devices/work-queue.ts';
import type { VirtioDevice, VirtioHost, VirtioLink } from './virtio-device.ts';
import { Virtqueue } from './virtqueue.ts';

// Section 2.1: device status.
export const STATUS_ACKNOWLEDGE = 1;
export const STATUS_DRIVER = 2;
export const STATUS_DRIVER_OK = 4;
export const STATUS_FEATURES_OK = 8;
export const STATUS_DEVICE_NEEDS_RESET = 64;
export const STATUS_FAILED = 128;
const DRIVER_BITS =
  STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK | STATUS_FEATURES_OK | STATUS_FAILED;

// Chapter 6: feature bits of queue and transport.
export const VIRTIO_F_INDIRECT_DESC = 28;
export const VIRTIO_F_EVENT_IDX = 29;
export const VIRTIO_F_VERSION_1 = 32;
const TRANSPORT_FEATURES =
  (1n << BigInt(VIRTIO_F_INDIRECT_DESC)) |
  (1n << BigInt(VIRTIO_F_EVENT_IDX)) |
  (1n << BigInt(VIRTIO_F_VERSION_1));

/** Sections 4.1.4.5 and 4.2.2: causes of an interrupt. */
export const ISR_QUEUE = 1;
export const ISR_CONFIG = 2;

/** More queues than any device has. */
const QUEUES_MOST = 1024;

/** One virtio device behind its registers. */
export class VirtioTransport implements VirtioLink, Stateful {
  readonly device: VirtioDevice;
  readonly queues: readonly Virtqueue[];
  /** Selectors, as the driver set them. */
  deviceFeaturesSelect = 0;
  driverFeaturesSelect = 0;
  queueSelect = 0;
  /** Why the device needs a reset, for people. */
  failure: string | undefined;
  #status = 0;
  #interrupts = 0;
  #generation = 0;
  #driverFeatures = 0n;
  readonly #offered: bigint;
  readonly #wire: InterruptWire;
  readonly #host: VirtioHost;
  /** Serving each queue, as it waits in the machine's work queue. */
  readonly jobs: readonly Job[];

  /** @param wire level of the device's interrupt */
  constructor(device: VirtioDevice, host: VirtioHost, wire: InterruptWire) {
    this.device = device;
    this.#offered = device.features | TRANSPORT_FEATURES;
    this.#wire = wire;
    this.#host = host;
    this.queues = device.queueSizes.map(
      (size) =>
        new Virtqueue(host.memory, size, {
          usedBuffers: () => this.#interrupt(ISR_QUEUE),
          broken: (reason) => this.fail(reason),
        }),
    );
    this.jobs = this.queues.map((queue, index) => ({
      run: () => this.live && queue.enabled && device.serve(index),
    }));
    device.attach(this);
  }

  // ---- what the driver reads and writes -------------------------------------------------------------------

  get status(): number {
    return this.#status;
  }

  /** Sections 2.1.2 and 3.1.1: 0 resets; otherwise bits are only added. */
  setStatus(value: number): void {
    if ((value & 0xff) === 0) {
      this.reset();
      return;
    }
    let added = value & DRIVER_BITS & ~this.#status;
    if ((added & STATUS_FEATURES_OK) !== 0 && !this.#acceptsFeatures()) added &= ~STATUS_FEATURES_OK;
    // Without agreed features there is nothing to be ready for.
    if (((this.#status | added) & STATUS_FEATURES_OK) === 0) added &= ~STATUS_DRIVER_OK;
    this.#status |= added;
    if ((added & STATUS_DRIVER_OK) === 0 || !this.live) return;
    this.device.start?.();
    for (let index = 0; index < this.queues.length; index++) this.notify(index);
  }

  /** A word of the features offered, by deviceFeaturesSelect. */
  get deviceFeatures(): number {
    return featureWord(this.#offered, this.deviceFeaturesSelect);
  }

  /** A word of the features the driver accepts, by driverFeaturesSelect; fixed once FEATURES_OK is set. */
  get driverFeatures(): number {
    return featureWord(this.#driverFeatures, this.driverFeaturesSelect);
  }

  setDriverFeatures(word: number): void {
    if (this.driverFeaturesSelect > 1 || (this.#status & STATUS_FEATURES_OK) !== 0) return;
    const shift = BigInt(this.driverFeaturesSelect * 32);
    const mask = 0xffff_ffffn << shift;
    this.#driverFeatures = (this.#driverFeatures & ~mask) | (BigInt(word >>> 0) << shift);
  }

  /** The queue that queueSelect names, if there is one. */
  get selectedQueue(): Virtqueue | undefined {
    return this.queues[this.queueSelect];
  }

  /** The selected queue's size and addresses are final. */
  enableQueue(): void {
    this.selectedQueue?.enable({
      eventIndex: this.has(VIRTIO_F_EVENT_IDX),
      indirect: this.has(VIRTIO_F_INDIRECT_DESC),
    });
  }

  /** The driver says that there may be chains in a queue. */
  notify(index: number): void {
    const job = this.jobs[index];
    if (job && this.live) this.#host.work.add(job);
  }

  /** Causes of the interrupt, ISR_*. */
  get interrupts(): number {
    return this.#interrupts;
  }

  acknowledge(causes: number): void {
    this.#interrupts &= ~causes;
    this.#wire(this.#interrupts !== 0);
  }

  /** Changes with each change of the configuration that a driver could see half of (section 2.5.1). */
  get configGeneration(): number {
    return this.#generation;
  }

  /** `size` bytes of the device's configuration; zeroes beyond it. */
  readConfig(offset: number, size: 1 | 2 | 4): number {
    const { config } = this.device;
    let value = 0;
    for (let index = size - 1; index >= 0; index--) value = (value << 8) | (config[offset + index] ?? 0);
    return value >>> 0;
  }

  writeConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset + size <= this.device.config.length) this.device.writeConfig?.(offset, size, value);
  }

  // ---- VirtioLink -----------------------------------------------------------------------------------------

  get live(): boolean {
    return (this.#status & (STATUS_DRIVER_OK | STATUS_DEVICE_NEEDS_RESET)) === STATUS_DRIVER_OK;
  }

  queue(index: number): Virtqueue {
    const queue = this.queues[index];
    if (!queue) throw new RangeError(`${this.device.name} has no queue ${index}`);
    return queue;
  }

  has(bit: number): boolean {
    return ((this.#driverFeatures >> BigInt(bit)) & 1n) !== 0n;
  }

  configChanged(): void {
    this.#generation = (this.#generation + 1) & 0xff;
    if ((this.#status & STATUS_DRIVER_OK) !== 0) this.#interrupt(ISR_CONFIG);
  }

  wake(index: number): void {
    this.notify(index);
  }

  fail(reason: string): void {
    if ((this.#status & STATUS_DEVICE_NEEDS_RESET) !== 0) return;
    this.failure = `${this.device.name}: ${reason}`;
    this.#status |= STATUS_DEVICE_NEEDS_RESET;
    // Section 2.1.2: the driver is told if it was there.
    if ((this.#status & STATUS_DRIVER_OK) !== 0) this.#interrupt(ISR_CONFIG);
  }

  /** To the state after power-on. */
  reset(): void {
    this.#status = 0;
    this.#driverFeatures = 0n;
    this.#generation = 0;
    this.deviceFeaturesSelect = 0;
    this.driverFeaturesSelect = 0;
    this.queueSelect = 0;
    this.failure = undefined;
    for (const job of this.jobs) this.#host.work.remove(job);
    for (const queue of this.queues) queue.reset();
    this.device.reset();
    this.acknowledge(ISR_QUEUE | ISR_CONFIG);
  }

  /** Of the device's layout and of this one: a change of either makes a new version. */
  get stateVersion(): number {
    return this.device.stateVersion;
  }

  /** The level of the wire is whose end it goes to; the jobs that wait are the work queue's. */
  saveState(writer: StateWriter): void {
    writer.u8(this.#status);
    writer.u8(this.#interrupts);
    writer.u8(this.#generation);
    writer.u64(this.#driverFeatures);
    writer.u32(this.deviceFeaturesSelect);
    writer.u32(this.driverFeaturesSelect);
    writer.u32(this.queueSelect);
    writer.optional(this.failure, (failure) => writer.text(failure));
    writer.list(this.queues, (queue) => queue.saveState(writer));
    this.device.saveState(writer);
  }

  loadState(reader: StateReader): () => void {
    const status = reader.u8();
    reader.check((status & ~(DRIVER_BITS | STATUS_DEVICE_NEEDS_RESET)) === 0, 'device status');
    const interrupts = reader.u8(ISR_QUEUE | ISR_CONFIG);
    const generation = reader.u8();
    const features = reader.u64();
    if ((status & STATUS_FEATURES_OK) !== 0) {
      reader.match((features & ~this.#offered) === 0n, true, 'features');
    }
    const [deviceFeaturesSelect, driverFeaturesSelect, queueSelect] = [
      reader.u32(),
      reader.u32(),
      reader.u32(),
    ];
    const failure = reader.optional(() => reader.text());
    const queues: (() => void)[] = [];
    const { length } = reader.list(QUEUES_MOST, (index) => {
      const queue = this.queues[index];
      if (queue) queues.push(queue.loadState(reader));
      else reader.match(index + 1, this.queues.length, 'queues');
    });
    reader.match(length, this.queues.length, 'queues');
    const device = this.device.loadState(reader);
    return () => {
      this.#status = status;
      this.#interrupts = interrupts;
      this.#generation = generation;
      this.#driverFeatures = features;
      this.deviceFeaturesSelect = deviceFeaturesSelect;
      this.driverFeaturesSelect = driverFeaturesSelect;
      this.queueSelect = queueSelect;
      this.failure = failure;
      for (const takeOver of queues) takeOver();
      device();
    };
  }

  #acceptsFeatures(): boolean {
    return (this.#driverFeatures & ~this.#offered) === 0n && this.has(VIRTIO_F_VERSION_1);
  }

  #interrupt(cause: number): void {
    this.#interrupts |= cause;
    this.#wire(true);
  }
}

function featureWord(features: bigint, select: number): number {
  return select > 1 ? 0 : Number((features >> BigInt(select * 32)) & 0xffff_ffffn);
}
