// What answers where a guest may probe and nothing is plugged in.
import type { MmioDevice } from './device.ts';

/** Virtio 1.2, section 4.2.2: registers of the MMIO transport that an empty slot shows. */
export const VIRTIO_MMIO_MAGIC = 0x74726976;
export const VIRTIO_MMIO_VERSION = 2;
export const VIRTIO_MMIO_SLOT_SIZE = 0x1000;

/** A virtio-mmio slot without a device: device id 0 tells the driver to pass on. */
export class EmptyVirtioSlot implements MmioDevice {
  readonly name: string;
  readonly size = VIRTIO_MMIO_SLOT_SIZE;

  constructor(index: number) {
    this.name = `virtio-mmio-${index}`;
  }

  read(offset: number, size: 1 | 2 | 4): number {
    if (size !== 4) return 0;
    if (offset === 0) return VIRTIO_MMIO_MAGIC;
    return offset === 4 ? VIRTIO_MMIO_VERSION : 0;
  }

  write(): void {}

  reset(): void {}
}

/** A bus region nobody drives: reads as all ones, ignores writes (PCI Local Bus 3.0, section 6.1). */
export class OpenBus implements MmioDevice {
  readonly name: string;
  readonly size: number;

  constructor(name: string, size: number) {
    this.name = name;
    this.size = size;
  }

  read(_offset: number, size: 1 | 2 | 4): number {
    return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
  }

  write(): void {}

  reset(): void {}
}
