import type { CoreCounters } from '../core/core-types.ts';
import type { FrameLink } from '../network/frame-link.ts';
import type { BlockBackend } from '../storage/block-backend.ts';
import type { FileSystem } from '../storage/tree/file-system.ts';
import type { GuestMemoryStats } from '../virtio/balloon.ts';
import type { DriveRates } from '../virtio/block/block-device.ts';
import type { NetworkRates } from '../virtio/net/net-device.ts';
import type { StoredFile } from './boot-file.ts';
import type { IoCounters } from './io-counters.ts';
import type { MachineStateApi } from './machine-state.ts';

/** Everything a board needs before it can run. Byte arrays are whole files, gzipped or not, and kept for resets. */
export interface MachineConfig {
  /** Compiled core.wasm. */
  core: WebAssembly.Module;
  /** Guest RAM in bytes (16 MiB to 3 GiB, a multiple of 1 MiB). */
  memory: number;
  /** A RISC-V Linux `Image` or an ELF64, entered in S-mode with a0 = hartid, a1 = device tree. */
  kernel?: Uint8Array | StoredFile;
  initrd?: Uint8Array | StoredFile;
  /** Kernel command line. */
  append?: string;
  /** An M-mode program (ELF64 or raw binary at 0x8000_0000), entered in M-mode; a kernel is then its payload. */
  bios?: Uint8Array | StoredFile;
  engine: Engine;
  /** Wall clock (default) or a clock that advances with the instructions executed. */
  clock?: 'host' | 'instructions';
  /** Seed of the device tree's rng-seed and of every device that needs randomness; absent: the host's CSPRNG. */
  seed?: number;
  /** True: a reboot asked for by the guest ends the run with reason 'reboot'; otherwise the machine follows it. */
  noReboot?: boolean;
  /** Where virtio devices are: PCI (default), or the slots of virtio-mmio. */
  virtio?: 'pci' | 'mmio';
  /**
   * True: nothing is loaded at first, because the machine goes on from a saved state. Kernel and initrd are then not
   * needed before its first reset: see MachineApi.provideFiles.
   */
  standby?: boolean;
  /** Terminals beside the serial console: /dev/hvc0 and so on. Default: none. */
  consoles?: number;
  /** Channels of bytes for programs, without a terminal's ways: /dev/vportNpM, named hypertab.channel0 and so on. */
  channels?: number;
}

/** What a machine stands on that cannot be sent to its worker: the worker opens it before it builds the machine. */
export interface MachineParts {
  /** In this order the guest finds them as /dev/vda, /dev/vdb and so on. */
  drives?: readonly MachineDrive[];
  /** Trees of files that the guest mounts by their tags. */
  shares?: readonly MachineShare[];
  /** Network interfaces, in this order. */
  networks?: readonly MachineNetwork[];
}

/** A network interface and what it is plugged into. */
export interface MachineNetwork {
  /** Six bytes. */
  mac: Uint8Array;
  /** Bytes of the largest packet. */
  mtu: number;
  link: FrameLink;
}

/** A terminal of the guest's beside the serial console. */
export interface MachineTerminal {
  /** Called with bytes the guest wrote. */
  onOutput: (bytes: Uint8Array) => void;
  /** Bytes typed. Queued without limit; the guest reads at its pace. */
  type(bytes: Uint8Array): void;
  /** Typed bytes that the guest has not read yet. */
  readonly inputPending: number;
  /** The terminal's size in characters, each 1 to 65,535: the guest's tty follows. */
  resize(columns: number, rows: number): void;
}

/** A tree of files under the tag the guest knows it by (1 to 36 bytes of UTF-8). */
export interface MachineShare {
  tag: string;
  tree: FileSystem;
}

/** A drive that has been opened. */
export interface MachineDrive {
  backend: BlockBackend;
  /** Up to 20 bytes of ASCII; default: drive0, drive1 and so on. */
  serial?: string;
  /** Told of every failure of the back end. */
  onError?: (error: unknown) => void;
  /** There is no room for what the guest writes: it waits for `retry`. Absent: the guest gets an I/O error. */
  onFull?: (error: Error, retry: () => void) => void;
}

/** `auto` picks the fastest that is there. */
export type Engine = 'auto' | 'interpreter' | 'translator';

/** Why a machine stopped for good. */
export type StopReason =
  | { kind: 'poweroff' }
  | { kind: 'reboot' } // asked for by the guest and not followed (the machine follows it by default)
  | { kind: 'exit'; code: number } // HTIF, or syscon's fail code
  | { kind: 'panic'; message: string } // the guest's kernel gave up
  | { kind: 'fault'; message: string } // the hart can never make progress again (double fault, jump into nowhere)
  | { kind: 'limit'; message: string }; // --max-instructions

/** What `runSlice` says the host should do next. */
export type SliceResult =
  | { state: 'running' }
  /** Nothing to do until an input arrives or `wakeInMs` milliseconds have passed (Infinity: until an input). */
  | { state: 'idle'; wakeInMs: number }
  | { state: 'stopped'; reason: StopReason };

/** Figures of a machine since its last reset. */
export interface MachineStats extends CoreCounters, IoCounters {
  engine: 'interpreter' | 'translator';
  /** Milliseconds spent executing guest code (not idle). */
  busyMs: number;
  /** SBI calls answered by the machine: times that the core was left for one. */
  sbiCalls: number;
  /** Times that the core was left because the guest waited, used up its budget, or a device asked for it. */
  wfiExits: number;
  budgetExits: number;
  requestedExits: number;
  /** Bytes of the core's memory, guest RAM and its own tables, in pages that hold anything; found step by step. */
  residentBytes: number;
}

/** Memory that the guest has given back, and what it says of the rest. All in bytes. */
export interface MachineMemory {
  /** What it was asked to give up, and what it has. */
  balloonTarget: number;
  balloonActual: number;
  /** Free memory that it has reported since power-on; the same page may be in it many times. */
  reportedFree: number;
  /** The guest's own figures; undefined while its driver has sent none. */
  guest?: GuestMemoryStats;
}

/** One board: hart, RAM, devices. Synchronous; the worker drives it slice by slice. */
export interface MachineApi extends Partial<MachineStateApi> {
  /** Executes for about `milliseconds`, less when the guest idles or stops. */
  runSlice(milliseconds: number): SliceResult;
  /** Bytes typed into the serial console. Queued without limit of the UART's FIFO; the guest reads at its pace. */
  consoleInput(bytes: Uint8Array): void;
  /** Called with bytes the guest wrote to the serial console (batched per slice at least). */
  onConsoleOutput: (bytes: Uint8Array) => void;
  /** Typed bytes that the guest has not read yet: the host holds back more while this is large. */
  readonly consoleInputPending?: number;
  /** Terminals beside the serial console, as many as MachineConfig.consoles says, and then its channels. */
  readonly terminals?: readonly MachineTerminal[];
  /** Called when the machine has followed a reboot the guest asked for. */
  onReset?: () => void;
  /** Called when an idle machine has something to do: a device has finished work, or raised an interrupt. */
  onWake?: () => void;
  /** The machine is paused: its time stands still until resumeTime(). */
  suspend(): void;
  /** Time goes on where suspend() stopped it. Without a suspend() before it, it does nothing. */
  resumeTime(): void;
  /** Power-on state: RAM zeroed, images loaded again, devices reset. Throws when an image has been damaged since. */
  reset(): void;
  /** What a machine that was made without files is to boot from at its next reset. Throws as its making would. */
  provideFiles?(files: Pick<MachineConfig, 'kernel' | 'initrd'>): void;
  /** False while such a machine has none: reset() throws. */
  readonly canReset?: boolean;
  /** Tells the guest that it is a copy, or goes on from an earlier state: its kernel renews its random numbers. */
  renewGeneration?(): void;
  /** Stops before the given total of instructions is exceeded; undefined for no limit. */
  setInstructionLimit(limit: number | undefined): void;
  stats(): MachineStats;
  /** Asks the guest to give up so many bytes of its memory (virtio-balloon); it follows as far as it can. */
  setBalloon?(bytes: number): void;
  /** Rates that a drive or a network interface keeps to from now on, by its place among its kind. */
  setDriveRates?(index: number, rates: DriveRates): void;
  setNetworkRates?(index: number, rates: NetworkRates): void;
  /** A break on the serial line, behind what was typed before, and bytes right behind it. */
  sendBreak?(behind?: Uint8Array): void;
  /** Memory as balloon and guest tell; asks the guest for new figures, which a later call has. */
  memory?(): MachineMemory;
  /** [begin_signature, end_signature) of a bare-metal ELF, as 32-bit words; undefined when it has none. */
  signature(): Uint32Array | undefined;
}
