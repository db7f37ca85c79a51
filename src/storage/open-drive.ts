import type { BlockBackend } from './block-backend.ts';
import { type DriveRestore, noteLayers } from './drive-layers.ts';
import { type DriveSource, type DriveSpec, describeSource } from './drive-spec.ts';
import { LARGEST_BYTES } from './extent.ts';
import { MemoryBackend, type MemoryContents } from './memory-backend.ts';
import { OverlayBackend } from './overlay-backend.ts';
import { overlayStoreBytes } from './overlay-layout.ts';
import { ReadonlyView } from './readonly-view.ts';
import { StorageError } from './storage-error.ts';

/** Opens a source as the platform does; see open-drive-node.ts and open-drive-browser.ts. */
export type SourceOpener = (source: DriveSource, readonly: boolean) => Promise<BlockBackend>;

/**
 * Opens a drive with all it stands on; closing it closes them.
 * @param restore what it is to hold: a drive of the same kinds held that before
 * @throws {StorageError} locked, denied, corrupt, full or io, naming the part that failed
 */
export async function openDriveWith(
  openSource: SourceOpener,
  spec: DriveSpec,
  restore?: DriveRestore,
): Promise<BlockBackend> {
  const name = describeSource(spec);
  const frozen = [...(restore?.memories ?? [])];
  const memories: MemoryBackend[] = [];
  const open = async (source: DriveSource, readonly: boolean): Promise<BlockBackend> => {
    const held = source.kind === 'memory' && restore !== undefined ? takeContents(frozen, name) : undefined;
    const backend =
      held === undefined ? await openSource(source, readonly) : new MemoryBackend({ frozen: held, readonly });
    if (backend instanceof MemoryBackend) memories.push(backend);
    return backend;
  };
  const isApart = spec.overlay !== undefined || spec.snapshot === true;
  const base = await open(spec, isApart || spec.readonly === true);
  let drive = base;
  let overlay: OverlayBackend | undefined;
  try {
    if (spec.overlay !== undefined) {
      const opened = await openOverlay(open, base, spec, spec.overlay);
      drive = opened;
      if (spec.overlay.kind !== 'memory') overlay = opened;
      if (restore?.overlaySnapshot !== undefined) await opened.restoreSnapshot(restore.overlaySnapshot);
      if (restore?.unmovedSince !== undefined) await demandUnmoved(opened, restore.unmovedSince, name);
    }
    if (spec.snapshot === true) {
      const bytes = overlayStoreBytes(drive.bytes);
      const store = restore === undefined ? new MemoryBackend({ bytes }) : frozenStore(frozen, bytes, name);
      memories.push(store);
      drive = await OverlayBackend.open(drive, store, { name: `the snapshot of ${name}` });
    }
    if (frozen.length > 0) throw otherLayers(name);
    if (isApart && spec.readonly === true) drive = new ReadonlyView(drive, name);
    noteLayers(drive, {
      base,
      memories,
      overlay,
      writesBase: !isApart && !base.readonly && !memories.includes(base as MemoryBackend),
    });
    return drive;
  } catch (error) {
    await drive.close();
    throw error;
  }
}

/** A drive has been written since the moment that a machine is to go on from. */
export class DriveMovedError extends StorageError {
  override name = 'DriveMovedError';
}

/** @throws {DriveMovedError} and what the overlay kept of that moment, which never comes back, is given up */
async function demandUnmoved(overlay: OverlayBackend, snapshot: string, name: string): Promise<void> {
  if (overlay.isAt(snapshot)) return;
  if (overlay.snapshots.includes(snapshot)) await overlay.deleteSnapshot(snapshot);
  throw new DriveMovedError('corrupt', `${name} has been written since the machine was saved`);
}

async function openOverlay(
  openSource: SourceOpener,
  base: BlockBackend,
  spec: DriveSpec,
  source: DriveSource,
): Promise<OverlayBackend> {
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

function takeContents(frozen: MemoryContents[], name: string): MemoryContents {
  const contents = frozen.shift();
  if (contents === undefined) throw otherLayers(name);
  return contents;
}

function frozenStore(frozen: MemoryContents[], bytes: number, name: string): MemoryBackend {
  const contents = takeContents(frozen, name);
  if (contents.bytes !== bytes) throw otherLayers(name);
  return new MemoryBackend({ frozen: contents });
}

function otherLayers(name: string): StorageError {
  return new StorageError(
    'corrupt',
    `${name} is not given as it was when the machine was saved (snapshot, overlay, size); give it the same way`,
  );
}
