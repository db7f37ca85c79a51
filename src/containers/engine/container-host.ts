import type { Hypervisor } from '../../hypervisor/hypervisor.ts';
import type { VirtualMachine, VmOptions } from '../../hypervisor/types.ts';
import type { TreeSpec } from '../../storage/tree/tree-spec.ts';
import { AgentClient } from './agent-client.ts';
import { AgentLostError } from './agent-protocol.ts';
import { BRIDGE } from './bridge-network.ts';
import { NETWORKS } from './container-runtime.ts';
import { SPARE_NETWORK, warmUp } from './warm-up.ts';

/** Where the container host shows trees of files: image layers, and what containers may write to. */
const LAYERS = { tag: 'layers', directory: '/l' };
const VOLUMES = { tag: 'volumes', directory: '/v' };
/** Where containers write to their roots: with a size of its own, so that one that fills it stops nothing else. */
const WRITABLE = '/w';
/** Milliseconds in which one that was saved must answer: it has nothing to do but that. */
const ANSWER_MS = 10_000;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_RDONLY = 1;
const MS_NOATIME = 1024;

export interface ContainerHostOptions {
  hypervisor: Hypervisor;
  /** Default: the guest's, 256 MiB. */
  memory?: number | string;
  /** False: boot it even when there is one to go on from. */
  warm?: boolean;
  /** Changes to the VM's options, for measurements. */
  vm?: Partial<VmOptions>;
  /** Called with what its kernel has to say; nothing, as long as all is well. */
  onConsole?: (bytes: Uint8Array) => void;
}

/** The VM whose kernel containers share, and the agent in it. */
export class ContainerHost {
  readonly vm: VirtualMachine;
  readonly agent: AgentClient;
  readonly #trees = new Map<string, string>();
  readonly #listeners: ((error: AgentLostError) => void)[] = [];
  #count = 0;
  #lost: AgentLostError | undefined;
  /** Whether SPARE_NETWORK is there for somebody. */
  #spare = false;

  private constructor(vm: VirtualMachine) {
    this.vm = vm;
    const channel = vm.channel(0);
    this.agent = new AgentClient({
      write: (bytes) => channel.write(bytes),
      onData: (listener) => void channel.onData((bytes) => listener(bytes)),
      onBroken: () => void this.close(),
    });
    vm.on('error', ({ error }) => this.#lose(`the container host is lost: ${error.message}`));
    vm.on('state', ({ state, reason }) => {
      if (state !== 'stopped' && state !== 'destroyed') return;
      const why = reason === undefined ? '' : ` (${'message' in reason ? reason.message : reason.kind})`;
      this.#lose(`the container host has stopped${why}`);
    });
  }

  /** Boots one. @throws {AgentLostError} {GuestError} when it cannot be */
  static async start(options: ContainerHostOptions): Promise<ContainerHost> {
    const { hypervisor, warm = true } = options;
    const asked = {
      guest: 'container-host',
      name: 'container-host',
      channels: 1,
      noReboot: true,
      shares: [
        { tag: LAYERS.tag, kind: 'mounts' as const, immutable: true },
        { tag: VOLUMES.tag, kind: 'mounts' as const },
      ],
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...options.vm,
    };
    const warmed = warm ? await hypervisor.createWarm(asked) : undefined;
    if (warmed !== undefined) {
      const host = await ContainerHost.#goOn(warmed, options);
      if (host !== undefined) return host;
    }
    const vm = await hypervisor.create(asked);
    const host = new ContainerHost(vm);
    if (options.onConsole !== undefined) vm.console().onData(options.onConsole);
    try {
      await vm.start();
      await host.agent.ready;
      const flags = MS_NOSUID | MS_NODEV | MS_NOATIME;
      await host.agent
        .batch()
        // Set-user-ID programs of images are what they are in a container, where no_new_privs does not forbid it.
        .mount(LAYERS.tag, LAYERS.directory, 'virtiofs', MS_RDONLY | MS_NODEV | MS_NOATIME, '')
        .mount(VOLUMES.tag, VOLUMES.directory, 'virtiofs', flags, '')
        .makeDirectory(WRITABLE)
        .makeDirectory(NETWORKS)
        .mount('tmpfs', WRITABLE, 'tmpfs', MS_NOATIME, 'size=50%,mode=711')
        .done();
      await host.agent.bridge(BRIDGE.name, BRIDGE.gateway, BRIDGE.prefix);
      if (warm) {
        host.#spare = await warmUp(host);
        if (host.#spare) await hypervisor.keepWarm(vm, asked);
      }
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  }

  /** Goes on from where one was saved that was as far; undefined when that does not answer. */
  static async #goOn(vm: VirtualMachine, options: ContainerHostOptions): Promise<ContainerHost | undefined> {
    const host = new ContainerHost(vm);
    if (options.onConsole !== undefined) vm.console().onData(options.onConsole);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new AgentLostError('it does not answer')), ANSWER_MS);
    });
    try {
      await vm.start();
      await Promise.race([host.agent.ready, late]);
      const networks = await host.agent.list(NETWORKS).catch(() => []);
      host.#spare = networks.some(({ name }) => SPARE_NETWORK.path === `${NETWORKS}/${name}`);
      return host;
    } catch {
      await host.close();
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls back once when it is lost, or has been closed. */
  onLost(listener: (error: AgentLostError) => void): void {
    if (this.#lost !== undefined) listener(this.#lost);
    else this.#listeners.push(listener);
  }

  get lost(): AgentLostError | undefined {
    return this.#lost;
  }

  /** A network namespace in the bridge that nobody uses yet, once, where it has one from its beginning. */
  takeNetwork(): typeof SPARE_NETWORK | undefined {
    if (!this.#spare) return undefined;
    this.#spare = false;
    return SPARE_NETWORK;
  }

  /** Shows a layer that nobody changes; answers the directory where it is. */
  attachLayer(tree: TreeSpec): Promise<string> {
    return this.#attach(LAYERS, { ...tree, readonly: true });
  }

  /** Shows a tree that containers may write to; answers the directory where it is. */
  attachVolume(tree: TreeSpec): Promise<string> {
    return this.#attach(VOLUMES, tree);
  }

  /** Takes a tree away again. */
  async detach(directory: string): Promise<void> {
    const tag = this.#trees.get(directory);
    if (tag === undefined || this.#lost !== undefined) return;
    this.#trees.delete(directory);
    await this.vm.shares.get(tag)!.detach(directory.slice(directory.lastIndexOf('/') + 1));
  }

  async close(): Promise<void> {
    this.#lose('the container host has been closed');
    await this.vm.destroy();
  }

  async #attach({ tag, directory }: typeof LAYERS, tree: TreeSpec): Promise<string> {
    if (this.#lost !== undefined) throw this.#lost;
    // Short, because a container's layers are all named in one page of mount options.
    const name = (++this.#count).toString(36);
    await this.vm.shares.get(tag)!.attach(name, tree);
    const path = `${directory}/${name}`;
    this.#trees.set(path, tag);
    return path;
  }

  #lose(why: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = new AgentLostError(why);
    this.agent.lose(this.#lost);
    for (const listener of this.#listeners) listener(this.#lost);
  }
}
