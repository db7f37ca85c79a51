import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from '../tree/file-mode.ts';
import type { ImageEntry } from './image-entry.ts';

export type NodeKind = Exclude<ImageEntry['kind'], 'link'>;

/** File type bits of st_mode. */
export const TYPE_BITS: Record<NodeKind, number> = {
  fifo: S_IFIFO,
  character: S_IFCHR,
  directory: S_IFDIR,
  block: S_IFBLK,
  file: S_IFREG,
  symlink: S_IFLNK,
  socket: S_IFSOCK,
};

/** File types in directory entries, the same in ext4 (feature filetype) and erofs. */
export const ENTRY_TYPES: Record<NodeKind, number> = {
  file: 1,
  directory: 2,
  character: 3,
  block: 4,
  fifo: 5,
  socket: 6,
  symlink: 7,
};
