// What passes between a VM object and its worker: calls (through Comlink), events, and the ends of the channels.
import type { MachineMemory, StopReason } from '../machine/machine-types.ts';
import type { DriveSpec } from '../storage/drive-spec.ts';
import type { SetFile } from '../storage/tree/file-set.ts';
import type { TreeFile } from '../storage/tree/tree-files.ts';
import type { TreeSpec } from '../storage/tree/tree-spec.ts';
import type { DriveRates } from '../virtio/block/block-device.ts';
import type { NetworkRates } from '../virtio/net/net-device.ts';
import type { SentConfig } from './blob-file.ts';
import type { ChannelEnd } from './byte-channel.ts';
import type { CpuPlan } from './cpu-share.ts';
import type { RestoreSource } from './machine-restorer.ts';
import type { MachineCopy, SavedMachine, SaveRequest } from './machine-saver.ts';
import type { StatsEnd, StatsSample, WorkerStats } from './stats-channel.ts';

/** A tree to open, and the tag the guest is to know it by. */
export interface ShareSetup {
  tag: string;
  tree: TreeSpec;
}

/** A drive to open, and the serial number the guest is to see. */
export interface DriveSetup {
  drive: DriveSpec;
  serial?: string;
  werror?: WriteErrors;
}

/**
 * What becomes of a guest that writes where there is no room, in QEMU's words: an I/O error, or a pause, after which
 * what it wrote is tried again.
 */
export type WriteErrors = 'report' | 'enospc';

/** A network interface, and the ends of its cable. */
export interface NetworkSetup {
  mac: Uint8Array;
  mtu: number;
  /** Frames of the guest. */
  out: ChannelEnd;
  /** Frames for the guest. */
  in: ChannelEnd;
}

/** Where a terminal's bytes go and come from. */
export interface TerminalEnds {
  out: ChannelEnd;
  in: ChannelEnd;
}

/** Everything a worker needs to make its machine; the ports in it are transferred. */
export interface MachineSetup {
  config: SentConfig;
  maxInstructions?: number;
  /** Goes on from here instead of booting; `config` is that of the machine that was saved. */
  restore?: RestoreSource;
  /** What the worker opens before it makes the machine. */
  shares?: readonly ShareSetup[];
  drives?: readonly DriveSetup[];
  /** Terminals beside the serial console, as many as the configuration says. */
  terminals?: readonly TerminalEnds[];
  networks?: readonly NetworkSetup[];
  /** Bytes the guest writes to its serial console. */
  consoleOut: ChannelEnd;
  /** Bytes typed. */
  consoleIn: ChannelEnd;
  stats: StatsEnd;
  /** Carries WorkerEvent. */
  events: MessagePort;
}

/** What a worker tells without being asked. */
export type WorkerEvent =
  /** `consoleBytes`: all the guest has ever written to each console, so that the page can wait for the last of it. */
  | { type: 'stopped'; run: number; reason: StopReason; consoleBytes: readonly number[] }
  /** The machine broke in a way that is not the guest's fault. */
  | { type: 'failed'; run: number; message: string }
  /** `consoleBytes`: those written to each console before it. */
  | { type: 'reset'; consoleBytes: readonly number[] }
  /** Something that the guest only knows as an error, in words for people. */
  | { type: 'warning'; message: string }
  /** The machine has paused itself: a drive has no room for what the guest wrote. */
  | { type: 'full'; run: number; message: string }
  /** Bytes of RAM of a machine that is being saved that have been packed. */
  | { type: 'saving'; id: string; done: number; total: number }
  /** Files of a share in memory have changed since the last telling. */
  | { type: 'share'; tag: string }
  | { type: 'stats'; sample: StatsSample };

/** The calls a worker answers. */
export interface MachineControl {
  /** Makes the machine; rejects with the loader's error (its name and message survive, its class does not). */
  create(setup: MachineSetup): Promise<void>;
  /**
   * `run` numbers the power cycles: what a worker tells about an earlier one is out of date. Rejects, as reset() does,
   * when the machine's files cannot be loaded again.
   * @returns the bytes written to each console before this power cycle
   */
  start(run: number): readonly number[];
  pause(): void;
  resume(): void;
  /** As start(). */
  reset(run: number): readonly number[];
  powerOff(): void;
  /** Stops the machine for good, ends every write under way, and gives up files and locks. */
  close(): Promise<void>;
  stats(): WorkerStats;
  setBalloon(bytes: number): void;
  /** What the machine may take of the host's cores. */
  setCpu(plan: CpuPlan): void;
  /** Rates of a drive and of a network interface, by its place. */
  setDriveRates(index: number, rates: DriveRates): void;
  setNetworkRates(index: number, rates: NetworkRates): void;
  /** A break on the serial line, with bytes behind it. */
  sendBreak(behind: Uint8Array): void;
  /** The size of a terminal in characters; 0 is the first beside the serial console. */
  resizeTerminal(index: number, columns: number, rows: number): void;
  /** Saves the machine, which stands still for a moment; rejects when it has stopped. */
  saveMachine(request: SaveRequest): Promise<SavedMachine>;
  /** A saved machine has been stored, or not: see MachineSaver. */
  keepSaved(id: string): void;
  discardSaved(id: string): Promise<void>;
  /** Copies the machine for another worker. */
  copyMachine(): Promise<MachineCopy>;
  /** Files to boot from at the next reset, of a machine that was made without. */
  provideFiles(files: Pick<SentConfig, 'kernel' | 'initrd'>): void;
  memory(): MachineMemory | undefined;
  signature(): Uint32Array | undefined;
  /** Of the share with that tag; these reject with a FolderError. */
  addFiles(tag: string, files: readonly SetFile[]): void;
  makeDirectory(tag: string, path: string): void;
  listFiles(tag: string, path: string): Promise<TreeFile[]>;
  readFile(tag: string, path: string): Promise<Blob>;
  /** Of a share of kind 'mounts': makes a tree one of its subdirectories, and takes it away again. */
  attachTree(tag: string, name: string, tree: TreeSpec): Promise<void>;
  detachTree(tag: string, name: string): Promise<void>;
}

/** The first and only message a worker gets on its own port: where the calls come in. */
export interface WorkerHello {
  port: MessagePort;
  /** A Web Lock to hold for life: a browser tells nobody that a worker has ended, but passes its locks on. */
  lock?: string;
}
