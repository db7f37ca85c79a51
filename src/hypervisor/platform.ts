import type { SnapshotFiles } from '../storage/htvm/snapshot-files.ts';
import type { WorkerHello } from '../worker/machine-control.ts';
import type { GuestResolver } from './types.ts';

/** A worker that runs one machine, however the platform makes it. */
export interface WorkerHandle {
  /** Posts the first message and transfers its port. */
  hello(message: WorkerHello): void;
  /** Called once when the worker breaks or ends by itself, not after terminate(). */
  onLost(listener: (error: Error) => void): void;
  terminate(): Promise<void>;
}

/** Starts a worker; `name` is for debuggers. */
export type WorkerFactory = (name: string) => WorkerHandle;

/** A worker whose loss is told, too, to who asks after it has happened. */
export function remembering(worker: WorkerHandle): WorkerHandle {
  let lost: Error | undefined;
  let tell: ((error: Error) => void) | undefined;
  worker.onLost((error) => {
    lost = error;
    tell?.(error);
  });
  return {
    ...worker,
    onLost: (listener) => {
      tell = listener;
      if (lost !== undefined) listener(lost);
    },
  };
}

/** What differs between a browser and Node. */
export interface Platform {
  startWorker: WorkerFactory;
  /** Compiles core.wasm. */
  loadCore(): Promise<WebAssembly.Module>;
  /**
   * Reads a whole file of at most `limit` bytes; as a blob where workers can read one at once.
   * @throws {FileError} saying what is wrong with it
   */
  readFile(source: string | URL | Blob, limit: number): Promise<Uint8Array<ArrayBuffer> | Blob>;
  /** Cores of the host. */
  cores(): number;
  /** SHA-256 of core.wasm in hex; '' where it cannot be told. */
  coreKey(): Promise<string>;
  /** Where snapshots are kept: those of the user, or what guests start from. */
  openSnapshots(kind: 'snapshots' | 'warm'): Promise<SnapshotFiles>;
  /** Finds prepared guests where this platform keeps them. */
  resolveGuest: GuestResolver;
}

/** The platform this code runs on. Only the module of that platform is loaded. */
export async function currentPlatform(): Promise<Platform> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (process?.versions?.node !== undefined) return (await import('./platform-node.ts')).nodePlatform;
  return (await import('./platform-browser.ts')).browserPlatform;
}
