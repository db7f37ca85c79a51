// Virtio over PCI. Virtio 1.2, section 4.1; sections below are its.
import type { InterruptWire } from '../devices/device.ts';
import { PciConfigSpace } from '../devices/pci-config.ts';
import type { PciFunction } from '../devices/pci-host.ts';
import { VirtioCommonConfig } from './pci-common-config.ts';
import {
  VIRTIO_ID_BALLOON,
  VIRTIO_ID_BLOCK,
  VIRTIO_ID_CONSOLE,
  VIRTIO_ID_ENTROPY,
  VIRTIO_ID_FS,
  VIRTIO_ID_NET,
  type VirtioDevice,
  type VirtioHost,
} from './virtio-device.ts';
import { ISR_CONFIG, ISR_QUEUE, VirtioTransport } from './virtio-transport.ts';

// Section 4.1.2.
export const VIRTIO_PCI_VENDOR = 0x1af4;
export const VIRTIO_PCI_DEVICE_BASE = 0x1040;
/** Section 4.1.4: the kinds of structure that vendor-specific capabilities point at. */
export const VIRTIO_PCI_CAP_COMMON_CFG = 1;
export const VIRTIO_PCI_CAP_NOTIFY_CFG = 2;
export const VIRTIO_PCI_CAP_ISR_CFG = 3;
export const VIRTIO_PCI_CAP_DEVICE_CFG = 4;
export const VIRTIO_PCI_CAP_PCI_CFG = 5;
const CAPABILITY_VENDOR = 0x09;

/** The one range, with a page for each structure. */
const BAR = 0;
const BAR_BYTES = 0x4000;
const COMMON = 0x0000;
const ISR = 0x1000;
const DEVICE = 0x2000;
const NOTIFY = 0x3000;
const STRUCTURE_BYTES = 0x1000;
const COMMON_BYTES = 0x40;
/** Queue N is notified at NOTIFY + 4 × N. */
const NOTIFY_MULTIPLIER = 4;
/** Where the window of VIRTIO_PCI_CAP_PCI_CFG has its fields, from the capability's first byte. */
const WINDOW_BAR = 4;
const WINDOW_OFFSET = 8;
const WINDOW_LENGTH = 12;
const WINDOW_DATA = 16;
const INTA = 1;

/** PCI class codes by device, as QEMU gives them: what the driver looks at is the device id. */
const CLASS_CODES: Record<number, number> = {
  [VIRTIO_ID_NET]: 0x02_0000,
  [VIRTIO_ID_BLOCK]: 0x01_0000,
  [VIRTIO_ID_CONSOLE]: 0x07_8000,
  [VIRTIO_ID_ENTROPY]: 0x00_ff00,
  [VIRTIO_ID_BALLOON]: 0x00_ff00,
  [VIRTIO_ID_FS]: 0x01_8000,
};
const CLASS_OTHER = 0x00_ff00;

/** A virtio device as a PCI card. */
export class VirtioPci implements PciFunction {
  readonly name: string;
  readonly config: PciConfigSpace;
  readonly transport: VirtioTransport;
  readonly #common: VirtioCommonConfig;
  /** Offset of the capability that gives access through configuration space. */
  readonly #window: number;

  constructor(device: VirtioDevice, host: VirtioHost, wire: InterruptWire) {
    this.name = `virtio-pci-${device.name}`;
    this.transport = new VirtioTransport(device, host, wire);
    this.#common = new VirtioCommonConfig(this.transport);
    const identity = {
      vendor: VIRTIO_PCI_VENDOR,
      device: VIRTIO_PCI_DEVICE_BASE + device.deviceId,
      // Section 4.1.2.1: 1 or more for a device without the legacy interface.
      revision: 1,
      classCode: CLASS_CODES[device.deviceId] ?? CLASS_OTHER,
      subsystemVendor: VIRTIO_PCI_VENDOR,
      subsystem: 0x1100,
    };
    const capabilities = [
      capability(VIRTIO_PCI_CAP_COMMON_CFG, COMMON, COMMON_BYTES),
      capability(VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY, STRUCTURE_BYTES, NOTIFY_MULTIPLIER),
      capability(VIRTIO_PCI_CAP_ISR_CFG, ISR, 1),
      ...(device.config.length > 0
        ? [capability(VIRTIO_PCI_CAP_DEVICE_CFG, DEVICE, device.config.length)]
        : []),
      // The same length as with a multiplier: its last word is the data.
      capability(VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 0),
    ];
    this.config = new PciConfigSpace(identity, [{ index: BAR, size: BAR_BYTES }], INTA, capabilities);
    this.#window = this.config.capabilityOffsets.at(-1)!;
    this.config.allowWrites(this.#window + WINDOW_BAR, 1);
    this.config.allowWrites(this.#window + WINDOW_OFFSET, WINDOW_DATA + 4 - WINDOW_OFFSET);
  }

  readConfig(offset: number, size: 1 | 2 | 4): number {
    if (this.#isWindow(offset)) {
      const target = this.#windowTarget(size);
      return target === undefined ? 0 : this.readBar(BAR, target, size);
    }
    return this.config.read(offset, size);
  }

  writeConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    this.config.write(offset, size, value);
    if (!this.#isWindow(offset)) return;
    const target = this.#windowTarget(size);
    if (target !== undefined) this.writeBar(BAR, target, size, value);
  }

  readBar(_bar: number, offset: number, size: 1 | 2 | 4): number {
    const within = offset % STRUCTURE_BYTES;
    switch (offset - within) {
      case COMMON:
        return this.#common.read(within, size);
      case DEVICE:
        return this.transport.readConfig(within, size);
      case ISR: {
        if (within !== 0) return 0;
        // Section 4.1.4.5: reading it acknowledges.
        const causes = this.transport.interrupts;
        this.transport.acknowledge(ISR_QUEUE | ISR_CONFIG);
        return causes;
      }
      default:
        return 0;
    }
  }

  writeBar(_bar: number, offset: number, size: 1 | 2 | 4, value: number): void {
    const within = offset % STRUCTURE_BYTES;
    switch (offset - within) {
      case COMMON:
        this.#common.write(within, size, value >>> 0);
        break;
      case DEVICE:
        this.transport.writeConfig(within, size, value >>> 0);
        break;
      case NOTIFY:
        if (within % NOTIFY_MULTIPLIER === 0) this.transport.notify(within / NOTIFY_MULTIPLIER);
        break;
    }
  }

  reset(): void {
    this.transport.reset();
  }

  #isWindow(offset: number): boolean {
    return offset === this.#window + WINDOW_DATA;
  }

  /** Section 4.1.4.9: which bytes of the range the window shows; undefined when it is not set up for this size. */
  #windowTarget(size: 1 | 2 | 4): number | undefined {
    const at = this.#window;
    const bar = this.config.peek(at + WINDOW_BAR, 1);
    const offset = this.config.peek(at + WINDOW_OFFSET, 4);
    const length = this.config.peek(at + WINDOW_LENGTH, 4);
    if (bar !== BAR || length !== size || offset % size !== 0 || offset + size > BAR_BYTES) return undefined;
    return offset;
  }
}

/** struct virtio_pci_cap behind its first two bytes; `extra` is the word that some kinds have at its end. */
function capability(
  type: number,
  offset: number,
  length: number,
  extra?: number,
): { id: number; body: Uint8Array } {
  const body = new Uint8Array(extra === undefined ? 14 : 18);
  const view = new DataView(body.buffer);
  view.setUint8(0, body.length + 2);
  view.setUint8(1, type);
  view.setUint8(2, BAR);
  view.setUint32(6, offset, true);
  view.setUint32(10, length, true);
  if (extra !== undefined) view.setUint32(14, extra, true);
  return { id: CAPABILITY_VENDOR, body };
}
