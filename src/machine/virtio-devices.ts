// Which virtio devices a machine has, and where they are.

import type { InterruptWire, MmioDevice } from '../devices/device.ts';
import { EmptyVirtioSlot } from '../devices/empty-slots.ts';
import { PciHost } from '../devices/pci-host.ts';
import type { BalloonDevice } from '../virtio/balloon.ts';
import { BlockDevice } from '../virtio/block/block-device.ts';
import { ConsoleDevice } from '../virtio/console/console-device.ts';
import { EntropyDevice } from '../virtio/entropy.ts';
import { FsDevice } from '../virtio/fs/fs-device.ts';
import { NetDevice } from '../virtio/net/net-device.ts';
import type { VirtioDevice, VirtioHost } from '../virtio/virtio-device.ts';
import { VirtioMmio } from '../virtio/virtio-mmio.ts';
import { VirtioPci } from '../virtio/virtio-pci.ts';
import type { VirtioTransport } from '../virtio/virtio-transport.ts';
import { ConfigError } from './errors.ts';
import type {
  MachineConfig,
  MachineDrive,
  MachineNetwork,
  MachineParts,
  MachineShare,
} from './machine-types.ts';
import {
  CHANNELS_MAX,
  CONSOLES_MAX,
  DRIVES_MAX,
  NETWORKS_MAX,
  PCI_ECAM,
  PCI_IRQ,
  PCI_IRQS,
  PCI_MMIO,
  PCI_SLOT,
  SHARES_MAX,
  VIRTIO_MMIO_IRQ,
  VIRTIO_MMIO_SLOTS,
} from './memory-map.ts';
import { createRandom } from './random.ts';

/** A device and the PCI slot that is always its. */
export interface PlacedDevice {
  slot: number;
  /** Names its part of a saved state. */
  section: string;
  device: VirtioDevice;
}

/** Tells the entropy device's sequence from the one that the device tree's seed is taken from. */
const ENTROPY_STREAM = 0x656e7472;

/** Devices that the board has a hand in. */
export interface OwnDevices {
  balloon: BalloonDevice;
  console: ConsoleDevice | undefined;
}

/** The device behind a machine's terminals and channels, when it has any. Throws ConfigError for too many. */
export function createConsole(terminals = 0, channels = 0): ConsoleDevice | undefined {
  if (!Number.isInteger(terminals) || terminals < 0 || terminals > CONSOLES_MAX) {
    throw new ConfigError(`${terminals} consoles; a machine takes 0 to ${CONSOLES_MAX}`);
  }
  if (!Number.isInteger(channels) || channels < 0 || channels > CHANNELS_MAX) {
    throw new ConfigError(`${channels} channels; a machine takes 0 to ${CHANNELS_MAX}`);
  }
  return terminals + channels === 0 ? undefined : new ConsoleDevice(terminals, channels);
}

/** Makes a machine's virtio devices, in the order of their PCI slots. Throws ConfigError for too many of a kind. */
export function createVirtioDevices(
  config: MachineConfig,
  parts: MachineParts,
  { balloon, console }: OwnDevices,
): PlacedDevice[] {
  const seed = config.seed === undefined ? undefined : config.seed ^ ENTROPY_STREAM;
  return [
    ...(console ? [{ slot: PCI_SLOT.console, section: 'virtio/console', device: console }] : []),
    { slot: PCI_SLOT.entropy, section: 'virtio/entropy', device: new EntropyDevice(createRandom(seed)) },
    { slot: PCI_SLOT.balloon, section: 'virtio/balloon', device: balloon },
    ...networkDevices(parts.networks ?? []),
    ...driveDevices(parts.drives ?? []),
    ...shareDevices(parts.shares ?? []),
  ];
}

function networkDevices(networks: readonly MachineNetwork[]): PlacedDevice[] {
  if (networks.length > NETWORKS_MAX) {
    throw new ConfigError(`${networks.length} network interfaces; a machine takes at most ${NETWORKS_MAX}`);
  }
  return networks.map((network, index) => ({
    slot: PCI_SLOT.network + index,
    section: `virtio/network-${index}`,
    device: new NetDevice({ name: `net${index}`, ...network }),
  }));
}

function driveDevices(drives: readonly MachineDrive[]): PlacedDevice[] {
  if (drives.length > DRIVES_MAX) {
    throw new ConfigError(`${drives.length} drives; a machine takes at most ${DRIVES_MAX}`);
  }
  return drives.map((drive, index) => ({
    slot: PCI_SLOT.drive + index,
    section: `virtio/drive-${index}`,
    device: new BlockDevice({ name: `drive${index}`, ...drive }),
  }));
}

function shareDevices(shares: readonly MachineShare[]): PlacedDevice[] {
  if (shares.length > SHARES_MAX) {
    throw new ConfigError(`${shares.length} shares; a machine takes at most ${SHARES_MAX}`);
  }
  const twice = shares.find(({ tag }, index) => shares.some((other, i) => i < index && other.tag === tag));
  if (twice) throw new ConfigError(`two shares have the tag '${twice.tag}'; give each its own`);
  return shares.map(({ tag, tree }, index) => ({
    slot: PCI_SLOT.share + index,
    section: `virtio/share-${index}`,
    device: new FsDevice(tag, tree),
  }));
}

/** The buses that virtio devices are on. */
export interface VirtioBuses {
  pci: PciHost;
  /** The slots of virtio-mmio, empty ones too. */
  slots: MmioDevice[];
  /** Of each device, in their order. */
  transports: VirtioTransport[];
}

/**
 * Puts devices on PCI, or into the slots of virtio-mmio where the configuration says so.
 * @throws ConfigError when there are more devices than slots
 */
export function placeVirtioDevices(
  transport: MachineConfig['virtio'],
  devices: readonly PlacedDevice[],
  host: VirtioHost,
  interrupt: (source: number) => InterruptWire,
): VirtioBuses {
  const wires = Array.from({ length: PCI_IRQS }, (_, index) => interrupt(PCI_IRQ + index));
  const pci = new PciHost(PCI_ECAM.size, PCI_MMIO, wires);
  const slots: MmioDevice[] = [];
  const transports: VirtioTransport[] = [];
  if (transport === 'mmio') {
    if (devices.length > VIRTIO_MMIO_SLOTS) {
      throw new ConfigError(
        `${devices.length} virtio devices do not fit ${VIRTIO_MMIO_SLOTS} virtio-mmio slots; use PCI or fewer devices`,
      );
    }
    for (const { device } of devices) {
      const card = new VirtioMmio(device, host, interrupt(VIRTIO_MMIO_IRQ + slots.length));
      slots.push(card);
      transports.push(card.transport);
    }
  } else {
    for (const { slot, device } of devices) {
      const card = new VirtioPci(device, host, pci.interruptWire(slot));
      pci.plug(slot, card);
      transports.push(card.transport);
    }
  }
  for (let slot = slots.length; slot < VIRTIO_MMIO_SLOTS; slot++) slots.push(new EmptyVirtioSlot(slot));
  return { pci, slots, transports };
}
