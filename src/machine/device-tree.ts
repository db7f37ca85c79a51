// The board's device tree: what QEMU's `virt` describes, as far as it is there, from the one memory map.
import { PLIC_SOURCES } from '../devices/plic.ts';
import { SYSCON_POWEROFF, SYSCON_REBOOT } from '../devices/syscon.ts';
import { bytes, cells, cells64, empty, type FdtNode, type FdtValue, strings, writeFdt } from './fdt.ts';
import type { IsaDescription } from './isa-description.ts';
import {
  CLINT,
  GENERATION,
  GENERATION_IRQ,
  PCI_ECAM,
  PCI_IO,
  PCI_IRQ,
  PCI_IRQS,
  PCI_MMIO,
  PCI_MMIO_HIGH,
  PLIC,
  RAM_BASE,
  type Region,
  RTC,
  RTC_IRQ,
  SYSCON,
  TIMEBASE_HZ,
  UART,
  UART_CLOCK_HZ,
  UART_IRQ,
  VIRTIO_MMIO,
  VIRTIO_MMIO_IRQ,
  VIRTIO_MMIO_SLOTS,
} from './memory-map.ts';

export interface DeviceTreeOptions {
  ramBytes: number;
  isa: IsaDescription;
  append?: string;
  /** Physical addresses [start, end) of the initial RAM disk. */
  initrd?: { start: number; end: number };
  /** Entropy for the kernel's random number generator. */
  rngSeed: Uint8Array;
}

const CPU_PHANDLE = 1;
const INTC_PHANDLE = 2;
const PLIC_PHANDLE = 3;
const SYSCON_PHANDLE = 4;

// Interrupt numbers of the hart's local controller are mcause's.
const MACHINE_SOFTWARE = 3;
const MACHINE_TIMER = 7;
const SUPERVISOR_EXTERNAL = 9;
const MACHINE_EXTERNAL = 11;

/** Describes the board as a flattened device tree. */
export function buildDeviceTree(options: DeviceTreeOptions): Uint8Array {
  return writeFdt({
    name: '',
    properties: {
      '#address-cells': cells(2),
      '#size-cells': cells(2),
      compatible: strings('riscv-virtio'),
      model: strings('riscv-virtio,hypertab'),
    },
    children: [
      chosen(options),
      {
        name: `memory@${RAM_BASE.toString(16)}`,
        properties: { device_type: strings('memory'), reg: cells64(RAM_BASE, options.ramBytes) },
      },
      cpus(options.isa),
      soc(),
      sysconSwitch('poweroff', SYSCON_POWEROFF),
      sysconSwitch('reboot', SYSCON_REBOOT),
    ],
  });
}

function chosen({ append, initrd, rngSeed }: DeviceTreeOptions): FdtNode {
  const properties: Record<string, FdtValue> = {
    'stdout-path': strings(`/soc/serial@${UART.base.toString(16)}`),
    'rng-seed': bytes(rngSeed),
  };
  if (append) properties.bootargs = strings(append);
  if (initrd) {
    properties['linux,initrd-start'] = cells64(initrd.start);
    properties['linux,initrd-end'] = cells64(initrd.end);
  }
  return { name: 'chosen', properties };
}

function cpus(isa: IsaDescription): FdtNode {
  const cacheBlock: Record<string, FdtValue> = {};
  if (isa.extensions.includes('zicbom')) cacheBlock['riscv,cbom-block-size'] = cells(isa.cacheBlockBytes);
  if (isa.extensions.includes('zicbop')) cacheBlock['riscv,cbop-block-size'] = cells(isa.cacheBlockBytes);
  if (isa.extensions.includes('zicboz')) cacheBlock['riscv,cboz-block-size'] = cells(isa.cacheBlockBytes);
  return {
    name: 'cpus',
    properties: {
      '#address-cells': cells(1),
      '#size-cells': cells(0),
      'timebase-frequency': cells(TIMEBASE_HZ),
    },
    children: [
      {
        name: 'cpu@0',
        properties: {
          phandle: cells(CPU_PHANDLE),
          device_type: strings('cpu'),
          reg: cells(0),
          status: strings('okay'),
          compatible: strings('riscv'),
          'riscv,isa': strings(isa.string),
          'riscv,isa-base': strings('rv64i'),
          'riscv,isa-extensions': strings(...isa.extensions),
          'mmu-type': strings(isa.mmuType),
          ...cacheBlock,
        },
        children: [
          {
            name: 'interrupt-controller',
            properties: {
              '#interrupt-cells': cells(1),
              '#address-cells': cells(0),
              'interrupt-controller': empty,
              compatible: strings('riscv,cpu-intc'),
              phandle: cells(INTC_PHANDLE),
            },
          },
        ],
      },
      {
        name: 'cpu-map',
        properties: {},
        children: [
          {
            name: 'cluster0',
            properties: {},
            children: [{ name: 'core0', properties: { cpu: cells(CPU_PHANDLE) } }],
          },
        ],
      },
    ],
  };
}

function soc(): FdtNode {
  return {
    name: 'soc',
    properties: {
      '#address-cells': cells(2),
      '#size-cells': cells(2),
      compatible: strings('simple-bus'),
      ranges: empty,
    },
    children: [
      device('serial', UART, {
        compatible: strings('ns16550a'),
        'clock-frequency': cells(UART_CLOCK_HZ),
        ...interrupt(UART_IRQ),
      }),
      device('rtc', RTC, { compatible: strings('google,goldfish-rtc'), ...interrupt(RTC_IRQ) }),
      device('vmgenid', GENERATION, {
        compatible: strings('microsoft,vmgenid'),
        ...interrupt(GENERATION_IRQ),
      }),
      device('test', SYSCON, {
        compatible: strings('sifive,test1', 'sifive,test0', 'syscon'),
        phandle: cells(SYSCON_PHANDLE),
      }),
      ...Array.from({ length: VIRTIO_MMIO_SLOTS }, (_, slot) =>
        device('virtio_mmio', slotRegion(slot), {
          compatible: strings('virtio,mmio'),
          ...interrupt(VIRTIO_MMIO_IRQ + slot),
        }),
      ),
      pci(),
      device('plic', PLIC, {
        compatible: strings('sifive,plic-1.0.0', 'riscv,plic0'),
        phandle: cells(PLIC_PHANDLE),
        '#interrupt-cells': cells(1),
        '#address-cells': cells(0),
        'interrupt-controller': empty,
        'interrupts-extended': cells(INTC_PHANDLE, MACHINE_EXTERNAL, INTC_PHANDLE, SUPERVISOR_EXTERNAL),
        'riscv,ndev': cells(PLIC_SOURCES),
      }),
      device('clint', CLINT, {
        compatible: strings('sifive,clint0', 'riscv,clint0'),
        'interrupts-extended': cells(INTC_PHANDLE, MACHINE_SOFTWARE, INTC_PHANDLE, MACHINE_TIMER),
      }),
    ],
  };
}

// IEEE 1275 PCI bus binding, section 2.2.1.1: the kind of space an address is in.
const PCI_SPACE_IO = 0x0100_0000;
const PCI_SPACE_MEMORY = 0x0200_0000;
const PCI_SPACE_MEMORY_64 = 0x0300_0000;

function pci(): FdtNode {
  // Which wire pin P (1 to 4) of slot S drives repeats after PCI_IRQS slots.
  const interruptMap: number[] = [];
  for (let slot = 0; slot < PCI_IRQS; slot++) {
    for (let pin = 1; pin <= 4; pin++) {
      interruptMap.push(slot << 11, 0, 0, pin, PLIC_PHANDLE, PCI_IRQ + ((slot + pin - 1) % PCI_IRQS));
    }
  }
  const range = (space: number, { base, size }: Region, busAddress: number) => [
    space,
    ...split(busAddress),
    ...split(base),
    ...split(size),
  ];
  return device('pci', PCI_ECAM, {
    compatible: strings('pci-host-ecam-generic'),
    device_type: strings('pci'),
    'dma-coherent': empty,
    '#address-cells': cells(3),
    '#size-cells': cells(2),
    '#interrupt-cells': cells(1),
    'bus-range': cells(0, PCI_ECAM.size / 2 ** 20 - 1),
    'linux,pci-domain': cells(0),
    ranges: cells(
      ...range(PCI_SPACE_IO, PCI_IO, 0),
      ...range(PCI_SPACE_MEMORY, PCI_MMIO, PCI_MMIO.base),
      ...range(PCI_SPACE_MEMORY_64, PCI_MMIO_HIGH, PCI_MMIO_HIGH.base),
    ),
    'interrupt-map-mask': cells((PCI_IRQS - 1) << 11, 0, 0, 7),
    'interrupt-map': cells(...interruptMap),
  });
}

/** The two cells of an address or size. */
function split(value: number): [number, number] {
  return [Math.floor(value / 2 ** 32), value >>> 0];
}

/** Address space of a virtio-mmio slot. */
export function slotRegion(slot: number): Region {
  return { base: VIRTIO_MMIO.base + slot * VIRTIO_MMIO.size, size: VIRTIO_MMIO.size };
}

function device(kind: string, region: Region, properties: Record<string, FdtValue>): FdtNode {
  return {
    name: `${kind}@${region.base.toString(16)}`,
    properties: { reg: cells64(region.base, region.size), ...properties },
  };
}

function interrupt(source: number): Record<string, FdtValue> {
  return { interrupts: cells(source), 'interrupt-parent': cells(PLIC_PHANDLE) };
}

function sysconSwitch(name: 'poweroff' | 'reboot', value: number): FdtNode {
  return {
    name,
    properties: {
      compatible: strings(`syscon-${name}`),
      regmap: cells(SYSCON_PHANDLE),
      offset: cells(0),
      value: cells(value),
    },
  };
}
