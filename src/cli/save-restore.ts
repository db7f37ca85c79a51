import { stat } from 'node:fs/promises';
import { FileError } from '../hypervisor/errors.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import { SnapshotError } from '../hypervisor/snapshot-error.ts';
import type { VirtualMachine, VmOptions } from '../hypervisor/types.ts';
import { writeWhole } from '../storage/htvm/snapshot-files-node.ts';
import { StorageError } from '../storage/storage-error.ts';

/**
 * Saves a machine to a file, or among the snapshots when none is named.
 * @returns what was done, in words
 * @throws {SnapshotError} {FileError} and the machine is as before, as is a file of that name
 */
export async function saveTo(vm: VirtualMachine, path: string | undefined): Promise<string> {
  const snapshot = await vm.snapshot({ store: path === undefined });
  if (path !== undefined) await writeFile(path, await snapshot.blob());
  const where = path ?? `snapshot ${snapshot.id.slice(0, 12)} (hypertab snapshot ls)`;
  return `${vm.name} is saved to ${where}: ${aboutSize(snapshot.bytes)}, it stood still for ${Math.ceil(snapshot.pauseMs)} ms`;
}

/** Bytes in MiB, rounded. */
export const aboutSize = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

/**
 * Writes a file whole or not at all.
 * @throws {FileError}
 */
export async function writeFile(path: string, contents: Blob): Promise<void> {
  try {
    await writeWhole(path, contents);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new FileError(`cannot write ${error.message}`, { cause: error });
  }
}

/**
 * Restores a machine from a file, or from the snapshot of that name or id.
 * @throws {SnapshotError} and what Hypervisor.restore() throws
 */
export async function restoreNamed(
  hypervisor: Hypervisor,
  name: string,
  { guest: _, append: __, noReboot: ___, snapshot: ____, ...options }: VmOptions,
): Promise<VirtualMachine> {
  const isFile = await stat(name).then(
    () => true,
    () => false,
  );
  if (isFile) return hypervisor.restore(name, options);
  const snapshot = await hypervisor.snapshots.get(name).catch((error: unknown) => {
    if (!(error instanceof SnapshotError) || error.fault !== 'missing') throw error;
    throw new SnapshotError('missing', `--restore: there is no file ${name}, and ${error.message}`);
  });
  return hypervisor.restore(snapshot, options);
}
