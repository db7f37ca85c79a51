import type { ImageRootfs } from '../images/types.ts';
import type { AgentProcess } from './agent-types.ts';
import { ContainerLogs, type StreamName } from './container-logs.ts';
import { portMap, portSummaries } from './container-ports.ts';
import { describeStatus } from './container-status.ts';
import type {
  AttachedStreams,
  ContainerInspect,
  ContainerSettings,
  ContainerState,
  ContainerSummary,
  EndpointSettings,
  MountPoint,
  PortSummary,
} from './engine-types.ts';

/** What RFC 3339 has for "never" in Docker's answers. */
const NEVER = '0001-01-01T00:00:00Z';

type OutputListener = (stream: StreamName, bytes: Uint8Array) => void | Promise<void>;

/** Everything that is known of a container; what it does in the container host is ContainerRuntime's. */
export class Container {
  readonly id: string;
  name: string;
  readonly settings: ContainerSettings;
  readonly image: ImageRootfs;
  readonly mounts: readonly MountPoint[];
  readonly created: Date;
  readonly logs = new ContainerLogs();
  readonly state: ContainerState = {
    Status: 'created',
    ...{ Running: false, Paused: false, Restarting: false, OOMKilled: false, Dead: false },
    ...{ Pid: 0, ExitCode: 0, Error: '', StartedAt: NEVER, FinishedAt: NEVER },
  };
  restartCount = 0;
  /** The user ended it: no policy starts it again. */
  stopped = false;
  /** Where it is in a network while it runs. */
  endpoint: { network: string; settings: EndpointSettings; address: number | undefined } | undefined;
  /** Where its ports are published while it runs. */
  ports: readonly PortSummary[] = [];
  process: AgentProcess | undefined;
  readonly #listeners = new Set<OutputListener>();
  readonly #exits = new Set<(code: number) => void>();
  readonly #removals = new Set<(code: number) => void>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    id: string;
    name: string;
    settings: ContainerSettings;
    image: ImageRootfs;
    mounts: readonly MountPoint[];
  }) {
    this.id = parts.id;
    this.name = parts.name;
    this.settings = parts.settings;
    this.image = parts.image;
    this.mounts = parts.mounts;
    this.created = new Date();
  }

  get shortId(): string {
    return this.id.slice(0, 12);
  }

  /** Does one thing with the container after the other. */
  exclusively<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => {});
    return result;
  }

  // ---- its life -----------------------------------------------------------------------------------------

  enterRunning(process: number): void {
    Object.assign(this.state, {
      ...{
        Status: 'running',
        Running: true,
        Paused: false,
        Restarting: false,
        OOMKilled: false,
        Dead: false,
      },
      ...{ Pid: process, ExitCode: 0, Error: '', StartedAt: new Date().toISOString(), FinishedAt: NEVER },
    });
  }

  enterPaused(paused: boolean): void {
    Object.assign(this.state, { Status: paused ? 'paused' : 'running', Paused: paused });
  }

  /** It has ended, or could not be started. */
  enterExited(code: number, { error = '', dead = false, oomKilled = false } = {}): void {
    const wasRunning = this.state.Running;
    Object.assign(this.state, {
      Status: dead ? 'dead' : wasRunning || this.state.StartedAt !== NEVER ? 'exited' : 'created',
      ...{ Running: false, Paused: false, Restarting: false, OOMKilled: oomKilled, Dead: dead, Pid: 0 },
      ...{ ExitCode: code, Error: error },
      FinishedAt: wasRunning ? new Date().toISOString() : this.state.FinishedAt,
    });
    this.process = undefined;
    this.logs.flush();
  }

  /** Tells those who wait for its end. */
  tellExit(): void {
    for (const tell of [...this.#exits]) tell(this.state.ExitCode);
  }

  enterRestarting(): void {
    Object.assign(this.state, { Status: 'restarting', Restarting: true });
  }

  enterRemoved(): void {
    this.state.Status = 'removing';
    for (const tell of [...this.#exits, ...this.#removals]) tell(this.state.ExitCode);
    this.#exits.clear();
    this.#removals.clear();
  }

  /** Resolves with its exit status when it ends the next time. */
  nextExit(): Promise<number> {
    return next(this.#exits);
  }

  removal(): Promise<number> {
    return next(this.#removals);
  }

  // ---- its standard streams -----------------------------------------------------------------------------

  output(stream: StreamName, bytes: Uint8Array): void | Promise<void> {
    this.logs.write(stream, bytes);
    const pending: Promise<void>[] = [];
    for (const listener of [...this.#listeners]) {
      const taken = listener(stream, bytes);
      if (taken instanceof Promise) pending.push(taken);
    }
    if (pending.length > 0) return Promise.allSettled(pending).then(() => {});
  }

  readonly streams: AttachedStreams = {
    onOutput: (listener) => {
      this.#listeners.add(listener);
      return () => void this.#listeners.delete(listener);
    },
    write: async (bytes) => this.process?.write(bytes),
    end: () => this.process?.end(),
    resize: (columns, rows) => this.process?.resize(columns, rows),
  };

  // ---- what is said of it -------------------------------------------------------------------------------

  inspect(): ContainerInspect {
    const { settings, state, endpoint } = this;
    const [path = '', ...args] = [...settings.Entrypoint, ...settings.Cmd];
    return structuredClone({
      Id: this.id,
      Created: this.created.toISOString(),
      Path: path,
      Args: args,
      State: state,
      Image: this.image.id,
      Name: `/${this.name}`,
      RestartCount: this.restartCount,
      Platform: 'linux',
      Driver: 'overlay2',
      Mounts: [...this.mounts],
      Config: settings,
      HostConfig: settings.HostConfig,
      NetworkSettings: {
        Networks: endpoint === undefined ? {} : { [endpoint.network]: endpoint.settings },
        Ports: portMap(settings, this.ports),
      },
    });
  }

  summary(now = Date.now()): ContainerSummary {
    const { settings, state } = this;
    return {
      Id: this.id,
      Names: [`/${this.name}`],
      Image: settings.Image,
      ImageID: this.image.id,
      Command: [...settings.Entrypoint, ...settings.Cmd].join(' '),
      Created: Math.floor(this.created.getTime() / 1000),
      State: state.Status,
      Status: describeStatus(state, now),
      Ports: portSummaries(settings, this.ports),
      Labels: { ...settings.Labels },
      HostConfig: { NetworkMode: settings.HostConfig.NetworkMode ?? 'default' },
      Mounts: [...this.mounts],
    };
  }
}

function next(tellers: Set<(code: number) => void>): Promise<number> {
  return new Promise((resolve) => {
    const tell = (code: number) => {
      tellers.delete(tell);
      resolve(code);
    };
    tellers.add(tell);
  });
}
