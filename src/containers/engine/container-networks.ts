// Network namespaces of containers: those that containers have, and one that is ready for the next.
import { AddressPool, BRIDGE, formatAddress } from './bridge-network.ts';
import { type ContainerRuntime, NETWORKS } from './container-runtime.ts';
import type { EndpointSettings } from './engine-types.ts';

/** A network namespace with a cable to the bridge. */
export interface BridgedNetwork {
  path: string;
  address: number;
  settings: EndpointSettings;
}

/**
 * Making a namespace and its cable takes 3 of the 15 million instructions of a container's start, and nothing of it
 * depends on the container: the next one is made when nobody waits.
 */
export class ContainerNetworks {
  readonly #addresses = new AddressPool();
  readonly #ready = new WeakMap<ContainerRuntime, BridgedNetwork>();
  readonly #ordered = new WeakSet<ContainerRuntime>();
  #count = 0;

  /** One with lo alone; answers its path. */
  async alone(runtime: ContainerRuntime): Promise<string> {
    const path = this.#newPath();
    await runtime.makeNetwork(path);
    return path;
  }

  async bridged(runtime: ContainerRuntime): Promise<BridgedNetwork> {
    const ready = this.#ready.get(runtime) ?? this.#left(runtime);
    this.#ready.delete(runtime);
    this.#order(runtime);
    return ready ?? this.#make(runtime);
  }

  /** The one that a container host that is kept warm has had from its beginning. */
  #left(runtime: ContainerRuntime): BridgedNetwork | undefined {
    const left = runtime.host.takeNetwork();
    return left && this.#addresses.claim(left.address) ? bridged(left.path, left.address) : undefined;
  }

  /** Its address can be another one's. */
  give(address: number): void {
    this.#addresses.give(address);
  }

  /** Has the next one made when it is quiet. */
  #order(runtime: ContainerRuntime): void {
    if (this.#ordered.has(runtime)) return;
    this.#ordered.add(runtime);
    runtime.quiet.later(async () => {
      this.#ordered.delete(runtime);
      // Whoever needs one and finds none is told why it cannot be made.
      const made = await this.#make(runtime).catch(() => undefined);
      if (made !== undefined) this.#ready.set(runtime, made);
    });
  }

  async #make(runtime: ContainerRuntime): Promise<BridgedNetwork> {
    const address = this.#addresses.take();
    const path = this.#newPath();
    try {
      await runtime.makeNetwork(path, address);
    } catch (error) {
      this.#addresses.give(address);
      throw error;
    }
    return bridged(path, address);
  }

  #newPath(): string {
    return `${NETWORKS}/${++this.#count}`;
  }
}

function bridged(path: string, address: number): BridgedNetwork {
  const settings = {
    IPAddress: formatAddress(address),
    IPPrefixLen: BRIDGE.prefix,
    Gateway: formatAddress(BRIDGE.gateway),
    MacAddress: '',
  };
  return { path, address, settings };
}
