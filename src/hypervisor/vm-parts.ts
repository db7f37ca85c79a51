import type { SentConfig } from '../worker/blob-file.ts';
import type { DriveSetup, ShareSetup } from '../worker/machine-control.ts';
import type { VmLimits } from './limits.ts';
import type { NetworkPlan } from './networks.ts';
import type { WorkerHandle } from './platform.ts';
import type { VirtualMachine } from './types.ts';

/** What a VM is made of, once the options have been understood. */
export interface VmParts {
  id: string;
  name: string;
  prompt: string | undefined;
  config: SentConfig;
  /** Buffers of `config` that may be transferred to the worker. */
  owned: ArrayBuffer[];
  maxInstructions: number | undefined;
  shares?: readonly ShareSetup[];
  drives?: readonly DriveSetup[];
  networks?: readonly NetworkPlan[];
  worker: WorkerHandle;
  /** What it may take of the host. */
  limits?: VmLimits;
  /** Saves a VM whose lease is over, before it is stopped. */
  saveAtLeaseEnd?: (vm: VirtualMachine) => Promise<void>;
  /** Use shared memory for console and figures; default: where it can be. */
  shared?: boolean;
}
