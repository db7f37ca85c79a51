// The board's device tree: what QEMU's `virt` describes, as far as it is there, from the one memory map.
import { PLIC_SOURCES } from '../devices/plic.ts';
import { SYSCON_POWEROFF, SYSCON_REBOOT } from '../devices/syscon.ts';
import { bytes, cells, cells64, empty, type FdtNode, type FdtValue, strings, writeFdt } from './fdt.ts';
import type { IsaDescription } from './isa-description.ts';
import {
  CLINT,
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
