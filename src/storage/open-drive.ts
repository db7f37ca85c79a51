import type { BlockBackend } from './block-backend.ts';
import { type DriveSource, type DriveSpec, describeSource } from './drive-spec.ts';
import { LARGEST_BYTES } from './extent.ts';
import { MemoryBackend } from './memory-backend.ts';
import { OverlayBackend } from './overlay-backend.ts';
import { overlayStoreBytes } from './overlay-layout.ts';
import { ReadonlyView } from './readonly-view.ts';

/** Opens a source as the platform does; see open-drive-node.ts and open-drive-browser.ts. */
export type SourceOpener = (source: DriveSource, readonly: boolean) => Promise<BlockBackend>;

/**
 * Opens a drive with all it stands on; closing it closes them.
 * @throws {StorageError} locked, denied, corrupt, full or io, naming the part that failed
 */
export async function openDriveWith(openSource: SourceOpener, spec: DriveSpec): Promise<BlockBackend> {
  const isApart = spec.overlay !== undefined || spec.snapshot === true;
  const base = await openSource(spec, isApart || spec.readonly === true);
  if (!isApart) return base;
  let drive: BlockBackend = base;
  try {
    if (spec.overlay !== undefined) drive = await openOverlay(openSource, base, spec, spec.overlay);
    if (spec.snapshot === true) {
      const store = new MemoryBackend({ bytes: overlayStoreBytes(drive.bytes) });
      drive = await OverlayBackend.open(drive, store, { name: `the snapshot of ${describeSource(spec)}` });
    }
    return spec.readonly === true ? new ReadonlyView(drive, describeSource(spec)) : drive;
  } catch (error) {
    await drive.close();
    throw error;
  }
}

async function openOverlay(
  openSource: SourceOpener,
  base: BlockBackend,
  spec: DriveSpec,
  source: DriveSource,
): Promise<BlockBackend> {
  // An overlay needs a store of a certain size; stores take room only for what is written.
  const bytes = Math.min(LARGEST_BYTES, overlayStoreBytes(base.bytes, spec.overlayChunkBytes));
  const sized: DriveSource =
    source.kind === 'memory'
      ? { ...source, bytes: source.bytes ?? bytes }
      : source.kind === 'blob' || source.kind === 'http'
        ? source
        : { ...source, create: source.create ?? bytes };
  const store = await openSource(sized, false);
  try {
    return await OverlayBackend.open(base, store, {
      chunkBytes: spec.overlayChunkBytes,
      name: `the overlay ${describeSource(source)}`,
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}
