import type { TreeSource } from '../../storage/tree/tree-spec.ts';

/** What `docker` needs of where it is typed: a process of Node's, or a terminal in a page. */
export interface DockerIo {
  /** The promise, if any, resolves when more may be written. */
  stdout(data: Uint8Array | string): void | Promise<void>;
  stderr(data: Uint8Array | string): void | Promise<void>;
  /** What is typed or piped in; read only by commands that want it. */
  stdin(): AsyncIterable<Uint8Array>;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  /** The terminal's size in characters, where there is one. */
  size(): { columns: number; rows: number } | undefined;
  onResize(listener: () => void): () => void;
  /** Keys come as they are typed, until the function that is returned is called. */
  raw(): () => void;
  /** Called with SIGINT and SIGTERM that the command gets, which then do nothing else. */
  onSignal(listener: (signal: string) => void): () => void;
  /** Absolute path of one that the user typed. */
  absolutePath(path: string): string;
  readText(path: string): Promise<string>;
  writeText(path: string, text: string): Promise<void>;
  /** Bytes of a file that the user named; in a page he is asked for it. */
  readFile?(path: string): AsyncIterable<Uint8Array>;
  /** Writes a file that the user named, from the first byte to the last or not at all; a page offers it for download. */
  writeFile?(path: string, bytes: ReadableStream<Uint8Array>): Promise<void>;
  /** The folder of a build; default: the directory of that path. In a page the user is asked for it. */
  openFolder?(path: string): Promise<TreeSource>;
  environment(name: string): string | undefined;
  /** `docker cp`; undefined where there are no files. */
  files?: HostFiles;
}

/** Files of the host for `docker cp`, as tar archives. */
export interface HostFiles {
  /** What is at a path: a file's archive has one entry of that name. */
  pack(path: string, name: string): AsyncIterable<Uint8Array>;
  /** Unpacks into a directory; the first name of every entry is replaced with `name` when that is given. */
  unpack(directory: string, archive: AsyncIterable<Uint8Array>, name?: string): Promise<void>;
  kind(path: string): Promise<'directory' | 'file' | undefined>;
}

/** The same without a word about how things go on. */
export const silent = (io: DockerIo): DockerIo => ({ ...io, stderr: () => {} });
