// Finds what a VM is restored from.
import { HtvmFile } from '../storage/htvm/htvm-reader.ts';
import { SnapshotError, snapshotError } from './snapshot-error.ts';
import type { Snapshot } from './snapshot-types.ts';
import type { Snapshots } from './snapshots.ts';
import type { FileSource } from './types.ts';
import type { RestoredState } from './vm-parts.ts';
import { consoleSection } from './vm-saving.ts';

/** Largest file that is read, in bytes: 3 GiB of RAM and as much beside it. */
export const LARGEST_SNAPSHOT = 6 * 1024 ** 3;

/** What is asked to be restored. */
export type RestoreFrom = Snapshot | FileSource;

/** A file with all that it stands on, the lowest first. */
export interface OpenedSnapshot {
  chain: HtvmFile[];
  /** Nobody else has the bytes: they may be transferred. */
  owned: boolean;
  /** It is kept in the store. */
  stored: boolean;
  /** It is a warm start: drives must be as they were, instead of being taken back. */
  warm?: boolean;
}

const isSnapshot = (source: RestoreFrom): source is Snapshot =>
  typeof source === 'object' && 'created' in source && 'blob' in source;

/**
 * Opens a snapshot, a file or bytes of one, and what it stands on from the store.
 * @throws {SnapshotError}
 */
export async function openSnapshot(
  source: RestoreFrom,
  snapshots: Snapshots,
  readFile: (path: string) => Promise<Uint8Array | Blob>,
): Promise<OpenedSnapshot> {
  try {
    if (isSnapshot(source)) {
      const chain = await snapshots.chainOf(source.id);
      if (chain !== undefined) return { chain, owned: true, stored: true };
      const file = await HtvmFile.open(await source.blob(), `snapshot ${source.name}`);
      return { chain: [file], owned: false, stored: false };
    }
    const isAddress = typeof source === 'string' || source instanceof URL;
    const bytes = isAddress ? await readFile(String(source)) : source;
    const file = await HtvmFile.open(bytes, isAddress ? String(source) : 'the file');
    const { id, parent } = file.manifest;
    const chain = parent === undefined ? [file] : await snapshots.chain(id, file);
    return { chain, owned: isAddress, stored: false };
  } catch (error) {
    throw snapshotError(error);
  }
}

/** What a VM needs of an opened snapshot. */
export async function restoredState({ chain, owned, stored, warm }: OpenedSnapshot): Promise<RestoredState> {
  const last = chain.at(-1);
  if (last === undefined) throw new SnapshotError('missing', 'there is no snapshot to restore');
  const consoles: Uint8Array[] = [];
  try {
    while (last.has(consoleSection(consoles.length)))
      consoles.push(await last.read(consoleSection(consoles.length)));
  } catch (error) {
    throw snapshotError(error);
  }
  const files = chain.map(({ source, name, isOwn }) => ({ bytes: source, name, isOwn }));
  const buffers = files.flatMap(({ bytes }) =>
    owned && bytes instanceof Uint8Array && bytes.byteLength === bytes.buffer.byteLength
      ? [bytes.buffer as ArrayBuffer]
      : [],
  );
  return {
    source: { kind: 'files', files, warm },
    owned: buffers,
    // What is read is a part of the file, which is about to be transferred.
    consoles: consoles.map((tail) => tail.slice()),
    ...(stored && { stored: last.manifest.id }),
  };
}
