// The nouns of containers, with the names that the Docker Engine API (v1.43) has for them.
import type { ContainerConfig as ImageDefaults } from '../images/types.ts';

/** How a process is confined and what it is given. */
export interface HostConfig {
  /** `SOURCE:TARGET[:ro]`: a volume's name or a directory of the host. */
  Binds?: string[];
  /** Bytes; 0: no limit. */
  Memory?: number;
  /** Billionths of a processor. */
  NanoCpus?: number;
  CpuShares?: number;
  CpuPeriod?: number;
  CpuQuota?: number;
  CpusetCpus?: string;
  /** 0 or -1: no limit. */
  PidsLimit?: number;
  ReadonlyRootfs?: boolean;
  /** Directory to options of tmpfs: `{ '/run': 'size=64k' }`. */
  Tmpfs?: Record<string, string>;
  CapAdd?: string[];
  CapDrop?: string[];
  /** `seccomp=unconfined`, `seccomp=JSON`, `no-new-privileges`. */
  SecurityOpt?: string[];
  /** A first process of ours reaps what the container's leave behind. */
  Init?: boolean;
  /** `bridge` (and `default`), `none`, `host`, `container:NAME`. */
  NetworkMode?: string;
  /** `80/tcp` to where it is published: an address (default 127.0.0.1) and a port (none: any) of the host. */
  PortBindings?: Record<string, PortBinding[]>;
  /** Every TCP port that the image names, at any port of the host. */
  PublishAllPorts?: boolean;
  RestartPolicy?: RestartPolicy;
  AutoRemove?: boolean;
  /** Bytes of /dev/shm; default 64 MiB. */
  ShmSize?: number;
  /** `NAME:ADDRESS`. */
  ExtraHosts?: string[];
  GroupAdd?: string[];
  Ulimits?: { Name: string; Soft: number; Hard: number }[];
  Sysctls?: Record<string, string>;
  OomScoreAdj?: number;
  PidMode?: string;
}

export interface PortBinding {
  HostIp?: string;
  HostPort?: string;
}

/** A port of a container, and where it is published, if it is. */
export interface PortSummary {
  IP?: string;
  PrivatePort: number;
  PublicPort?: number;
  Type: string;
}

export interface RestartPolicy {
  Name: '' | 'no' | 'always' | 'on-failure' | 'unless-stopped';
  MaximumRetryCount?: number;
}

/** A container to be made: `POST /containers/create`. */
export interface ContainerCreate extends Omit<ImageDefaults, 'Healthcheck' | 'OnBuild'> {
  Image: string;
  Hostname?: string;
  Domainname?: string;
  Tty?: boolean;
  OpenStdin?: boolean;
  StdinOnce?: boolean;
  /** Seconds between StopSignal and SIGKILL; default 10. */
  StopTimeout?: number;
  HostConfig?: HostConfig;
}

/** A container's configuration, with the image's defaults filled in. */
export interface ContainerSettings extends ContainerCreate {
  Hostname: string;
  User: string;
  Env: string[];
  Cmd: string[];
  Entrypoint: string[];
  WorkingDir: string;
  Labels: Record<string, string>;
  HostConfig: HostConfig;
}

export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead';

export interface ContainerState {
  Status: ContainerStatus;
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  /** Of the container's first process in the container host; 0 while there is none. */
  Pid: number;
  ExitCode: number;
  Error: string;
  /** RFC 3339; the year 1 for never. */
  StartedAt: string;
  FinishedAt: string;
}

export interface MountPoint {
  Type: 'bind' | 'volume' | 'tmpfs';
  Name?: string;
  Source: string;
  Destination: string;
  Mode: string;
  RW: boolean;
}

export interface EndpointSettings {
  IPAddress: string;
  IPPrefixLen: number;
  Gateway: string;
  MacAddress: string;
}

/** `GET /containers/{id}/json`. */
export interface ContainerInspect {
  Id: string;
  /** RFC 3339. */
  Created: string;
  Path: string;
  Args: string[];
  State: ContainerState;
  /** The image's id. */
  Image: string;
  /** With a slash before it. */
  Name: string;
  RestartCount: number;
  Platform: 'linux';
  Driver: 'overlay2';
  Mounts: MountPoint[];
  Config: ContainerSettings;
  HostConfig: HostConfig;
  NetworkSettings: {
    Networks: Record<string, EndpointSettings>;
    Ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
  };
}

/** One of `GET /containers/json`. */
export interface ContainerSummary {
  Id: string;
  Names: string[];
  Image: string;
  ImageID: string;
  Command: string;
  /** Seconds since 1970. */
  Created: number;
  State: ContainerStatus;
  /** As `docker ps` shows it: `Up 2 seconds`. */
  Status: string;
  Ports: PortSummary[];
  Labels: Record<string, string>;
  HostConfig: { NetworkMode: string };
  Mounts: MountPoint[];
}

/** `POST /containers/{id}/exec`. */
export interface ExecCreate {
  Cmd: string[];
  User?: string;
  Env?: string[];
  WorkingDir?: string;
  Tty?: boolean;
  AttachStdin?: boolean;
  /** Standard output and error are not wanted. */
  Detach?: boolean;
}

/** `GET /containers/{id}/top`. */
export interface TopResult {
  Titles: string[];
  Processes: string[][];
}

/** What of `GET /containers/{id}/stats` can be known here. */
export interface ContainerStatsSample {
  id: string;
  name: string;
  /** Milliseconds since 1970. */
  time: number;
  /** Nanoseconds of processor time. */
  cpuUsage: number;
  /** Share of one processor since the sample before, 0 to 1 (0 for the first). */
  cpu: number;
  /** Bytes, without what is only cached. */
  memoryUsage: number;
  /** Bytes: the container's limit or the container host's memory. */
  memoryLimit: number;
  networkReceived: number;
  networkSent: number;
  blockRead: number;
  blockWritten: number;
  pids: number;
}

/** One of `GET /containers/{id}/changes`: 0 modified, 1 added, 2 deleted. */
export interface FilesystemChange {
  Kind: 0 | 1 | 2;
  Path: string;
}

/** One of `GET /volumes`. */
export interface VolumeSummary {
  Name: string;
  Driver: 'local';
  Mountpoint: string;
  /** RFC 3339. */
  CreatedAt: string;
  Labels: Record<string, string>;
  Scope: 'local';
  Options: null;
}

/** What one can do with a process's standard streams. */
export interface AttachedStreams {
  /** Called with output from now on; while a promise is pending, the process is held back. */
  onOutput(listener: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void | Promise<void>): () => void;
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes standard input. */
  end(): void;
  resize(columns: number, rows: number): void;
}

/** A process that was started in a container. */
export interface ExecSession extends AttachedStreams {
  readonly id: string;
  /** Its exit status. Rejects with EngineError when it cannot be started. */
  readonly exit: Promise<number>;
}
