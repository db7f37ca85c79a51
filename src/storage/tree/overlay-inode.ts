import type { ByteString } from './byte-name.ts';
import type { FileSystem, Inode } from './file-system.ts';
import type { NameListing } from './name-listing.ts';

/** An inode of a layer. */
export interface LayerInode {
  readonly tree: FileSystem;
  readonly inode: Inode;
}

/** A file as an overlay shows it: what the upper layer has of it, and what the lower ones have. */
export class OverlayInode implements Inode {
  readonly number: number;
  readonly directory: boolean;
  /** In the layer that is written; absent until it is copied there. */
  upper: Inode | undefined;
  /** Of a directory all that are merged, the topmost first; of a file the one that is shown, or none. */
  lowers: readonly LayerInode[];
  /** Where it was last found. */
  parent: OverlayInode | undefined;
  name: ByteString;
  /** It has no name left. */
  removed = false;
  references = 0;
  listing: NameListing | undefined;

  constructor(
    number: number,
    directory: boolean,
    place: { parent: OverlayInode | undefined; name: ByteString },
    upper: Inode | undefined,
    lowers: readonly LayerInode[],
  ) {
    this.number = number;
    this.directory = directory;
    this.parent = place.parent;
    this.name = place.name;
    this.upper = upper;
    this.lowers = lowers;
  }
}

/** True when `inode` is `directory` or lies in it. */
export function isWithin(inode: OverlayInode, directory: OverlayInode): boolean {
  for (let at: OverlayInode | undefined = inode; at !== undefined; at = at.parent) {
    if (at === directory) return true;
  }
  return false;
}
