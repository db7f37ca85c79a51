// How containers start, end and start again.
import type { AgentLostError } from './agent-protocol.ts';
import { AddressPool, BRIDGE, formatAddress, hostsFile } from './bridge-network.ts';
import type { Container } from './container.ts';
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
  readonly #addresses = new AddressPool();
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
    const runtime = await this.#host.runtime();
    const home = this.#homes.get(container);
    if (home === runtime) return runtime;
    if (home !== undefined)
      throw new EngineError(409, `container ${container.name} was lost with its container host`);
    await runtime.prepare(container.id, container.image.layers, container.image.diffIds);
    this.#homes.set(container, runtime);
    return runtime;
  }

  /**
   * Starts a container; resolves when its first process runs.
   * @throws {EngineError} saying why it cannot be
   */
  async start(container: Container): Promise<void> {
    this.cancelRestart(container);
    await this.#releases.get(container);
    container.stopped = false;
    let runtime: ContainerRuntime;
    try {
      runtime = await this.prepare(container);
      await this.#host.ports.open(container, runtime);
      await this.#launch(container, runtime);
    } catch (error) {
      this.#host.ports.close(container);
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
    // Others that find each other by name.
    await this.#tellNeighbours(container, runtime);
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
    const [network, user, binds] = await Promise.all([
      this.#network(container, runtime),
      runtime.findUser(id, settings.User, host.GroupAdd),
      this.#host.volumes.mount(container, runtime),
    ]);
    const etc = await runtime.writeEtc(id, {
      hosts: this.#hosts(container),
      hostname: `${settings.Hostname}\n`,
      'resolv.conf': 'options ndots:0\n',
    });
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
      binds: [...etc, ...(host.Init ? [initBind] : []), ...binds],
      ...init,
    });
    const tty = settings.Tty ?? false;
    await new Promise<void>((resolve, reject) => {
      let running = false;
      container.process = runtime.start(id, spec, settings.OpenStdin ?? false, {
        output: (stream, bytes) => container.output(stream, bytes),
        started: (process) => {
          running = true;
          container.enterRunning(process);
          resolve();
        },
        exited: ({ started, code }) => {
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
  async #release(container: Container, runtime: ContainerRuntime): Promise<void> {
    const own = ownNetwork(container);
    this.#host.ports.close(container);
    this.#giveAddress(container);
    await runtime.release(container.id, own).catch(() => {});
    await this.#host.volumes.unmount(container, runtime).catch(() => {});
  }

  #giveAddress(container: Container): void {
    if (container.endpoint?.address !== undefined) this.#addresses.give(container.endpoint.address);
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
      return runtime.makeNetwork(container.id);
    }
    const address = this.#addresses.take();
    const settings = {
      IPAddress: formatAddress(address),
      IPPrefixLen: BRIDGE.prefix,
      Gateway: formatAddress(BRIDGE.gateway),
      MacAddress: '',
    };
    container.endpoint = { network: 'bridge', address, settings };
    return runtime.makeNetwork(container.id, address);
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
const ownNetwork = ({ settings }: Container) => {
  const mode = settings.HostConfig.NetworkMode ?? 'default';
  return mode === 'none' || isBridge(mode);
};

function neighbour({ endpoint, settings, name, shortId }: Container) {
  if (endpoint?.address === undefined) return undefined;
  return { address: endpoint.address, names: [settings.Hostname, name, shortId] };
}
