// How a driver reaches a device, by each transport: register by register, as the specification has it.
import { PciHost } from '../../src/devices/pci-host.ts';
import type { VirtioDevice, VirtioHost } from '../../src/virtio/virtio-device.ts';
import { VirtioMmio } from '../../src/virtio/virtio-mmio.ts';
import { VirtioPci } from '../../src/virtio/virtio-pci.ts';

/** A driver's view of a device. */
export interface Port {
  readonly name: string;
  /** Level of the interrupt wire, as the interrupt controller sees it. */
  readonly wire: boolean;
  deviceId(): number;
  status(): number;
  setStatus(value: number): void;
  deviceFeatures(select: number): number;
  setDriverFeatures(select: number, word: number): void;
  /** Largest size of a queue; 0: there is no such queue. */
  queueMax(index: number): number;
  setUpQueue(index: number, size: number, areas: readonly [bigint, bigint, bigint]): void;
  queueEnabled(index: number): boolean;
  notify(index: number): void;
  /** Causes of the interrupt, acknowledged. */
  takeInterrupts(): number;
  config(offset: number, size: 1 | 2 | 4): number;
  setConfig(offset: number, size: 1 | 2 | 4, value: number): void;
  generation(): number;
  /** Power-on, from outside. */
  reset(): void;
}

export type PortMaker = (device: VirtioDevice, host: VirtioHost) => Port;

export const mmioPort: PortMaker = (device, host) => {
  let wire = false;
  const slot = new VirtioMmio(device, host, (level) => {
    wire = level;
  });
  const get = (offset: number) => slot.read(offset, 4);
  const set = (offset: number, value: number) => slot.write(offset, 4, value >>> 0);
  return {
    name: 'mmio',
    get wire() {
      return wire;
    },
    deviceId: () => get(0x008),
    status: () => get(0x070),
    setStatus: (value) => set(0x070, value),
    deviceFeatures: (select) => {
      set(0x014, select);
      return get(0x010);
    },
    setDriverFeatures: (select, word) => {
      set(0x024, select);
      set(0x020, word);
    },
    queueMax: (index) => {
      set(0x030, index);
      return get(0x034);
    },
    setUpQueue: (index, size, areas) => {
      set(0x030, index);
      set(0x038, size);
      for (const [area, address] of areas.entries()) {
        set(0x080 + area * 16, Number(address & 0xffff_ffffn));
        set(0x084 + area * 16, Number(address >> 32n));
      }
      set(0x044, 1);
    },
    queueEnabled: (index) => {
      set(0x030, index);
      return get(0x044) === 1;
    },
    notify: (index) => set(0x050, index),
    takeInterrupts: () => {
      const causes = get(0x060);
      set(0x064, causes);
      return causes;
    },
    config: (offset, size) => slot.read(0x100 + offset, size),
    setConfig: (offset, size, value) => slot.write(0x100 + offset, size, value),
    generation: () => get(0x0fc),
    reset: () => slot.reset(),
  };
};

const WINDOW = { base: 0x4000_0000, size: 0x1000_0000 };
const SLOT = 5;
const BAR_AT = 0x4010_0000;

/** A PCI bus with a device in slot 5, whose INTA is wire 1. */
export function pciBus(device: VirtioDevice, host: VirtioHost) {
  const wires = [false, false, false, false];
  const bus = new PciHost(
    0x1000_0000,
    WINDOW,
    wires.map((_, index) => (level: boolean) => {
      wires[index] = level;
    }),
  );
  bus.plug(SLOT, new VirtioPci(device, host, bus.interruptWire(SLOT)));
  const at = (register: number) => (SLOT << 15) + register;
  return {
    bus,
    wires,
    getConfig: (register: number, size: 1 | 2 | 4) => bus.ecam.read(at(register), size),
    setConfig: (register: number, size: 1 | 2 | 4, value: number) =>
      bus.ecam.write(at(register), size, value >>> 0),
    /** Memory space. */
    get: (address: number, size: 1 | 2 | 4) => bus.window.read(address - WINDOW.base, size),
    set: (address: number, size: 1 | 2 | 4, value: number) =>
      bus.window.write(address - WINDOW.base, size, value >>> 0),
  };
}

export interface VirtioCapability {
  at: number;
  bar: number;
  offset: number;
  length: number;
  /** Multiplier of a notification structure. */
  extra: number;
}

/** Walks the capability list for virtio's (section 4.1.4), by their kind. */
export function virtioCapabilities(
  getConfig: (register: number, size: 1 | 2 | 4) => number,
): Map<number, VirtioCapability> {
  const found = new Map<number, VirtioCapability>();
  for (let at = getConfig(0x34, 1); at !== 0; at = getConfig(at + 1, 1)) {
    if (getConfig(at, 1) !== 0x09) continue;
    found.set(getConfig(at + 3, 1), {
      at,
      bar: getConfig(at + 4, 1),
      offset: getConfig(at + 8, 4),
      length: getConfig(at + 12, 4),
      extra: getConfig(at + 16, 4),
    });
  }
  return found;
}

export const pciPort: PortMaker = (device, host) => {
  const pci = pciBus(device, host);
  const place = () => {
    pci.setConfig(0x10, 4, BAR_AT);
    pci.setConfig(0x04, 2, 0x0006);
  };
  place();
  const capabilities = virtioCapabilities(pci.getConfig);
  const base = (kind: number) => BAR_AT + capabilities.get(kind)!.offset;
  const common = base(1);
  const notifyBase = base(2);
  const multiplier = capabilities.get(2)!.extra;
  return {
    name: 'pci',
    get wire() {
      return pci.wires[SLOT % 4]!;
    },
    deviceId: () => pci.getConfig(2, 2) - 0x1040,
    status: () => pci.get(common + 0x14, 1),
    setStatus: (value) => pci.set(common + 0x14, 1, value),
    deviceFeatures: (select) => {
      pci.set(common, 4, select);
      return pci.get(common + 4, 4);
    },
    setDriverFeatures: (select, word) => {
      pci.set(common + 8, 4, select);
      pci.set(common + 12, 4, word);
    },
    queueMax: (index) => {
      pci.set(common + 0x16, 2, index);
      return pci.get(common + 0x18, 2);
    },
    setUpQueue: (index, size, areas) => {
      pci.set(common + 0x16, 2, index);
      pci.set(common + 0x18, 2, size);
      for (const [area, address] of areas.entries()) {
        pci.set(common + 0x20 + area * 8, 4, Number(address & 0xffff_ffffn));
        pci.set(common + 0x24 + area * 8, 4, Number(address >> 32n));
      }
      pci.set(common + 0x1c, 2, 1);
    },
    queueEnabled: (index) => {
      pci.set(common + 0x16, 2, index);
      return pci.get(common + 0x1c, 2) === 1;
    },
    notify: (index) => {
      pci.set(common + 0x16, 2, index);
      pci.set(notifyBase + pci.get(common + 0x1e, 2) * multiplier, 2, index);
    },
    takeInterrupts: () => pci.get(base(3), 1),
    config: (offset, size) => pci.get(base(4) + offset, size),
    setConfig: (offset, size, value) => pci.set(base(4) + offset, size, value),
    generation: () => pci.get(common + 0x15, 1),
    reset: () => {
      pci.bus.ecam.reset();
      pci.bus.window.reset();
      place();
    },
  };
};
