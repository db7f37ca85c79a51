// How containers start, end and start again.
import type { AgentLostError } from './agent-protocol.ts';
import { hostsFile } from './bridge-network.ts';
import type { Container } from './container.ts';
import { ContainerNetworks } from './container-networks.ts';
import type { ContainerPorts } from './container-ports.ts';
import { type ContainerRuntime, placesOf, startError } from './container-runtime.ts';
import type { ContainerVolumes } from './container-volumes.ts';
import { EngineError } from './engine-error.ts';
import { runtimeSpec } from './runtime-spec.ts';

const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 60_000;
/** A run as long as this was no failure to start: waiting begins anew. */
const WELL_MS = 10_000;
const INIT_PATH = '/sbin/docker-init';

/** What the life of containers needs of their engine. */
export interface LifeHost {
  /** Boots a container host where there is none. */
  runtime(): Promise<ContainerRuntime>;
  containers(): Iterable<Container>;
  /** Finds what `container:NAME` names. */
  find(name: string): Container;
  volumes: ContainerVolumes;
  ports: ContainerPorts;
  /** Removes a container that has ended and was to be removed then. */
  autoRemove(container: Container): Promise<void>;
}

export class ContainerLife {
  readonly #host: LifeHost;
  readonly #networks = new ContainerNetworks();
  /** Network namespaces that containers have to themselves. */
  readonly #ownNetworks = new WeakMap<Container, string>();
  /** In which container host a container has its root. */
  readonly #homes = new WeakMap<Container, ContainerRuntime>();
  /** Clean-ups under way. */
  readonly #releases = new WeakMap<Container, Promise<void>>();
  readonly #timers = new Map<Container, ReturnType<typeof setTimeout>>();
  readonly #delays = new WeakMap<Container, number>();

  constructor(host: LifeHost) {
    this.#host = host;
  }

  /** The container host that a container has its files in; undefined before its first start. */
  home(container: Container): ContainerRuntime | undefined {
    return this.#homes.get(container);
  }

  /** Makes sure that a container has its root. */
  async prepare(container: Container): Promise<ContainerRuntime> {
    const runtime = await this.#runtimeFor(container);
    if (this.#homes.get(container) === runtime) return runtime;
    await runtime.prepare(container.id, container.image.layers, container.image.diffIds);
    this.#homes.set(container, runtime);
    return runtime;
  }

  /** The container host that a container is to be in, whether it is there already or not. */
  async #runtimeFor(container: Container): Promise<ContainerRuntime> {
    const runtime = await this.#host.runtime();
    const home = this.#homes.get(container);
    if (home === undefined || home === runtime) return runtime;
    throw new EngineError(409, `container ${container.name} was lost with its container host`);
  }

  /**
   * Starts a container; resolves when its first process runs.
   * @throws {EngineError} saying why it cannot be
   */
  async start(container: Container): Promise<void> {
    this.cancelRestart(container);
    await this.#releases.get(container);
    container.stopped = false;
    let runtime: ContainerRuntime | undefined;
    try {
      const home = await this.#runtimeFor(container);
      runtime = home;
      await home.quiet.during(async () => {
        await this.#host.ports.open(container, home);
        await this.#launch(container, home);
      });
    } catch (error) {
      this.#host.ports.close(container);
      // What it has got of its run by then.
      if (runtime !== undefined && this.#ownNetworks.has(container)) await this.#release(container, runtime);
      const refused =
        error instanceof EngineError
          ? error
          : new EngineError(500, String((error as Error).message), { cause: error });
      if (!container.state.Running) {
        container.enterExited(container.state.ExitCode === 0 ? 128 : container.state.ExitCode, {
          error: refused.message,
        });
      }
      throw refused;
    }
    // Others that find each other by name: whatever is asked for after this finds it done.
    void this.#tellNeighbours(container, runtime);
  }

  /** Ends what waits to start again. */
  cancelRestart(container: Container): void {
    clearTimeout(this.#timers.get(container));
    this.#timers.delete(container);
  }

  /** Waits until nothing of the last run is left. */
  async settled(container: Container): Promise<void> {
    await this.#releases.get(container);
  }

  /** The container host has gone, and with it what the container was. */
  lose(container: Container, error: AgentLostError): void {
    this.cancelRestart(container);
    if (!this.#homes.has(container)) return;
    const running = container.state.Running || container.state.Restarting;
    this.#giveAddress(container);
    this.#host.ports.close(container);
    container.enterExited(running ? 137 : container.state.ExitCode, { error: error.message, dead: true });
    if (running) container.tellExit();
  }

  async #launch(container: Container, runtime: ContainerRuntime): Promise<void> {
    const { id, settings } = container;
    const { HostConfig: host } = settings;
    const { layers, diffIds } = container.image;
    // The root of one that has written nothing can be made with all the rest, unless something has to be read there.
    const isNew = this.#homes.get(container) === undefined;
    const known = isNew ? runtime.knownUser(diffIds, settings.User, host.GroupAdd) : undefined;
    const isPlain = known !== undefined && container.mounts.length === 0;
    if (!isPlain) await this.prepare(container);
    const [network, user, binds] = await Promise.all([
      this.#network(container, runtime),
      known ?? runtime.findUser(id, settings.User, host.GroupAdd),
      this.#host.volumes.mount(container, runtime),
    ]);
    if (isNew) runtime.noteUser(diffIds, settings.User, host.GroupAdd, user);
    const init = host.Init ? { init: INIT_PATH } : {};
    const initBind = { destination: INIT_PATH, type: 'bind', source: '/init', options: ['bind', 'ro'] };
    const spec = runtimeSpec({
      settings,
      user,
      rootfs: placesOf(id).rootfs,
      cgroupsPath: placesOf(id).cgroupsPath,
      network,
      pid: this.#pidNamespace(container),
      // What the user binds comes last: it may hide what is ours.
      binds: [...runtime.etcMounts(id), ...(host.Init ? [initBind] : []), ...binds],
      ...init,
    });
    const tty = settings.Tty ?? false;
    const etc = {
      hosts: this.#hosts(container),
      hostname: `${settings.Hostname}\n`,
      'resolv.conf': 'options ndots:0\n',
    };
    const lower = isPlain ? await runtime.attach(layers, diffIds) : undefined;
    await new Promise<void>((resolve, reject) => {
      let running = false;
      container.process = runtime.start(id, lower, etc, spec, settings.OpenStdin ?? false, {
        output: (stream, bytes) => container.output(stream, bytes),
        started: (process) => {
          running = true;
          this.#homes.set(container, runtime);
          container.enterRunning(process);
          resolve();
        },
        exited: ({ started, code }) => {
          this.#homes.set(container, runtime);
          if (started) void this.#ended(container, runtime, code);
          else void this.#notStarted(container, runtime).then(reject, reject);
        },
        failed: (error) => {
          // A host that is lost is told of by lose().
          if (!running) reject(new EngineError(500, error.message, { cause: error }));
        },
      });
      if (tty && this.#sizes.has(container)) container.process.resize(...this.#sizes.get(container)!);
    });
  }

  readonly #sizes = new WeakMap<Container, [number, number]>();

  /** The size that the container's terminal is to have from its start on. */
  setSize(container: Container, columns: number, rows: number): void {
    this.#sizes.set(container, [columns, rows]);
    container.process?.resize(columns, rows);
  }

  async #notStarted(container: Container, runtime: ContainerRuntime): Promise<EngineError> {
    const reason = await runtime.failureOfStart(container.id);
    const { error, code } = startError(reason);
    container.enterExited(code, { error: error.message });
    const release = this.#release(container, runtime);
    this.#releases.set(container, release);
    await release;
    return error;
  }

  /** The first process has ended. */
  async #ended(container: Container, runtime: ContainerRuntime, code: number): Promise<void> {
    const { HostConfig: host } = container.settings;
    const oomKilled =
      (host.Memory ?? 0) > 0 && (await runtime.ranOutOfMemory(container.id).catch(() => false));
    if (runtime.host.lost !== undefined) return;
    const ranFor = Date.now() - Date.parse(container.state.StartedAt);
    container.enterExited(code, { oomKilled });
    runtime.quiet.touch();
    if (host.AutoRemove && container.mounts.length === 0) {
      const clear = this.#endRun(container, runtime);
      this.#homes.delete(container);
      container.tellExit();
      await this.#host.autoRemove(container).catch(() => {});
      // Nobody can ask for it any more. What it has written makes room before anything else is done; the rest of what
      // there is of it in the container host goes when nobody waits.
      void runtime.remove(container.id).catch(() => {});
      runtime.quiet.later(clear);
      return;
    }
    const again = this.#startsAgain(container, code);
    if (again) container.enterRestarting();
    const release = this.#release(container, runtime);
    this.#releases.set(container, release);
    container.tellExit();
    if (host.AutoRemove) await release.then(() => this.#host.autoRemove(container)).catch(() => {});
    else if (again) this.#scheduleRestart(container, ranFor);
  }

  #startsAgain(container: Container, code: number): boolean {
    const { Name = 'no', MaximumRetryCount = 0 } = container.settings.HostConfig.RestartPolicy ?? {};
    if (container.stopped || container.settings.HostConfig.AutoRemove) return false;
    if (Name === 'always' || Name === 'unless-stopped') return true;
    return (
      Name === 'on-failure' &&
      code !== 0 &&
      (MaximumRetryCount === 0 || container.restartCount < MaximumRetryCount)
    );
  }

  #scheduleRestart(container: Container, ranFor: number): void {
    const last = ranFor >= WELL_MS ? undefined : this.#delays.get(container);
    const delay = last === undefined ? FIRST_RESTART_MS : Math.min(last * 2, LAST_RESTART_MS);
    this.#delays.set(container, delay);
    const timer = setTimeout(() => {
      this.#timers.delete(container);
      void container
        .exclusively(async () => {
          if (container.stopped || container.state.Status !== 'restarting') return;
          container.restartCount++;
          await this.start(container);
        })
        .catch(() => {});
    }, delay);
    this.#timers.set(container, timer);
  }

  /** Gives up what only a run needs; never fails. */
  #release(container: Container, runtime: ContainerRuntime): Promise<void> {
    return this.#endRun(container, runtime)();
  }

  /** Gives up what others see of a run; answers how to give up what is in the container host, which never fails. */
  #endRun(container: Container, runtime: ContainerRuntime): () => Promise<void> {
    this.#host.ports.close(container);
    const network = this.#ownNetworks.get(container);
    this.#ownNetworks.delete(container);
    const address = container.endpoint?.address;
    container.endpoint = undefined;
    return async () => {
      await runtime.release(container.id, network).catch(() => {});
      // Not before: the interface that has it may still be there.
      if (address !== undefined) this.#networks.give(address);
      await this.#host.volumes.unmount(container, runtime).catch(() => {});
    };
  }

  #giveAddress(container: Container): void {
    if (container.endpoint?.address !== undefined) this.#networks.give(container.endpoint.address);
    container.endpoint = undefined;
  }

  async #network(container: Container, runtime: ContainerRuntime): Promise<string | undefined> {
    const mode = container.settings.HostConfig.NetworkMode ?? 'default';
    if (mode === 'host') return undefined;
    if (mode.startsWith('container:')) {
      const other = this.#host.find(mode.slice('container:'.length));
      if (!other.state.Running)
        throw new EngineError(409, `cannot join network of a non running container: ${other.id}`);
      return `/proc/${other.state.Pid}/ns/net`;
    }
    if (mode === 'none') {
      container.endpoint = { network: 'none', address: undefined, settings: NOWHERE };
      return this.#ownNetwork(container, await this.#networks.alone(runtime));
    }
    const { path, address, settings } = await this.#networks.bridged(runtime);
    container.endpoint = { network: 'bridge', address, settings };
    return this.#ownNetwork(container, path);
  }

  #ownNetwork(container: Container, path: string): string {
    this.#ownNetworks.set(container, path);
    return path;
  }

  #pidNamespace(container: Container): string | undefined {
    const { PidMode = '' } = container.settings.HostConfig;
    if (!PidMode.startsWith('container:')) return undefined;
    const other = this.#host.find(PidMode.slice('container:'.length));
    if (!other.state.Running)
      throw new EngineError(409, `cannot join PID of a non running container: ${other.id}`);
    return `/proc/${other.state.Pid}/ns/pid`;
  }

  #hosts(container: Container): string {
    const { ExtraHosts = [], NetworkMode = 'default' } = container.settings.HostConfig;
    const others = isBridge(NetworkMode) ? this.#neighbours(container) : [];
    return hostsFile(
      neighbour(container),
      others.flatMap((other) => neighbour(other) ?? []),
      ExtraHosts,
    );
  }

  #neighbours(container: Container): Container[] {
    return [...this.#host.containers()].filter(
      (other) => other !== container && other.endpoint?.address !== undefined,
    );
  }

  /** Writes anew what the others in the bridge find by name. */
  async #tellNeighbours(container: Container, runtime: ContainerRuntime): Promise<void> {
    if (container.endpoint?.address === undefined) return;
    const others = this.#neighbours(container).filter(({ state }) => state.Running);
    await Promise.all(
      others.map((other) => runtime.writeHosts(other.id, this.#hosts(other)).catch(() => {})),
    );
  }
}

const NOWHERE = { IPAddress: '', IPPrefixLen: 0, Gateway: '', MacAddress: '' };
const isBridge = (mode: string) => mode === 'default' || mode === 'bridge';
function neighbour({ endpoint, settings, name, shortId }: Container) {
  if (endpoint?.address === undefined) return undefined;
  return { address: endpoint.address, names: [settings.Hostname, name, shortId] };
}
