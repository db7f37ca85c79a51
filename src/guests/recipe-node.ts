import type { DebianRepository, FetchedPackage } from './debian-repository-node.ts';
import type { GuestFile, GuestManifest } from './guest-types.ts';
import type { ProgressListener } from './progress.ts';

/** What a recipe works with. */
export interface Kitchen {
  /** The folder in which the guest's files are to be written. */
  folder: string;
  cacheDir: string;
  onProgress: ProgressListener;
  signal: AbortSignal | undefined;
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
