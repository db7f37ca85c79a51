import type { DebianRepository, FetchedPackage } from './debian-repository-node.ts';
import type { GuestFile, GuestManifest } from './guest-types.ts';
import type { ProgressListener } from './progress.ts';

/** A machine that is booted while a guest is made, until it powers itself off. Files are paths. */
export interface MachineJob {
  kernel: string;
  initrd: string;
  append: string;
  /** Bytes of RAM. */
  memory: number;
  /** A raw image, /dev/vda in the guest. */
  disk: string;
  signal: AbortSignal | undefined;
  /** Called with each line on its console. */
  onLine: (line: string) => void;
}

/** Boots machines for recipes; given from above, where machines are known. */
export type MachineRunner = (job: MachineJob) => Promise<void>;

/** A boot up to the prompt, to see what it reads of its disk; nothing is written to that. */
export interface ReadsJob extends Omit<MachineJob, 'onLine'> {
  prompt: string;
}

/** Answers where a boot reads the disk, in bytes, in that order. Given from above. */
export type ReadsRecorder = (job: ReadsJob) => Promise<number[]>;

/** What a recipe works with. */
export interface Kitchen {
  /** The folder in which the guest's files are to be written. */
  folder: string;
  cacheDir: string;
  onProgress: ProgressListener;
  signal: AbortSignal | undefined;
  /** The guest of that name that is there and is to be replaced. */
  present: { folder: string; manifest: GuestManifest } | undefined;
  /** To be called before a drive is made in place of that guest's; fails when a user has written to it. */
  checkDisk(): Promise<void>;
  runMachine: MachineRunner | undefined;
  recordReads: ReadsRecorder | undefined;
  /** The Debian archive, opened at the first call. */
  repository(): Promise<DebianRepository>;
  /** Fetches a package and notes it as a source of the guest. */
  fetch(name: string): Promise<FetchedPackage>;
  /** Writes a file of the guest, and its gzipped twin. */
  write(name: string, data: Uint8Array): Promise<GuestFile>;
}

/** How a guest is made. */
export interface Recipe {
  /** Everything of ours that goes into the guest, as text: when it changes, a prepared guest is made anew. */
  inputs(): Promise<string>;
  make(kitchen: Kitchen): Promise<GuestManifest['files']>;
}
