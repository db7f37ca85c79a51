import type { SentConfig } from '../worker/blob-file.ts';
import type { DriveSetup, ShareSetup } from '../worker/machine-control.ts';
import type { RestoreSource } from '../worker/machine-restorer.ts';
import type { MachineCopy } from '../worker/machine-saver.ts';
import type { VmLimits } from './limits.ts';
import type { NetworkPlan } from './networks.ts';
import type { WorkerHandle } from './platform.ts';
import type { CloneOptions } from './snapshot-types.ts';
import type { Snapshots } from './snapshots.ts';
import type { VirtualMachine } from './types.ts';

/** Files to boot from, and buffers of them that may be transferred. */
export interface BootFiles {
  files: Pick<SentConfig, 'kernel' | 'initrd' | 'bios'>;
  owned: ArrayBuffer[];
}

/** What a VM goes on from. */
export interface RestoredState {
  source: RestoreSource;
  /** Buffers of `source` that may be transferred to the worker. */
  owned: ArrayBuffer[];
  consoles: readonly Uint8Array[];
  /** The stored snapshot that later ones can be increments of. */
  stored?: string;
}

/** A machine that was copied, and what its consoles showed. */
export interface TakenCopy {
  copy: MachineCopy;
  consoles: readonly Uint8Array[];
}

/** What a VM is made of, once the options have been understood. */
export interface VmParts {
  id: string;
  name: string;
  prompt: string | undefined;
  /** The guest by whose name it was made, and what tells its versions apart. */
  guest?: { name: string; key: string };
  /** True when it runs firmware in M-mode. */
  firmware: boolean;
  /** Goes on from a saved machine: what its consoles showed, and where its state is. */
  restore?: RestoredState;
  /** Reads the files to boot from again: for a machine that was made without, and for clones. */
  bootFiles: () => Promise<BootFiles>;
  config: SentConfig;
  /** Buffers of `config` that may be transferred to the worker. */
  owned: ArrayBuffer[];
  maxInstructions: number | undefined;
  shares?: readonly ShareSetup[];
  drives?: readonly DriveSetup[];
  networks?: readonly NetworkPlan[];
  worker: WorkerHandle;
  /** Where its snapshots are kept. */
  snapshots: Snapshots;
  /** Makes another VM of a copy of this one's machine, which is taken when all is ready for it. */
  clone: (take: () => Promise<TakenCopy>, options: CloneOptions) => Promise<VirtualMachine>;
  /** What it may take of the host. */
  limits?: VmLimits;
  /** Saves a VM whose lease is over, before it is stopped. */
  saveAtLeaseEnd?: (vm: VirtualMachine) => Promise<void>;
  /** Use shared memory for console and figures; default: where it can be. */
  shared?: boolean;
}
