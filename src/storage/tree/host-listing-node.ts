import { lstatSync, readdirSync } from 'node:fs';
import type { ByteString } from './byte-name.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from './file-mode.ts';
import type { HostDescriptors, HostInode } from './host-inode-node.ts';
import type { HostMetadata } from './host-metadata-node.ts';
import { NameListing } from './name-listing.ts';

/** Reads the names of a directory as they are now into its listing; those known already keep their cookies. */
export function refreshListing(
  directory: HostInode,
  descriptors: HostDescriptors,
  metadata: HostMetadata,
  isHidden: (name: ByteString) => boolean,
): void {
  const found = new Map<ByteString, number>();
  const options = { encoding: 'latin1', withFileTypes: true } as const;
  for (const entry of readdirSync(descriptors.pathOf(directory), options)) {
    const { name } = entry;
    if (isHidden(name)) continue;
    let mode = S_IFREG;
    if (entry.isDirectory()) mode = S_IFDIR;
    else if (entry.isSymbolicLink()) mode = S_IFLNK;
    else if (!entry.isFile() || metadata.hasSpecialFiles) {
      const path = descriptors.at(directory, name);
      const info = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (info === undefined) continue;
      mode = metadata.describe(info).mode & S_IFMT;
    }
    found.set(name, mode);
  }
  directory.listing ??= new NameListing();
  directory.listing.refresh(found);
}
