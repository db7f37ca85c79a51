/** What frames travel on: a channel of the container host's VM. */
export interface AgentChannel {
  write(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Called when the other side broke the protocol: it is not to be trusted any more. */
  onBroken?(): void;
}

export interface TerminalWindow {
  columns: number;
  rows: number;
}

/** A program to run in the container host. */
export interface SpawnRequest {
  /** A path of the container host's. */
  program: string;
  /** The first is what the program is called. */
  arguments: readonly string[];
  environment?: readonly string[];
  /** Where it runs: below the root, when there is one. */
  directory?: string;
  /** A directory of the container host's that it is confined to. */
  root?: string;
  /** Standard input is a pipe; else it is empty. */
  input?: boolean;
  /** It sends a terminal of that size to the console socket. */
  terminal?: TerminalWindow;
  consoleSocket?: string;
  /** A pid file: once the program has ended well, the process named there is what counts. */
  follow?: string;
  /** With `follow`: the program stays until that process has ended, and ends as it did. */
  stays?: boolean;
}

export interface ProcessEvents {
  /** Bytes it wrote; while a promise is pending, it can write 256 KiB more and then waits. */
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** The process that the pid file names runs. */
  started?(process: number): void;
  /** The last event. `code` is 128 and the signal's number for one that a signal ended. */
  exited(exit: { started: boolean; code: number }): void;
  /** Instead of `exited`: it was never started, or the container host is lost. */
  failed(error: Error): void;
}

export interface AgentProcess {
  /** Resolves when the guest has room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes its standard input after what was written. */
  end(): void;
  resize(columns: number, rows: number): void;
}
