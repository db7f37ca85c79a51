// What a share is made of, as plain data: it goes from the page to the machine's worker in a message.
import type { SetFile } from './file-set.ts';

/** A tar archive: bytes, a Blob or File, or a path (Node). Gzipped ones are unpacked into memory. */
export type ArchiveSource = Uint8Array | Blob | string;

/** Where the files of a tree come from. */
export type TreeSource =
  /**
   * Memory of the worker, gone with it; at most `capacity` bytes (default 256 MiB). `shared`: files may be added to it
   * while the guest uses it, which then looks again after a second.
   */
  | { kind: 'memory'; capacity?: number; shared?: boolean }
  /** A directory of the host (Node). */
  | { kind: 'directory'; path: string }
  /** A directory that the user has picked, or one of the browser's private file system. */
  | { kind: 'picked'; handle: FileSystemDirectoryHandle }
  /** Files dropped on a page, or made by it. The guest writes to copies in memory. */
  | { kind: 'files'; files: readonly SetFile[] }
  /** A tar archive, read in place; `whiteouts`: a layer of a container image, for overlayfs in the guest. */
  | { kind: 'archive'; archive: ArchiveSource; name?: string; whiteouts?: boolean }
  /** Several as one: the topmost of `lowers` first; what is written goes to `upper`, without which nothing is. */
  | { kind: 'overlay'; lowers: readonly TreeSource[]; upper?: TreeSource }
  /**
   * A directory that is empty at first; other trees become its subdirectories while the guest runs (VmFolder.attach).
   * `immutable`: nothing in them changes, so that the guest need never look twice.
   */
  | { kind: 'mounts'; immutable?: boolean };

/** A tree as a machine is given it. */
export type TreeSpec = TreeSource & {
  /** The guest may not write. */
  readonly?: boolean;
};
