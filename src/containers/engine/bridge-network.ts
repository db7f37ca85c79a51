import { EngineError } from './engine-error.ts';

/** The network that containers are in unless they ask for another, as Docker has it. */
export const BRIDGE = { name: 'docker0', network: 0xac110000, prefix: 16, gateway: 0xac110001 };
const LARGEST_HOST = 0xfffe;

/** Writes an address as people do. */
export const formatAddress = (address: number) =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');

/** Addresses of the bridge: who has which. One that was given back is given out again last. */
export class AddressPool {
  readonly #taken = new Set<number>([BRIDGE.gateway]);
  #last = BRIDGE.gateway;

  /** @throws {EngineError} 500 when there is none left */
  take(): number {
    for (let tries = 0; tries <= LARGEST_HOST; tries++) {
      const next = (this.#last & 0xffff) + 1;
      this.#last = (BRIDGE.network | (next > LARGEST_HOST ? 2 : next)) >>> 0;
      if (this.#taken.has(this.#last)) continue;
      this.#taken.add(this.#last);
      return this.#last;
    }
    throw new EngineError(500, 'no available IPv4 addresses on this network');
  }

  /** Takes this one, unless somebody has it. */
  claim(address: number): boolean {
    if (this.#taken.has(address)) return false;
    this.#taken.add(address);
    return true;
  }

  give(address: number): void {
    this.#taken.delete(address);
  }
}

/** A container's line in the others' /etc/hosts. */
export interface Neighbour {
  address: number;
  /** Hostname, name and short id. */
  names: readonly string[];
}

/** The /etc/hosts of a container in the bridge. */
export function hostsFile(
  own: Neighbour | undefined,
  others: readonly Neighbour[],
  extra: readonly string[],
): string {
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...extra.map((entry) => `${entry.slice(entry.indexOf(':') + 1)}\t${entry.slice(0, entry.indexOf(':'))}`),
    ...[...(own ? [own] : []), ...others].map(
      ({ address, names }) => `${formatAddress(address)}\t${[...new Set(names)].join(' ')}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}
