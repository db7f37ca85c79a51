/** What happens while a guest is prepared. */
export type GuestProgress =
  /** A new step begins. */
  | { kind: 'step'; text: string }
  /** Something the user should know, such as a check that could not be made. */
  | { kind: 'note'; text: string }
  /** Bytes of the file under way; `done` includes what an earlier run had fetched (`resumed`). */
  | { kind: 'bytes'; label: string; done: number; total?: number; resumed: number };

export type ProgressListener = (progress: GuestProgress) => void;
