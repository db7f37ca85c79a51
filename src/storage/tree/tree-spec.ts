// What a share is made of, as plain data: it goes from the page to the machine's worker in a message.

/** Where the files of a tree come from. */
export type TreeSource =
  /** Memory of the worker, gone with it; at most `capacity` bytes (default 256 MiB). */
  | { kind: 'memory'; capacity?: number }
  /** A directory of the host (Node). */
  | { kind: 'directory'; path: string };

/** A tree as a machine is given it. */
export type TreeSpec = TreeSource & {
  /** The guest may not write. */
  readonly?: boolean;
};
