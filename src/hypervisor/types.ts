// The public nouns of the library. `new Hypervisor()` in index.ts makes them real; page and command line use
// nothing else.
import type { Engine, MachineMemory, StopReason } from '../machine/machine-types.ts';
import type { EthernetSwitch, PortCounters } from '../network/ethernet-switch.ts';
import type { DriveSpec } from '../storage/drive-spec.ts';
import type { SetFile } from '../storage/tree/file-set.ts';
import type { TreeFile } from '../storage/tree/tree-files.ts';
import type { TreeSpec } from '../storage/tree/tree-spec.ts';
import type { DriveRates } from '../virtio/block/block-device.ts';
import type { WriteErrors } from '../worker/machine-control.ts';
import type { WorkerStats } from '../worker/stats-channel.ts';
import type { VmLimits } from './limits.ts';
import type { ShutdownOptions } from './shutdown.ts';
import type { CloneOptions, FreshSnapshot, SnapshotOptions, SnapshotProgress } from './snapshot-types.ts';

export type VmState = 'created' | 'running' | 'paused' | 'stopped' | 'destroyed';

/**
 * A file given as bytes, as a blob (a browser keeps it wherever it is and reads it at each power-on), or as an address
 * to fetch (browser) or path to read (Node); gzipped or not.
 */
export type FileSource = Uint8Array | Blob | string | URL;

/** Files shared with a guest. The tag is 1 to 36 letters, digits, dots, dashes and underscores. */
export type VmShare = { tag: string } & TreeSpec;

/** A drive. The guest finds its serial number (up to 20 bytes of ASCII) as /dev/disk/by-id/virtio-SERIAL. */
export type VmDrive = DriveSpec & {
  serial?: string;
  rates?: DriveRates;
  /**
   * What becomes of a guest that writes where there is no room (a full quota or disk). `report`, the default: it gets
   * an I/O error. `enospc`: it is paused, with a warning; resume() tries again.
   */
  werror?: WriteErrors;
};

/** What a network interface is plugged into; its MAC address is random when none is given. */
export type VmNetwork = EthernetSwitch | { network: EthernetSwitch; mac?: string };

/** A network interface of a VM. */
export interface VmInterface {
  /** As the guest has it when it starts: 02:00:00:12:34:56. */
  readonly mac: string;
  /** What passed its port of the switch: sent by the guest, received for it, and lost. */
  readonly counters: Readonly<PortCounters>;
}

export interface VmOptions extends VmLimits {
  /** A prepared guest by name; gives kernel, initrd, append and memory unless these are set here. */
  guest?: string;
  kernel?: FileSource;
  initrd?: FileSource;
  /**
   * True: kernel, initrd and bios that are given as bytes go to the machine without a copy; whoever gave them finds
   * the buffers empty afterwards, even when the machine cannot be made.
   */
  transfer?: boolean;
  append?: string;
  /** An M-mode program; 'none' (the default): the machine answers SBI itself. */
  bios?: 'none' | FileSource;
  /** Bytes, or a size in QEMU's and Docker's units: 256M, 1G. Default: the guest's, else 128M. */
  memory?: number | string;
  engine?: Engine;
  /** Trees of files that the guest mounts by their tags; our own guests show them at /mnt/TAG. */
  shares?: readonly VmShare[];
  /** Drives, which the guest finds in this order as /dev/vda and so on, its own before them; at most 16 in all. */
  drives?: readonly VmDrive[];
  /** Networks that the VM is in, by an interface each (eth0 and so on); at most 4. Default: none. */
  network?: VmNetwork | readonly VmNetwork[];
  /** Terminals beside the serial console, 0 (the default) to 8: console(1) is /dev/hvc0, and so on. */
  consoles?: number;
  /** Channels of bytes to programs in the guest, 0 (the default) to 4: channel(0) is the port hypertab.channel0. */
  channels?: number;
  /** True: the guest's own drives are as they were prepared, and what it writes to them is lost at the end. */
  snapshot?: boolean;
  /** Shown to people; default: the guest's name. */
  name?: string;
  maxInstructions?: number;
  clock?: 'host' | 'instructions';
  seed?: number;
  /** True: stop with reason 'reboot' when the guest asks for a reboot, instead of following it. */
  noReboot?: boolean;
}

export interface VmStats extends WorkerStats {
  state: VmState;
  /** Milliseconds since start(), without pauses. */
  elapsedMs: number;
  /** Million instructions per second over the last measured window (about half a second); 0 while idle. */
  mips: number;
  /** Share of one host core over that window, 0 to 1. */
  cpu: number;
  /** Bytes a second over that window: of drives, and of network interfaces to and from the guest. */
  driveReadRate: number;
  driveWriteRate: number;
  receiveRate: number;
  transmitRate: number;
  /** Bytes of guest RAM configured. */
  memory: number;
}

export interface VmEvents {
  state: { state: VmState; reason?: StopReason };
  /** The worker is gone or broke: the VM is lost, others are not. */
  error: { error: Error };
  /** Why the guest met an error that it cannot know the reason of: a drive that fails, a quota that is used up. */
  warning: { message: string };
  /** Files of a share in memory have changed, by the guest or from here; told five times a second at most. */
  share: { tag: string };
  stats: VmStats;
  reset: Record<string, never>;
  /** How far a snapshot of it is. */
  saving: SnapshotProgress;
  /** Its lease ends in so many milliseconds; update({ lease }) gives it another one. */
  lease: { remainingMs: number };
}

/** A terminal of a VM. Console 0 is the serial port, console N is /dev/hvc(N - 1). */
export interface VmConsole {
  /** Sends what a person typed. Strings are UTF-8. */
  write(data: Uint8Array | string): void;
  /**
   * Called with every byte the guest writes from now on; returns a function that ends it. While a promise that
   * the listener returns is pending, the guest's output is held back (and the guest, once 1 MiB waits).
   */
  onData(listener: (data: Uint8Array) => void | Promise<void>): () => void;
  /**
   * Tells the guest how large the terminal is, in characters; its tty follows at once. The serial port has no way to
   * tell, and stays as it is.
   */
  resize(columns: number, rows: number): void;
  /** Bytes typed in all, but for what terminals answer by themselves. */
  readonly typed: number;
  /** Typed bytes the guest's machine has not taken yet: hold back more while this is large. */
  readonly pending: number;
  /** What the guest has written since power-on (the last 256 KiB), for a console that attaches late. */
  readonly backlog: Uint8Array;
}

/**
 * The files of one share, for the host. Paths have no slash at either end, and are below the share's root, which our own
 * guests show as /mnt/TAG. Calls reject with FileError, which says which file and why.
 */
export interface VmFolder {
  readonly tag: string;
  /**
   * Puts files in, with the directories on their paths; the guest sees them at once, and one in the place of another
   * within a second. Blobs are read when the guest reads them. Needs { kind: 'memory', shared: true }.
   */
  add(files: readonly SetFile[]): Promise<void>;
  /** Makes a directory with those above it, where it is not there. Needs what add() needs. */
  makeDirectory(path: string): Promise<void>;
  /** The regular files in a directory (default: the root) and below it, at most 1,000; links are not followed. */
  list(path?: string): Promise<TreeFile[]>;
  /** The contents of a regular file, at most 2 GiB. */
  read(path: string): Promise<Blob>;
  /**
   * Makes another tree a subdirectory, for good or until detach(); a name can be used once only. Needs { kind: 'mounts' }.
   */
  attach(name: string, tree: TreeSpec): Promise<void>;
  /** Takes a tree away that attach() brought; what the guest still has of it is gone (ESTALE). */
  detach(name: string): Promise<void>;
}

export interface VirtualMachine {
  readonly id: string;
  readonly name: string;
  readonly state: VmState;
  /** Set once state is 'stopped'. */
  readonly reason: StopReason | undefined;
  /** It went on from a saved machine when it was started: what its console shows is in the console's backlog. */
  readonly isRestored: boolean;
  /** What the guest's prompt looks like, when its catalogue entry says so. */
  readonly prompt: string | undefined;
  /** Starts a VM that was created, or one that has stopped (a power cycle); no-op while it runs. */
  start(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Power cycle: RAM cleared, images loaded again, starts at once. */
  reset(): Promise<void>;
  /**
   * Presses the power button: the guest is asked to end its programs, write what it has to write and power off.
   * Resolves with the reason it stopped for; rejects with TimeoutError when it has not in time.
   */
  shutdown(options?: ShutdownOptions): Promise<StopReason>;
  /** A break on the serial line with what is typed right behind it: Linux takes a letter there for a magic SysRq. */
  sendBreak(behind?: string): Promise<void>;
  /**
   * Saves the machine, which stands still for a moment and then runs on while it is packed and stored. Rejects with
   * SnapshotError, and what was kept before is as it was.
   */
  snapshot(options?: SnapshotOptions): Promise<FreshSnapshot>;
  /** Makes another VM that goes on, with start(), from where this one is now, which runs on. */
  clone(options?: CloneOptions): Promise<VirtualMachine>;
  /** Changes limits, at once; those that are not named stay. Rejects with OptionError, and nothing is changed. */
  update(limits: VmLimits): Promise<void>;
  /** What it may take of the host now. */
  readonly limits: Required<VmLimits>;
  /** Milliseconds left of its lease; undefined without one, or while it is stopped. */
  readonly leaseRemainingMs: number | undefined;
  /** Pulls the plug: the VM stops now. */
  powerOff(): Promise<void>;
  /** Ends the worker and frees its memory. */
  destroy(): Promise<void>;
  stats(): Promise<VmStats>;
  /**
   * Asks the guest to give up so much of its memory: bytes, or a size like 64M; 0 gives it back. It needs the driver
   * of virtio-balloon, and follows within seconds as far as it can spare it.
   */
  setBalloon(size: number | string): Promise<void>;
  /** What the guest has given up, and what it says of its memory: figures of the last call, new ones are asked for. */
  memory(): Promise<MachineMemory | undefined>;
  /** Consoles 0 to VmOptions.consoles. Throws OptionError when there is none of that number. */
  console(index?: number): VmConsole;
  /** Channels 0 to VmOptions.channels - 1; they have no size. Throws OptionError when there is none of that number. */
  channel(index?: number): VmConsole;
  /** Its network interfaces, in the order of VmOptions.network. */
  readonly interfaces: readonly VmInterface[];
  /** Its shares by their tags, for files to go in and out while the guest runs. */
  readonly shares: ReadonlyMap<string, VmFolder>;
  /** A bare-metal ELF's signature region, as 32-bit words. */
  signature(): Promise<Uint32Array | undefined>;
  /** Resolves with the reason once the VM has stopped. */
  wait(): Promise<StopReason>;
  on<K extends keyof VmEvents>(event: K, listener: (value: VmEvents[K]) => void): () => void;
}

/** Where a prepared guest's files are. */
export interface GuestFiles {
  name: string;
  /** Another one when the guest is made anew: what a warm start is kept for. */
  key?: string;
  title: string;
  description: string;
  /** Bytes of RAM it wants. */
  memory: number;
  append?: string;
  kernel?: FileSource;
  initrd?: FileSource;
  bios?: FileSource;
  /** The guest's own drives. */
  drives?: readonly VmDrive[];
  /** What the prompt looks like (the last bytes on the console), for --exec and boot_ms. */
  prompt?: string;
}

/** Finds a guest by name; the page's looks at the server, Node's at the build folder. Rejects with a typed error. */
export type GuestResolver = (name: string) => Promise<GuestFiles>;
