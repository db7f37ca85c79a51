// The common configuration structure of virtio over PCI. Virtio 1.2, section 4.1.4.3.
import type { VirtioTransport } from './virtio-transport.ts';

export const COMMON_DEVICE_FEATURE_SELECT = 0x00;
export const COMMON_DEVICE_FEATURE = 0x04;
export const COMMON_DRIVER_FEATURE_SELECT = 0x08;
export const COMMON_DRIVER_FEATURE = 0x0c;
export const COMMON_CONFIG_MSIX_VECTOR = 0x10;
export const COMMON_NUM_QUEUES = 0x12;
export const COMMON_DEVICE_STATUS = 0x14;
export const COMMON_CONFIG_GENERATION = 0x15;
export const COMMON_QUEUE_SELECT = 0x16;
export const COMMON_QUEUE_SIZE = 0x18;
export const COMMON_QUEUE_MSIX_VECTOR = 0x1a;
export const COMMON_QUEUE_ENABLE = 0x1c;
export const COMMON_QUEUE_NOTIFY_OFF = 0x1e;
/** Descriptor, driver and device area: low word, high word. */
export const COMMON_QUEUE_DESC = 0x20;
export const COMMON_QUEUE_AREAS_END = 0x38;
export const COMMON_QUEUE_NOTIFY_DATA = 0x38;
/** Section 4.1.5.1.2.1: there is no MSI-X. */
const VIRTIO_MSI_NO_VECTOR = 0xffff;

/** Registers that lead to a transport. A driver accesses each field at its own size (section 4.1.3.1). */
export class VirtioCommonConfig {
  readonly #transport: VirtioTransport;

  constructor(transport: VirtioTransport) {
    this.#transport = transport;
  }

  read(offset: number, size: 1 | 2 | 4): number {
    if (size === 4) return this.#read32(offset);
    if (size === 2) return this.#read16(offset);
    if (offset === COMMON_DEVICE_STATUS) return this.#transport.status;
    return offset === COMMON_CONFIG_GENERATION ? this.#transport.configGeneration : 0;
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    if (size === 4) this.#write32(offset, value);
    else if (size === 2) this.#write16(offset, value & 0xffff);
    else if (offset === COMMON_DEVICE_STATUS) this.#transport.setStatus(value);
  }

  #read32(offset: number): number {
    const transport = this.#transport;
    switch (offset) {
      case COMMON_DEVICE_FEATURE_SELECT:
        return transport.deviceFeaturesSelect;
      case COMMON_DEVICE_FEATURE:
        return transport.deviceFeatures;
      case COMMON_DRIVER_FEATURE_SELECT:
        return transport.driverFeaturesSelect;
      case COMMON_DRIVER_FEATURE:
        return transport.driverFeatures;
      default:
        return isArea(offset) ? (transport.selectedQueue?.addresses[areaIndex(offset)] ?? 0) : 0;
    }
  }

  #read16(offset: number): number {
    const transport = this.#transport;
    const queue = transport.selectedQueue;
    switch (offset) {
      case COMMON_CONFIG_MSIX_VECTOR:
      case COMMON_QUEUE_MSIX_VECTOR:
        return VIRTIO_MSI_NO_VECTOR;
      case COMMON_NUM_QUEUES:
        return transport.queues.length;
      case COMMON_QUEUE_SELECT:
        return transport.queueSelect;
      case COMMON_QUEUE_SIZE:
        // 0: there is no such queue.
        return queue?.size ?? 0;
      case COMMON_QUEUE_ENABLE:
        return queue?.enabled ? 1 : 0;
      case COMMON_QUEUE_NOTIFY_OFF:
      case COMMON_QUEUE_NOTIFY_DATA:
        return queue ? transport.queueSelect : 0;
      default:
        return 0;
    }
  }

  #write32(offset: number, value: number): void {
    const transport = this.#transport;
    switch (offset) {
      case COMMON_DEVICE_FEATURE_SELECT:
        transport.deviceFeaturesSelect = value;
        break;
      case COMMON_DRIVER_FEATURE_SELECT:
        transport.driverFeaturesSelect = value;
        break;
      case COMMON_DRIVER_FEATURE:
        transport.setDriverFeatures(value);
        break;
      default: {
        const queue = transport.selectedQueue;
        if (queue && !queue.enabled && isArea(offset)) queue.addresses[areaIndex(offset)] = value;
      }
    }
  }

  #write16(offset: number, value: number): void {
    const transport = this.#transport;
    const queue = transport.selectedQueue;
    if (offset === COMMON_QUEUE_SELECT) transport.queueSelect = value;
    else if (offset === COMMON_QUEUE_SIZE && queue && !queue.enabled) queue.size = value;
    // Section 4.1.4.3.2: a driver cannot disable a queue by writing 0.
    else if (offset === COMMON_QUEUE_ENABLE && value === 1) transport.enableQueue();
  }
}

function isArea(offset: number): boolean {
  return offset >= COMMON_QUEUE_DESC && offset < COMMON_QUEUE_AREAS_END && offset % 4 === 0;
}

function areaIndex(offset: number): number {
  return (offset - COMMON_QUEUE_DESC) >> 2;
}
