// What a build is given, and what it needs of those who run containers.
import type { TreeSpec } from '../../../storage/tree/tree-spec.ts';
import type {
  ArchiveInput,
  ContainerConfig,
  Digest,
  ImageTaskOptions,
  RegistryTaskOptions,
} from '../types.ts';

/** A command of RUN. */
export interface RunStep {
  /** Image made so far, in which the command is run. */
  image: Digest;
  command: string[];
  /** `NAME=VALUE`: the image's and what ARG has declared. */
  env: string[];
  /** User and WorkingDir count. */
  config: ContainerConfig;
  onOutput: (bytes: Uint8Array) => void;
  signal: AbortSignal | undefined;
}

/** Runs commands in containers; given from above, where containers are known. */
export type BuildRunner = (step: RunStep) => Promise<{
  status: number;
  /** What the command has changed: a tar archive with OCI whiteouts. */
  layer: ArchiveInput;
}>;

export interface BuildOptions extends ImageTaskOptions {
  /** Text of the Dockerfile; default: that of the file `dockerfile` in the context. */
  dockerfileText?: string;
  /** Path in the context; default `Dockerfile`. */
  dockerfile?: string;
  /** Files that COPY and ADD may take: a folder, an archive, files. Without it there are none. */
  context?: TreeSpec;
  /** Names that the image gets. */
  tags?: readonly string[];
  buildArgs?: Readonly<Record<string, string>>;
  labels?: Readonly<Record<string, string>>;
  /** Stage to end with; default: the last. */
  target?: string;
  /** Make everything anew. */
  noCache?: boolean;
  /** Fetch base images even when they are there. */
  pull?: boolean;
  /** Without it RUN is an error. */
  runner?: BuildRunner;
  registry?: RegistryTaskOptions;
  /** Fetches a base image that is not there; default: from its registry. */
  fetchImage?: (name: string) => Promise<void>;
  /** Time of what is made, RFC 3339; default: now. */
  created?: string;
}
