// The board: core, bus and devices wired together, and what power-on puts into RAM and registers.
import type { CoreApi, CoreHost, CoreOptions } from '../core/core-types.ts';
import type { Stateful } from '../core/state-bytes.ts';
import { Clint, type TickSource } from '../devices/clint.ts';
import { OpenBus } from '../devices/empty-slots.ts';
import { GoldfishRtc } from '../devices/goldfish-rtc.ts';
import { Plic } from '../devices/plic.ts';
import { Rom } from '../devices/rom.ts';
import { Syscon, type SysconRequest } from '../devices/syscon.ts';
import { Uart16550 } from '../devices/uart16550.ts';
import { VmGeneration } from '../devices/vm-generation.ts';
import { WorkQueue } from '../devices/work-queue.ts';
import { BalloonDevice } from '../virtio/balloon.ts';
import { GuestMemory } from '../virtio/guest-memory.ts';
import type { VirtioDevice } from '../virtio/virtio-device.ts';
import { ConfigurationState, TimeState, WorkState } from './board-state.ts';
import { enterFirmware, enterKernel } from './boot.ts';
import { buildBootRom } from './boot-rom.ts';
import { Bus } from './bus.ts';
import { MachineClock } from './clock.ts';
import { SATP, TIME } from './csr.ts';
import { buildDeviceTree, slotRegion } from './device-tree.ts';
import { ConfigError, LoadError } from './errors.ts';
import { describeIsa, withoutHardwareDirty } from './isa-description.ts';
import type { Engine, MachineConfig, MachineParts, MachineTerminal } from './machine-types.ts';
import {
  BOOT_ROM,
  CLINT,
  GENERATION,
  GENERATION_IRQ,
  PCI_ECAM,
  PCI_IO,
  PCI_MMIO,
  PCI_MMIO_HIGH,
  PLIC,
  RAM_BASE,
  RTC,
  RTC_IRQ,
  SYSCON,
  TIMEBASE_HZ,
  UART,
  UART_IRQ,
} from './memory-map.ts';
import { DEVICE_TREE_BYTES, loadPieces, type Placement, placeAll, placeNothing } from './placement.ts';
import { createRandom } from './random.ts';
import type { StateParts } from './state-sections.ts';
import { createConsole, createVirtioDevices, placeVirtioDevices } from './virtio-devices.ts';

/** Makes a core; tests give one of their own. */
export type CoreFactory = (module: WebAssembly.Module, options: CoreOptions) => CoreApi;

/** Instructions for one tick of the deterministic clock: a hart of 100 MIPS at 10 MHz. */
export const INSTRUCTIONS_PER_TICK = 10;
/** The date at which a machine with the deterministic clock is switched on: 2025-01-01 00:00 UTC. */
const FIXED_DATE_NS = 1_735_689_600_000_000_000n;
const NS_PER_TICK = BigInt(1_000_000_000 / TIMEBASE_HZ);
const RNG_SEED_BYTES = 32;
/** Tells the generations' sequence from the one that the device tree's seed is taken from. */
const GENERATION_STREAM = 0x67656e69;

export interface BoardEvents {
  consoleByte(byte: number): void;
  syscon(request: SysconRequest): void;
  /** A device has work, or an interrupt for the hart. */
  wake(): void;
}

/**
 * Executions after which a jump target is translated. Translating costs the host 20 to 50 microseconds an
 * instruction, most of it in its background compiler: what runs less often is cheaper to interpret.
 */
const HOT_THRESHOLD: Record<Engine, number> = { interpreter: 0, auto: 10_000, translator: 500 };

export class Board {
  readonly core: CoreApi;
  readonly bus = new Bus();
  readonly uart: Uart16550;
  readonly rtc: GoldfishRtc;
  readonly balloon: BalloonDevice;
  /** Terminals beside the serial console. */
  readonly terminals: readonly MachineTerminal[];
  readonly clock: MachineClock;
  /** Where its files go; without any, while it was made to go on from a saved state and has none yet. */
  placement: Placement;
  readonly generation: VmGeneration;
  /** Its virtio devices, in the order of their PCI slots. */
  readonly devices: readonly VirtioDevice[];
  /** What devices have to do while the hart does not run. */
  readonly work = new WorkQueue();
  /** True when time follows the instructions executed. */
  readonly deterministic: boolean;
  /** What of it is saved, and in which order it is restored: the hart first, so that devices can interrupt it. */
  readonly stateParts: StateParts;
  private config: MachineConfig;
  private readonly ticks: TickSource;

  /** Throws ConfigError, LoadError or DamagedFileError when the machine cannot be built or its files cannot be loaded. */
  constructor(config: MachineConfig, createCore: CoreFactory, events: BoardEvents, parts: MachineParts = {}) {
    this.config = config;
    this.placement = config.standby && !hasFiles(config) ? placeNothing(config.memory) : placeAll(config);
    this.deterministic = config.clock === 'instructions';
    this.clock = new MachineClock();
    const host: CoreHost = {
      mmioRead: (address, size) => this.bus.read(address, size),
      mmioWrite: (address, size, low, high) => this.bus.write(address, size, low, high),
      time: () => this.clock.now(),
    };
    this.core = createCore(config.core, {
      ramBytes: config.memory,
      host,
      sbi: config.bios === undefined,
      instructionsPerTick: this.deterministic ? INSTRUCTIONS_PER_TICK : 0,
      hotThreshold: HOT_THRESHOLD[config.engine],
    });
    const { hart } = this.core;
    this.ticks = this.deterministic ? { now: () => Number(hart.readCsr(TIME) ?? 0n) } : this.clock;
    const nanoseconds = this.deterministic
      ? () => FIXED_DATE_NS + BigInt(this.ticks.now()) * NS_PER_TICK
      : () => BigInt(Date.now()) * 1_000_000n;

    const external = (line: 'mei' | 'sei') => (level: boolean) => {
      hart.setInterruptLine(line, level);
      if (level) events.wake();
    };
    const plic = new Plic([external('mei'), external('sei')]);
    this.work.onWork = () => {
      this.core.requestExit();
      events.wake();
    };
    this.uart = new Uart16550(events.consoleByte, plic.source(UART_IRQ));
    // A run that was cut to end at the old alarm, or at none, is to be cut anew.
    this.rtc = new GoldfishRtc(nanoseconds, plic.source(RTC_IRQ), () => this.core.requestExit());
    const { bios, kernel, deviceTree } = this.placement;
    if (bios) {
      const info = { start: bios.entry, deviceTree, next: kernel?.entry ?? 0 };
      this.bus.attach(BOOT_ROM, new Rom('boot-rom', BOOT_ROM.size, buildBootRom(info)));
    }
    this.bus.attach(UART, this.uart);
    this.bus.attach(PLIC, plic);
    const clint = new Clint(hart, this.ticks);
    this.bus.attach(CLINT, clint);
    this.bus.attach(RTC, this.rtc);
    const generations = createRandom(config.seed === undefined ? undefined : config.seed ^ GENERATION_STREAM);
    this.generation = new VmGeneration((bytes) => generations.next(bytes), plic.source(GENERATION_IRQ));
    this.bus.attach(GENERATION, this.generation);
    this.bus.attach(SYSCON, new Syscon(events.syscon));
    const memory = this.guestMemory();
    this.balloon = new BalloonDevice(memory);
    const console = createConsole(config.consoles, config.channels);
    this.terminals = console?.ports ?? [];
    const placed = createVirtioDevices(config, parts, { balloon: this.balloon, console });
    this.devices = placed.map(({ device }) => device);
    const virtio = placeVirtioDevices(config.virtio, placed, { memory, work: this.work }, (source) =>
      plic.source(source),
    );
    for (const [slot, device] of virtio.slots.entries()) this.bus.attach(slotRegion(slot), device);
    this.bus.attach(PCI_ECAM, virtio.pci.ecam);
    this.bus.attach(PCI_IO, new OpenBus('pci-io', PCI_IO.size));
    this.bus.attach(PCI_MMIO, virtio.pci.window);
    this.bus.attach(PCI_MMIO_HIGH, new OpenBus('pci-mmio-high', PCI_MMIO_HIGH.size));
    this.stateParts = new Map<string, Stateful>([
      ['configuration', new ConfigurationState(config)],
      ['hart', this.core],
      ['time', new TimeState(this.deterministic ? undefined : this.clock)],
      ['clint', clint],
      ['plic', plic],
      ['serial', this.uart],
      ['rtc', this.rtc],
      ['generation', this.generation],
      ['pci', virtio.pci],
      ['work', new WorkState(this.work, virtio.transports)],
      ...placed.map(({ section }, index) => [section, virtio.transports[index]!] as const),
    ]);
    if (config.standby) {
      this.resetParts();
      this.placement.release();
    } else {
      this.boot();
    }
  }

  /** Everything reset, then what `takeOver` puts in its place; RAM stays. */
  restore(takeOver: () => void): void {
    this.resetParts();
    takeOver();
  }

  /** Resolves when no device has anything under way. */
  async quiesce(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.quiesce?.()));
  }

  /** False while there is nothing to boot: powerOn() throws. */
  get canBoot(): boolean {
    return hasFiles(this.config);
  }

  /** What to boot from at the next powerOn(). Throws as the constructor does; then nothing has changed. */
  provideFiles({ kernel, initrd }: Pick<MachineConfig, 'kernel' | 'initrd'>): void {
    const config = { ...this.config, kernel, initrd };
    this.placement = placeAll(config);
    this.placement.release();
    this.config = config;
  }

  /** The time in ticks since power-on. */
  now(): number {
    return this.ticks.now();
  }

  /** Ticks from now() until the clock's alarm fires; Infinity without one. */
  get alarmInTicks(): number {
    const { alarmInNs } = this.rtc;
    return alarmInNs === undefined ? Infinity : Number((alarmInNs + NS_PER_TICK - 1n) / NS_PER_TICK);
  }

  /** Instructions until the alarm fires, where time follows them: a run that ends there is cut alike on every host. */
  get alarmInInstructions(): number {
    if (!this.deterministic) return Infinity;
    return this.alarmInTicks * INSTRUCTIONS_PER_TICK - (this.core.instructions % INSTRUCTIONS_PER_TICK);
  }

  /** Power-on: RAM zeroed, everything reset, programs loaded, the hart at the first instruction. */
  powerOn(): void {
    if (!this.canBoot) {
      throw new LoadError(
        'kernel: the machine goes on from a saved state and has none to boot; give it one first',
      );
    }
    this.core.clearRam();
    this.boot();
  }

  /** `length` bytes of RAM at a physical address; undefined unless all of it is RAM. */
  ramView(address: bigint, length: bigint): Uint8Array | undefined {
    const { ram } = this.core;
    const start = address - BigInt(RAM_BASE);
    if (start < 0n || length < 0n || start + length > BigInt(ram.length)) return undefined;
    return ram.subarray(Number(start), Number(start + length));
  }

  noteRamWritten(address: bigint, length: number): void {
    this.core.noteRamWritten(Number(address) - RAM_BASE, length);
  }

  /** Ends every cached translation: for this core a write of satp does, as a plain sfence.vma would. */
  flushTranslations(): void {
    const { hart } = this.core;
    hart.writeCsr(SATP, hart.readCsr(SATP) ?? 0n);
  }

  private guestMemory(): GuestMemory {
    const { core } = this;
    return new GuestMemory({
      ram: core.ram,
      base: RAM_BASE,
      noteRamWritten: (offset, length) => core.noteRamWritten(offset, length),
    });
  }

  private resetParts(): void {
    this.core.reset();
    this.clock.reset();
    this.bus.reset();
  }

  private boot(): void {
    const { core, config, placement } = this;
    this.resetParts();
    loadPieces(core.ram, placement.pieces);
    placement.release();
    const isa = describeIsa(core.hart);
    const blob = buildDeviceTree({
      ramBytes: config.memory,
      isa: placement.bios ? withoutHardwareDirty(isa) : isa,
      append: config.append,
      initrd: placement.initrd,
      rngSeed: createRandom(config.seed).next(RNG_SEED_BYTES),
    });
    if (blob.length > DEVICE_TREE_BYTES) {
      throw new ConfigError(
        `append of ${config.append?.length ?? 0} characters is too long; keep it below 4096`,
      );
    }
    core.ram.set(blob, placement.deviceTree - RAM_BASE);
    core.noteRamWritten(0, core.ram.length);
    if (placement.bios) enterFirmware(core.hart, placement.bios.entry, placement.deviceTree);
    else if (placement.kernel) enterKernel(core.hart, placement.kernel.entry, placement.deviceTree);
  }
}

const hasFiles = ({ kernel, bios }: MachineConfig) => kernel !== undefined || bios !== undefined;
