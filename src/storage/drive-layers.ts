// What an opened drive is made of, for those who save and restore machines.
import type { BlockBackend } from './block-backend.ts';
import type { MemoryBackend, MemoryContents } from './memory-backend.ts';
import type { OverlayBackend } from './overlay-backend.ts';

export interface DriveLayers {
  /** The drive itself, without what changes are kept apart. */
  base: BlockBackend;
  /** Stores in memory, gone with the worker: the base's, the overlay's, the snapshot's; those that there are. */
  memories: readonly MemoryBackend[];
  /** The overlay that outlives the machine, when it has one. */
  overlay?: OverlayBackend;
  /** True when the guest writes to the base itself, and that outlives the machine. */
  writesBase: boolean;
}

/** What a drive is to hold that is being opened again. */
export interface DriveRestore {
  /** As many as DriveLayers.memories had, in that order. */
  memories: readonly MemoryContents[];
  /** The snapshot of its overlay to go back to. */
  overlaySnapshot?: string;
  /** The snapshot that its overlay must still be at: nothing is taken back. */
  unmovedSince?: string;
}

const known = new WeakMap<BlockBackend, DriveLayers>();

/** Notes what a drive is made of. */
export function noteLayers(drive: BlockBackend, layers: DriveLayers): void {
  known.set(drive, layers);
}

/** What a drive that openDriveWith() opened is made of; any other is one that its guest writes to. */
export function layersOf(drive: BlockBackend): DriveLayers {
  return known.get(drive) ?? { base: drive, memories: [], writesBase: !drive.readonly };
}
