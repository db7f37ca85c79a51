import type { MachineParts, MachineShare } from '../machine/machine-types.ts';
import type { TreeOpener } from '../storage/tree/open-tree.ts';
import type { MachineSetup } from './machine-control.ts';

/**
 * Opens what a setup names; what was opened is closed again when a later part cannot be.
 * @throws {FileSystemError} with the share's tag before the reason
 */
export async function openParts(setup: MachineSetup, openTree: TreeOpener): Promise<MachineParts> {
  const shares: MachineShare[] = [];
  try {
    for (const { tag, tree } of setup.shares ?? []) {
      try {
        shares.push({ tag, tree: await openTree(tree) });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new ShareError(`share ${tag}: ${why}`, { cause: error });
      }
    }
    return { shares };
  } catch (error) {
    await Promise.all(shares.map(({ tree }) => tree.close()));
    throw error;
  }
}

/** A share cannot be opened. */
export class ShareError extends Error {
  override readonly name = 'ShareError';
}
