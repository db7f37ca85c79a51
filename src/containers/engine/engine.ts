import type { Images } from '../images/types.ts';
import { AgentError } from './agent-error.ts';
import type { AgentLostError } from './agent-protocol.ts';
import { Container } from './container.ts';
import { execIn } from './container-exec.ts';
import { copyIn, copyOut, listChanges } from './container-files.ts';
import type { ContainerHost } from './container-host.ts';
import { writtenLayer } from './container-layer.ts';
import { ContainerLife } from './container-life.ts';
import type { LogLine, LogOptions } from './container-logs.ts';
import { isWanted } from './container-logs.ts';
import { containerStats, listProcesses } from './container-measures.ts';
import { checkContainerName, checkVolumeName, newId, newName } from './container-names.ts';
import { ContainerPorts, type PortPublisher } from './container-ports.ts';
import { ContainerRuntime } from './container-runtime.ts';
import { settingsOf } from './container-settings.ts';
import { ContainerVolumes } from './container-volumes.ts';
import { badParameter, EngineError, noSuchContainer, notRunning } from './engine-error.ts';
import type {
  AttachedStreams,
  ContainerCreate,
  ContainerInspect,
  ContainerStatsSample,
  ContainerSummary,
  ExecCreate,
  ExecSession,
  FilesystemChange,
  TopResult,
  VolumeSummary,
} from './engine-types.ts';
import { signalNumber } from './signals.ts';
import { type BindResolver, noBinds, type VolumeStore } from './volume-store.ts';

const DEFAULT_STOP_SECONDS = 10;
const SIGKILL = 9;

export interface ContainerEngineOptions {
  images: Pick<Images, 'rootfs'> & Partial<Pick<Images, 'hold'>>;
  /** Boots a container host; called when the first container needs one, and again when one is lost. */
  startHost: () => Promise<ContainerHost>;
  volumes: VolumeStore;
  /** Directories of the host for `-v /PATH:…`; default: refused. */
  binds?: BindResolver;
  /** Listens for published ports; default: they are refused. */
  publisher?: PortPublisher;
}

/**
 * Containers, in the nouns and verbs of the Docker Engine API (v1.43). Names are names, ids or beginnings of ids.
 * Every call rejects with EngineError: its status and message are those of the API.
 */
export class ContainerEngine {
  readonly #options: ContainerEngineOptions;
  readonly #containers = new Map<string, Container>();
  /** Lets go of the images of containers, by the containers' ids. */
  readonly #holds = new Map<string, () => Promise<void>>();
  readonly #volumes: ContainerVolumes;
  readonly #ports: ContainerPorts;
  readonly #life: ContainerLife;
  #runtime: Promise<ContainerRuntime> | undefined;
  #current: ContainerRuntime | undefined;
  #closed = false;

  constructor(options: ContainerEngineOptions) {
    this.#options = options;
    this.#volumes = new ContainerVolumes(options.volumes, options.binds ?? noBinds);
    this.#ports = new ContainerPorts(options.publisher);
    this.#life = new ContainerLife({
      runtime: () => this.#start(),
      containers: () => this.#containers.values(),
      find: (name) => this.#find(name),
      volumes: this.#volumes,
      ports: this.#ports,
      autoRemove: (container) => container.exclusively(() => this.#remove(container, { volumes: true })),
    });
  }

  /** The container host, booted when there is none yet. */
  async host(): Promise<ContainerHost> {
    return (await this.#start()).host;
  }

  // ---- containers ---------------------------------------------------------------------------------------

  /** Makes a container; it is not started. Answers its id. */
  async create(
    config: ContainerCreate,
    { name }: { name?: string } = {},
  ): Promise<{ Id: string; Warnings: string[] }> {
    const isTaken = (other: string) =>
      [...this.#containers.values()].some((container) => container.name === other);
    const wanted = name?.replace(/^\//, '');
    if (wanted !== undefined) {
      checkContainerName(wanted);
      this.#demandFree(wanted);
    }
    const image = await this.#options.images.rootfs(config.Image);
    const id = newId();
    const settings = settingsOf(config, image.config.config ?? {}, id);
    const Warnings = this.#ports.check(settings);
    const release = await this.#options.images.hold?.(image.id);
    try {
      const mounts = await this.#volumes.plan(settings);
      if (wanted !== undefined) this.#demandFree(wanted);
      // Not earlier: others are made meanwhile.
      const chosen = wanted ?? newName(isTaken);
      this.#containers.set(id, new Container({ id, name: chosen, settings, image, mounts }));
    } catch (error) {
      await release?.();
      throw error;
    }
    if (release !== undefined) this.#holds.set(id, release);
    return { Id: id, Warnings };
  }

  /** Those that run; with `all`, every one. The newest first. */
  list({ all = false }: { all?: boolean } = {}): ContainerSummary[] {
    const shown = [...this.#containers.values()].filter(
      ({ state }) => all || state.Running || state.Restarting,
    );
    return shown.reverse().map((container) => container.summary());
  }

  inspect(name: string): ContainerInspect {
    return this.#find(name).inspect();
  }

  /** @throws {EngineError} 304 when it runs already */
  start(name: string): Promise<void> {
    const container = this.#find(name);
    return container.exclusively(async () => {
      if (container.state.Paused) throw badParameter('cannot start a paused container, try unpause instead');
      if (container.state.Running) throw new EngineError(304, 'Container already started');
      if (container.state.Dead)
        throw new EngineError(409, `container is marked as dead: ${container.state.Error}`);
      this.#demandThere(container);
      await this.#life.start(container);
    });
  }

  /** Ends it with its stop signal, and after `timeout` seconds (default 10; -1: never) with SIGKILL. */
  async stop(name: string, { timeout, signal }: { timeout?: number; signal?: string } = {}): Promise<void> {
    const container = this.#find(name);
    this.#life.cancelRestart(container);
    container.stopped = true;
    if (container.state.Restarting) container.enterExited(container.state.ExitCode);
    if (!container.state.Running) throw new EngineError(304, 'Container already stopped');
    const exit = container.nextExit();
    const seconds = timeout ?? container.settings.StopTimeout ?? DEFAULT_STOP_SECONDS;
    await this.#signal(container, signalNumber(signal ?? container.settings.StopSignal ?? 'SIGTERM'));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<'late'>((resolve) => {
      if (seconds >= 0) timer = setTimeout(() => resolve('late'), seconds * 1000);
    });
    if ((await Promise.race([exit, late])) === 'late' && container.state.Running) {
      await this.#signal(container, SIGKILL);
      await exit;
    }
    clearTimeout(timer);
  }

  async restart(name: string, options: { timeout?: number } = {}): Promise<void> {
    await this.stop(name, options).catch((error) => {
      if (!(error instanceof EngineError && error.status === 304)) throw error;
    });
    await this.start(name);
  }

  async kill(name: string, signal = 'SIGKILL'): Promise<void> {
    const container = this.#find(name);
    const number = signalNumber(signal);
    if (!container.state.Running) {
      throw new EngineError(409, `Cannot kill container: ${name}: container ${container.id} is not running`);
    }
    if (number === SIGKILL) container.stopped = true;
    const exit = container.nextExit();
    await this.#signal(container, number);
    if (number === SIGKILL) await exit;
  }

  async pause(name: string): Promise<void> {
    const container = this.#running(name);
    if (container.state.Paused) throw new EngineError(409, `container ${container.id} is already paused`);
    await this.#at(container).freeze(container.id, true);
    if (container.state.Running) container.enterPaused(true);
  }

  async unpause(name: string): Promise<void> {
    const container = this.#find(name);
    if (!container.state.Paused) throw new EngineError(409, `Container ${container.id} is not paused`);
    await this.#at(container).freeze(container.id, false);
    if (container.state.Running) container.enterPaused(false);
  }

  /** Its exit status, once it has ended (which it may have already), ends the next time, or is removed. */
  wait(name: string, condition: 'not-running' | 'next-exit' | 'removed' = 'not-running'): Promise<number> {
    const container = this.#find(name);
    if (condition === 'removed') return container.removal();
    const { Running, Restarting, ExitCode } = container.state;
    if (condition === 'not-running' && !Running && !Restarting) return Promise.resolve(ExitCode);
    return container.nextExit();
  }

  rename(name: string, newName: string): void {
    const container = this.#find(name);
    checkContainerName(newName);
    this.#demandFree(newName);
    container.name = newName;
  }

  remove(name: string, { force = false, volumes = false } = {}): Promise<void> {
    const container = this.#find(name);
    const begin = async () => {
      this.#life.cancelRestart(container);
      if (container.state.Running) {
        if (!force) {
          const what = container.state.Paused ? 'paused' : 'running';
          throw new EngineError(
            409,
            `cannot remove container "/${container.name}": container is ${what}: ${container.state.Paused ? 'unpause and then stop' : 'stop'} the container before removing or force remove`,
          );
        }
        await this.kill(container.id);
      }
      await container.exclusively(() => this.#remove(container, { volumes }));
    };
    return begin();
  }

  /** Removes those that do not run; answers their ids. */
  async prune(): Promise<{ ContainersDeleted: string[]; SpaceReclaimed: number }> {
    const deleted: string[] = [];
    for (const container of [...this.#containers.values()]) {
      if (container.state.Running || container.state.Restarting) continue;
      await this.remove(container.id);
      deleted.push(container.id);
    }
    return { ContainersDeleted: deleted, SpaceReclaimed: 0 };
  }

  /** What it has written so far; `onLine` with `follow` also what comes, until it ends or the signal says so. */
  async logs(
    name: string,
    options: LogOptions & { follow?: boolean; signal?: AbortSignal },
    onLine: (line: LogLine) => void,
  ): Promise<void> {
    const container = this.#find(name);
    for (const line of container.logs.read(options)) onLine(line);
    if (!options.follow || options.signal?.aborted || !container.state.Running) return;
    const off = container.logs.follow((line) => {
      if (isWanted(line, options)) onLine(line);
    });
    const aborted = new Promise<void>((resolve) => {
      options.signal?.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([container.nextExit(), aborted]);
    off();
  }

  /** Its standard streams, whether it runs already or not. */
  attach(name: string): AttachedStreams {
    return this.#find(name).streams;
  }

  /** The size of its terminal in characters, now and when it starts. */
  resize(name: string, columns: number, rows: number): void {
    for (const count of [columns, rows]) {
      if (!Number.isInteger(count) || count < 1 || count > 0xffff)
        throw badParameter(`invalid size ${columns}x${rows}`);
    }
    this.#life.setSize(this.#find(name), columns, rows);
  }

  /** Runs another process in it. */
  async exec(name: string, config: ExecCreate): Promise<ExecSession> {
    const container = this.#running(name);
    if (container.state.Paused) {
      throw new EngineError(409, `Container ${container.id} is paused, unpause the container before exec`);
    }
    if (config.Cmd.length === 0) throw badParameter('No exec command specified');
    return execIn(container, this.#at(container), config);
  }

  top(name: string): Promise<TopResult> {
    const container = this.#running(name);
    return listProcesses(container, this.#at(container));
  }

  /** Figures of a running container; `before` makes the share of processor time since then known. */
  stats(name: string, before?: ContainerStatsSample): Promise<ContainerStatsSample> {
    const container = this.#running(name);
    return containerStats(container, this.#at(container), before);
  }

  /** What it has changed of its image's files. */
  async changes(name: string): Promise<FilesystemChange[]> {
    const container = this.#find(name);
    return listChanges(container, await this.#prepared(container));
  }

  /** The same as a layer of an image, a tar archive with OCI whiteouts, piece by piece. */
  async layer(name: string, onData: (bytes: Uint8Array) => void | Promise<void>): Promise<void> {
    const container = this.#find(name);
    await writtenLayer(container, await this.#prepared(container), onData);
  }

  /** A file or directory of a container's as a tar archive, piece by piece. */
  async getArchive(
    name: string,
    path: string,
    onData: (bytes: Uint8Array) => void | Promise<void>,
  ): Promise<void> {
    const container = this.#find(name);
    await copyOut(container, await this.#prepared(container), path, onData);
  }

  /** Unpacks a tar archive into a directory of a container's. */
  async putArchive(name: string, path: string, archive: AsyncIterable<Uint8Array>): Promise<void> {
    const container = this.#find(name);
    if (
      container.settings.HostConfig.ReadonlyRootfs &&
      !container.mounts.some(({ Destination, RW }) => RW && path.startsWith(Destination))
    ) {
      throw new EngineError(403, 'container rootfs is marked read-only');
    }
    await copyIn(container, await this.#prepared(container), path, archive);
  }

  /** Which container uses an image, for `docker rmi`. */
  imageUser(id: string): { container: string; running: boolean } | undefined {
    const users = [...this.#containers.values()].filter(({ image }) => image.id === id);
    const user = users.find(({ state }) => state.Running) ?? users[0];
    return user && { container: user.shortId, running: user.state.Running };
  }

  // ---- volumes ------------------------------------------------------------------------------------------

  listVolumes(): Promise<VolumeSummary[]> {
    return this.#options.volumes.list();
  }

  /** Names of volumes that containers have, whether they run or not. */
  usedVolumes(): string[] {
    return [...this.#containers.values()].flatMap(({ mounts }) => mounts.flatMap(({ Name }) => Name ?? []));
  }

  async inspectVolume(name: string): Promise<VolumeSummary> {
    const volume = await this.#options.volumes.find(name);
    if (volume === undefined) throw new EngineError(404, `get ${name}: no such volume`);
    return volume;
  }

  /** Makes a volume; one that is there is answered as it is. */
  async createVolume(name = newId(), labels: Record<string, string> = {}): Promise<VolumeSummary> {
    checkVolumeName(name);
    return (await this.#options.volumes.find(name)) ?? this.#options.volumes.create(name, labels);
  }

  async removeVolume(name: string, { force = false } = {}): Promise<void> {
    if (force && (await this.#options.volumes.find(name)) === undefined) return;
    await this.inspectVolume(name);
    const user = this.#volumeUser(name);
    if (user !== undefined) {
      throw new EngineError(409, `remove ${name}: volume is in use - [${user.id}]`);
    }
    await this.#volumes.hide(name, this.#current);
    await this.#options.volumes.remove(name);
  }

  /** Removes volumes that no container uses; without `all` only those without a name of their own. */
  async pruneVolumes({ all = false } = {}): Promise<{ VolumesDeleted: string[] }> {
    const deleted: string[] = [];
    for (const { Name, Labels } of await this.listVolumes()) {
      if (this.#volumeUser(Name) !== undefined) continue;
      if (!all && Labels['com.docker.volume.anonymous'] === undefined) continue;
      await this.removeVolume(Name);
      deleted.push(Name);
    }
    return { VolumesDeleted: deleted };
  }

  /** Ends the container host, and all containers with it. */
  async close(): Promise<void> {
    this.#closed = true;
    const runtime = await this.#runtime?.catch(() => undefined);
    await runtime?.host.close();
    for (const id of [...this.#holds.keys()]) await this.#letGo(id);
  }

  // ---- what the above stands on -------------------------------------------------------------------------

  #start(): Promise<ContainerRuntime> {
    if (this.#closed) return Promise.reject(new EngineError(500, 'the engine has been closed'));
    this.#runtime ??= this.#options.startHost().then(
      (host) => {
        const runtime = new ContainerRuntime(host);
        this.#current = runtime;
        host.onLost((error) => this.#lose(runtime, error));
        return runtime;
      },
      (error) => {
        this.#runtime = undefined;
        throw error;
      },
    );
    return this.#runtime;
  }

  #lose(runtime: ContainerRuntime, error: AgentLostError): void {
    if (this.#current === runtime) {
      this.#current = undefined;
      this.#runtime = undefined;
    }
    for (const container of this.#containers.values()) {
      if (this.#life.home(container) === runtime) this.#life.lose(container, error);
    }
  }

  #find(name: string): Container {
    const exact = this.#containers.get(name);
    if (exact !== undefined) return exact;
    const plain = name.replace(/^\//, '');
    const all = [...this.#containers.values()];
    const named = all.find((container) => container.name === plain);
    if (named !== undefined) return named;
    const found = plain === '' ? [] : all.filter(({ id }) => id.startsWith(plain));
    if (found.length > 1) throw badParameter(`Multiple IDs found with provided prefix: ${plain}`);
    return found[0] ?? fail(noSuchContainer(name));
  }

  #running(name: string): Container {
    const container = this.#find(name);
    if (!container.state.Running) throw notRunning(container.id);
    return container;
  }

  /** The container host that a running container is in. */
  #at(container: Container): ContainerRuntime {
    return this.#life.home(container) ?? fail(notRunning(container.id));
  }

  async #prepared(container: Container): Promise<ContainerRuntime> {
    if (container.state.Dead) throw new EngineError(409, container.state.Error);
    return container.exclusively(() => this.#life.prepare(container));
  }

  async #signal(container: Container, number: number): Promise<void> {
    const { Pid, Paused } = container.state;
    if (Pid === 0) return;
    const runtime = this.#at(container);
    await runtime.signal(Pid, number).catch((error: unknown) => {
      // It has ended by itself meanwhile.
      if (!(error instanceof AgentError && error.code === 'ESRCH')) throw error;
    });
    // What is paused gets it when it goes on.
    if (Paused && container.state.Running) await this.unpause(container.id);
  }

  async #remove(container: Container, { volumes = false }: { volumes?: boolean }): Promise<void> {
    if (!this.#containers.has(container.id)) return;
    await this.#life.settled(container);
    const runtime = this.#life.home(container);
    if (runtime !== undefined && runtime.host.lost === undefined) await runtime.remove(container.id);
    this.#containers.delete(container.id);
    await this.#letGo(container.id);
    container.enterRemoved();
    if (!volumes) return;
    for (const { Name } of container.mounts) {
      const volume = Name === undefined ? undefined : await this.#options.volumes.find(Name);
      if (volume?.Labels['com.docker.volume.anonymous'] === undefined) continue;
      if (this.#volumeUser(volume.Name) === undefined) await this.removeVolume(volume.Name);
    }
  }

  async #letGo(id: string): Promise<void> {
    const release = this.#holds.get(id);
    this.#holds.delete(id);
    await release?.();
  }

  #volumeUser(name: string): Container | undefined {
    return [...this.#containers.values()].find(({ mounts }) => mounts.some(({ Name }) => Name === name));
  }

  #demandFree(name: string): void {
    const other = [...this.#containers.values()].find((container) => container.name === name);
    if (other === undefined) return;
    throw new EngineError(
      409,
      `Conflict. The container name "/${name}" is already in use by container "${other.id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  }

  #demandThere(container: Container): void {
    if (!this.#containers.has(container.id)) throw noSuchContainer(container.id);
  }
}

function fail(error: Error): never {
  throw error;
}
