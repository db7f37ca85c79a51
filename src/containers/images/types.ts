// The nouns of images, shaped after those of the Docker Engine API (/images), and what the engine takes from them.
import type { TreeSource } from '../../storage/tree/tree-spec.ts';
import type { BuildOptions } from './build/build-types.ts';

/** A digest as registries write it: `sha256:` and 64 hex digits. */
export type Digest = `sha256:${string}`;

/** What an image is for. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

/** The platform of every guest. */
export const PLATFORM: Platform = { os: 'linux', architecture: 'riscv64' };

/** How a container of an image is run by default (OCI image-spec, config.md, "config"). */
export interface ContainerConfig {
  /** `user[:group]`, names or numbers. */
  User?: string;
  ExposedPorts?: Record<string, Record<string, never>>;
  /** `NAME=VALUE`. */
  Env?: string[];
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: Record<string, Record<string, never>>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  Healthcheck?: HealthConfig;
  Shell?: string[];
  OnBuild?: string[];
}

/** A health check; times in nanoseconds. */
export interface HealthConfig {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  Retries?: number;
}

/** A step in the making of an image (config.md, "history"). */
export interface HistoryEntry {
  created?: string;
  created_by?: string;
  author?: string;
  comment?: string;
  /** It made no layer. */
  empty_layer?: boolean;
}

/** The configuration of an image (application/vnd.oci.image.config.v1+json); its digest is the image's id. */
export interface ImageConfig {
  /** RFC 3339. */
  created?: string;
  author?: string;
  architecture: string;
  os: string;
  variant?: string;
  config?: ContainerConfig;
  /** `diff_ids`: digests of the uncompressed layers, the lowest first. */
  rootfs: { type: 'layers'; diff_ids: Digest[] };
  history?: HistoryEntry[];
}

/** What a container stands on. */
export interface ImageRootfs {
  /** The image's id: digest of its configuration. */
  id: Digest;
  config: ImageConfig;
  /** Trees of the layers, the topmost first (as `overlay` takes its `lowers`), for machines to open. */
  layers: TreeSource[];
  /** Digests of the uncompressed layers in the same order: equal ones are the same tree. */
  diffIds: Digest[];
}

/** One of `GET /images/json`. */
export interface ImageSummary {
  Id: Digest;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  /** Seconds since 1970. */
  Created: number;
  /** Bytes of its layers, uncompressed. */
  Size: number;
  /** Bytes of layers that other images have too. */
  SharedSize: number;
  Labels: Record<string, string>;
  /** Containers of it; -1: not known here. */
  Containers: number;
}

/** `GET /images/{name}/json`. */
export interface ImageInspect {
  Id: Digest;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  /** RFC 3339. */
  Created: string;
  Author: string;
  Architecture: string;
  Variant?: string;
  Os: string;
  Size: number;
  Config: ContainerConfig;
  RootFS: { Type: 'layers'; Layers: Digest[] };
  Metadata: { LastTagTime: string };
}

/** One of `GET /images/{name}/history`, the newest first. */
export interface ImageHistoryItem {
  Id: string;
  Created: number;
  CreatedBy: string;
  Tags: string[];
  Size: number;
  Comment: string;
}

/** One of what `DELETE /images/{name}` answers. */
export type ImageDeleteItem = { Untagged: string } | { Deleted: string };

/** What `POST /images/prune` answers. */
export interface ImagePruneReport {
  ImagesDeleted: ImageDeleteItem[];
  /** Bytes. */
  SpaceReclaimed: number;
}

/** A line of what pull, push and load tell while they work, as the Engine API streams them. */
export interface ImageProgress {
  status?: string;
  /** Layer (12 hex digits) or tag that the line is of. */
  id?: string;
  progressDetail?: { current?: number; total?: number };
  /** Text for a terminal, such as `Loaded image: x` or a step of a build. */
  stream?: string;
}

export type ImageProgressListener = (progress: ImageProgress) => void;

/** Who one is at a registry. */
export interface RegistryCredentials {
  username: string;
  password: string;
}

export interface ImageTaskOptions {
  onProgress?: ImageProgressListener;
  signal?: AbortSignal;
}

export interface RegistryTaskOptions extends ImageTaskOptions {
  credentials?: RegistryCredentials;
}

export interface RemoveOptions {
  /** Remove an image that has several names or is used by containers that do not run. */
  force?: boolean;
  /** Leave layers of it that nothing needs any more. */
  noprune?: boolean;
  /** What uses it: its ids cannot be removed while one is running. */
  usedBy?: (id: Digest) => { container: string; running: boolean } | undefined;
}

export interface CommitOptions {
  /** Reference that the new image gets. */
  reference?: string;
  author?: string;
  comment?: string;
  /** Replaces the image's own where given. */
  config?: ContainerConfig;
  /** Command that is noted as what made the layer. */
  createdBy?: string;
  /** RFC 3339; default: now. */
  created?: string;
}

/** An archive: its bytes as a stream, in a Blob, or all at once. */
export type ArchiveInput = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Blob | Uint8Array;

/** Images as the engine and the command line use them. Errors are ImageStoreError. */
export interface Images {
  /** `docker images`. */
  list(options?: { all?: boolean; reference?: string }): Promise<ImageSummary[]>;
  inspect(name: string): Promise<ImageInspect>;
  history(name: string): Promise<ImageHistoryItem[]>;
  /** What containers of an image stand on. */
  rootfs(name: string): Promise<ImageRootfs>;
  /**
   * Keeps an image's layers in the store, whoever removes it, until the answer is called or whoever has asked is gone.
   */
  hold(id: Digest): Promise<() => Promise<void>>;
  tag(name: string, reference: string): Promise<void>;
  /** `docker rmi`. */
  remove(name: string, options?: RemoveOptions): Promise<ImageDeleteItem[]>;
  /** Removes images without a name (with `all`, all that `usedBy` says nothing of). */
  prune(options?: { all?: boolean; usedBy?: RemoveOptions['usedBy'] }): Promise<ImagePruneReport>;
  /** @returns the image's id */
  pull(reference: string, options?: RegistryTaskOptions): Promise<Digest>;
  /** @returns digest of the manifest that was pushed */
  push(reference: string, options?: RegistryTaskOptions): Promise<Digest>;
  /** An archive of `docker save`, of an OCI layout; gzipped or not. Answers references or ids. */
  load(archive: ArchiveInput, options?: ImageTaskOptions): Promise<string[]>;
  /** A tar archive that is both an OCI layout and one of `docker save`. */
  save(names: readonly string[], options?: ImageTaskOptions): ReadableStream<Uint8Array>;
  /** `docker import`: an image of one layer. */
  import(
    layer: ArchiveInput,
    options?: ImageTaskOptions & { reference?: string; config?: ContainerConfig; message?: string },
  ): Promise<Digest>;
  /** `docker commit`: an image and one layer on it, a tar archive with OCI whiteouts. */
  commit(name: string, layer: ArchiveInput, options?: ImageTaskOptions & CommitOptions): Promise<Digest>;
  /** `docker build`. */
  build(options: BuildOptions): Promise<Digest>;
}
