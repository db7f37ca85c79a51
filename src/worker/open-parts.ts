import type { MachineDrive, MachineParts, MachineShare } from '../machine/machine-types.ts';
import type { BlockBackend } from '../storage/block-backend.ts';
import type { DriveRestore } from '../storage/drive-layers.ts';
import { type DriveSpec, describeSource } from '../storage/drive-spec.ts';
import type { TreeOpener } from '../storage/tree/open-tree.ts';
import type { MachineSetup } from './machine-control.ts';

/** How a platform opens what a machine stands on. */
export interface Openers {
  openTree: TreeOpener;
  openDrive(spec: DriveSpec, restore?: DriveRestore): Promise<BlockBackend>;
}

/** What was opened for a machine, and how to give it up. */
export interface OpenedParts extends MachineParts {
  /** Opens what is attached to its shares later. */
  openTree?: TreeOpener;
  close(): Promise<void>;
}

/** What happens to the parts while the machine runs. */
export interface PartsEvents {
  /** A drive failed; once for each message. */
  onWarning(message: string): void;
  /** A drive has no room for what the guest wrote, and the guest is to be paused for it. */
  onFull(message: string, retry: () => void): void;
}

/**
 * Opens what a setup names; what was opened is closed again when a later part cannot be.
 * @param restores what its drives are to hold, when the machine goes on from a saved state
 * @throws {ShareError} with the share's tag before the reason; {StorageError} naming the drive
 */
export async function openParts(
  setup: MachineSetup,
  { openTree, openDrive }: Openers,
  { onWarning, onFull }: PartsEvents,
  restores: readonly DriveRestore[] = [],
): Promise<OpenedParts> {
  const shares: MachineShare[] = [];
  const drives: MachineDrive[] = [];
  const close = async () => {
    await Promise.all([
      ...shares.map(({ tree }) => tree.close()),
      ...drives.map(async ({ backend }) => backend.close()),
    ]);
  };
  const warned = new Set<string>();
  try {
    for (const { tag, tree } of setup.shares ?? []) {
      try {
        shares.push({ tag, tree: await openTree(tree) });
      } catch (error) {
        throw new ShareError(`share ${tag}: ${reasonOf(error)}`, { cause: error });
      }
    }
    for (const [index, { drive, serial, werror }] of (setup.drives ?? []).entries()) {
      const onError = (error: unknown) => {
        const message = `${describeSource(drive)}: ${reasonOf(error)}`;
        if (warned.has(message)) return;
        warned.add(message);
        onWarning(message);
      };
      const whenFull = (error: Error, retry: () => void) =>
        onFull(`${describeSource(drive)}: ${reasonOf(error)}`, retry);
      const backend = await openDrive(drive, restores[index]);
      drives.push({ backend, serial, onError, onFull: werror === 'enospc' ? whenFull : undefined });
    }
    return { shares, drives, close, openTree };
  } catch (error) {
    await close();
    throw error;
  }
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** A share cannot be opened. */
export class ShareError extends Error {
  override readonly name = 'ShareError';
}
