// Where everything is: the address map of QEMU's `virt` board, read by the bus and by the device tree.
import { RAM_MAX } from '../core/limits.ts';

export interface Region {
  readonly base: number;
  readonly size: number;
}

/** Boot ROM: reset vector and the information OpenSBI's fw_dynamic looks for. */
export const BOOT_ROM: Region = { base: 0x1000, size: 0xf000 };
export const SYSCON: Region = { base: 0x10_0000, size: 0x1000 };
export const RTC: Region = { base: 0x10_1000, size: 0x1000 };
/** Not on QEMU's board. */
export const GENERATION: Region = { base: 0x10_2000, size: 0x1000 };
export const CLINT: Region = { base: 0x200_0000, size: 0x1_0000 };
export const PCI_IO: Region = { base: 0x300_0000, size: 0x1_0000 };
export const PLIC: Region = { base: 0xc00_0000, size: 0x60_0000 };
export const UART: Region = { base: 0x1000_0000, size: 0x100 };
/** The first of the slots; each takes VIRTIO_MMIO.size. */
export const VIRTIO_MMIO: Region = { base: 0x1000_1000, size: 0x1000 };
export const VIRTIO_MMIO_SLOTS = 8;
export const PCI_ECAM: Region = { base: 0x3000_0000, size: 0x1000_0000 };
export const PCI_MMIO: Region = { base: 0x4000_0000, size: 0x4000_0000 };
/** The window for 64-bit addresses, above all RAM there can be. */
export const PCI_MMIO_HIGH: Region = { base: 0x4_0000_0000, size: 0x4_0000_0000 };

export const RAM_BASE = 0x8000_0000;
export const RAM_MINIMUM = 16 << 20;
export const RAM_MAXIMUM = RAM_MAX;
/** RAM comes in units of this many bytes. */
export const RAM_UNIT = 1 << 20;

/** Interrupt sources of the PLIC. */
export const UART_IRQ = 10;
export const RTC_IRQ = 11;
export const GENERATION_IRQ = 12;
/** Slot N has source VIRTIO_MMIO_IRQ + N. */
export const VIRTIO_MMIO_IRQ = 1;
/** INTA of PCI slot N has source PCI_IRQ + N mod PCI_IRQS. */
export const PCI_IRQ = 32;
export const PCI_IRQS = 4;

/**
 * PCI slots, so that a device is found in the same place whatever else a machine has. Of drives, shares and network
 * interfaces there may be as many as there are slots up to the next kind's.
 */
export const PCI_SLOT = {
  console: 1,
  entropy: 2,
  balloon: 3,
  network: 4,
  drive: 8,
  share: 24,
} as const;
/** Terminals of the console. */
export const CONSOLES_MAX = 8;
/** Channels of bytes that share a device with them. */
export const CHANNELS_MAX = 4;
export const NETWORKS_MAX = 4;
export const DRIVES_MAX = 16;
export const SHARES_MAX = 8;

/** Ticks of `time` and mtime a second. */
export const TIMEBASE_HZ = 10_000_000;
export const TICKS_PER_MS = TIMEBASE_HZ / 1000;
/** Input clock of the UART. */
export const UART_CLOCK_HZ = 3_686_400;

/** Where an M-mode firmware without an address of its own is loaded, and where it finds its payload. */
export const FIRMWARE_BASE = RAM_BASE;
export const PAYLOAD_BASE = RAM_BASE + 0x20_0000;
