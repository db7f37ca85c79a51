// Virtio over MMIO. Virtio 1.2, section 4.2.2.
import type { InterruptWire, MmioDevice } from '../devices/device.ts';
import { VIRTIO_MMIO_MAGIC, VIRTIO_MMIO_SLOT_SIZE, VIRTIO_MMIO_VERSION } from '../devices/empty-slots.ts';
import type { VirtioDevice, VirtioHost } from './virtio-device.ts';
import { VirtioTransport } from './virtio-transport.ts';

// Table 4.1.
export const MMIO_MAGIC_VALUE = 0x000;
export const MMIO_VERSION = 0x004;
export const MMIO_DEVICE_ID = 0x008;
export const MMIO_VENDOR_ID = 0x00c;
export const MMIO_DEVICE_FEATURES = 0x010;
export const MMIO_DEVICE_FEATURES_SEL = 0x014;
export const MMIO_DRIVER_FEATURES = 0x020;
export const MMIO_DRIVER_FEATURES_SEL = 0x024;
export const MMIO_QUEUE_SEL = 0x030;
export const MMIO_QUEUE_NUM_MAX = 0x034;
export const MMIO_QUEUE_NUM = 0x038;
export const MMIO_QUEUE_READY = 0x044;
export const MMIO_QUEUE_NOTIFY = 0x050;
export const MMIO_INTERRUPT_STATUS = 0x060;
export const MMIO_INTERRUPT_ACK = 0x064;
export const MMIO_STATUS = 0x070;
/** Low and high words of the descriptor, driver and device area; pairs lie 16 bytes apart. */
export const MMIO_QUEUE_DESC_LOW = 0x080;
export const MMIO_QUEUE_DEVICE_HIGH = 0x0a4;
/** Shared memory regions: a length of all ones says that there is none. */
export const MMIO_SHM_LEN_LOW = 0x0b0;
export const MMIO_SHM_BASE_HIGH = 0x0bc;
export const MMIO_CONFIG_GENERATION = 0x0fc;
export const MMIO_CONFIG = 0x100;

/** A virtio device in a slot of the bus. */
export class VirtioMmio implements MmioDevice {
  readonly name: string;
  readonly size = VIRTIO_MMIO_SLOT_SIZE;
  readonly transport: VirtioTransport;

  constructor(device: VirtioDevice, host: VirtioHost, wire: InterruptWire) {
    this.name = `virtio-mmio-${device.name}`;
    this.transport = new VirtioTransport(device, host, wire);
  }

  read(offset: number, size: 1 | 2 | 4): number {
    if (offset >= MMIO_CONFIG) return this.transport.readConfig(offset - MMIO_CONFIG, size);
    // Section 4.2.2.2: registers are read and written as words.
    return size === 4 ? this.#readRegister(offset) : 0;
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset >= MMIO_CONFIG) this.transport.writeConfig(offset - MMIO_CONFIG, size, value);
    else if (size === 4) this.#writeRegister(offset, value >>> 0);
  }

  reset(): void {
    this.transport.reset();
  }

  #readRegister(offset: number): number {
    const { transport } = this;
    switch (offset) {
      case MMIO_MAGIC_VALUE:
        return VIRTIO_MMIO_MAGIC;
      case MMIO_VERSION:
        return VIRTIO_MMIO_VERSION;
      case MMIO_DEVICE_ID:
        return transport.device.deviceId;
      case MMIO_VENDOR_ID:
        return VIRTIO_VENDOR;
      case MMIO_DEVICE_FEATURES:
        return transport.deviceFeatures;
      case MMIO_QUEUE_NUM_MAX:
        return transport.selectedQueue?.maxSize ?? 0;
      case MMIO_QUEUE_READY:
        return transport.selectedQueue?.enabled ? 1 : 0;
      case MMIO_INTERRUPT_STATUS:
        return transport.interrupts;
      case MMIO_STATUS:
        return transport.status;
      case MMIO_CONFIG_GENERATION:
        return transport.configGeneration;
      default:
        return offset >= MMIO_SHM_LEN_LOW && offset <= MMIO_SHM_BASE_HIGH ? 0xffff_ffff : 0;
    }
  }

  #writeRegister(offset: number, value: number): void {
    const { transport } = this;
    switch (offset) {
      case MMIO_DEVICE_FEATURES_SEL:
        transport.deviceFeaturesSelect = value;
        break;
      case MMIO_DRIVER_FEATURES:
        transport.setDriverFeatures(value);
        break;
      case MMIO_DRIVER_FEATURES_SEL:
        transport.driverFeaturesSelect = value;
        break;
      case MMIO_QUEUE_SEL:
        transport.queueSelect = value;
        break;
      case MMIO_QUEUE_NUM:
        if (transport.selectedQueue && !transport.selectedQueue.enabled) transport.selectedQueue.size = value;
        break;
      case MMIO_QUEUE_READY:
        // A driver ends a queue's life by writing 0; it sets size and addresses anew for the next.
        if ((value & 1) !== 0) transport.enableQueue();
        else if (transport.selectedQueue?.enabled) transport.selectedQueue.reset();
        break;
      case MMIO_QUEUE_NOTIFY:
        transport.notify(value);
        break;
      case MMIO_INTERRUPT_ACK:
        transport.acknowledge(value);
        break;
      case MMIO_STATUS:
        transport.setStatus(value);
        break;
      default:
        this.#writeAddress(offset, value);
    }
  }

  #writeAddress(offset: number, value: number): void {
    if (offset < MMIO_QUEUE_DESC_LOW || offset > MMIO_QUEUE_DEVICE_HIGH) return;
    const within = (offset - MMIO_QUEUE_DESC_LOW) & 15;
    const queue = this.transport.selectedQueue;
    if (queue && !queue.enabled && (within === 0 || within === 4)) {
      queue.addresses[((offset - MMIO_QUEUE_DESC_LOW) >> 4) * 2 + (within >> 2)] = value;
    }
  }
}

/** The vendor a driver sees: "HTAB". Any will do (section 4.2.2.1). */
const VIRTIO_VENDOR = 0x4241_5448;
