// Ports as docker's flags and tables have them.
import type { HostConfig, PortBinding, PortSummary } from '../engine/engine-types.ts';
import { DockerExit } from './docker-error.ts';
import type { Flags } from './docker-flags.ts';
import type { DockerCall } from './docker-task.ts';

/** Ports that one flag may name by a range. */
const RANGE_MAX = 1000;

const refuse = (flag: string, text: string, why: string) =>
  new DockerExit(
    125,
    `invalid argument "${text}" for "${flag}" flag: ${why}\n\nRun 'docker run --help' for more information`,
  );

/** `--expose`, and the ports that `-p` names. */
export function exposedPorts(flags: Flags): string[] {
  const exposed = flags.list('expose').flatMap((text) => {
    const [range = '', protocol = 'tcp'] = text.split('/');
    return portsOf(range, '--expose', text).map((port) => `${port}/${protocol.toLowerCase()}`);
  });
  return [...exposed, ...Object.keys(portBindings(flags.list('publish')))];
}

/**
 * `-p [[IP:]HOST_PORT:]CONTAINER_PORT[/PROTOCOL]`; ranges of equal length on both sides.
 * @throws {DockerExit} 125
 */
export function portBindings(texts: readonly string[]): NonNullable<HostConfig['PortBindings']> {
  const bindings: Record<string, PortBinding[]> = {};
  for (const text of texts) {
    const flag = '-p, --publish';
    const match = /^(?:(?:(\[[0-9a-fA-F:]+\]|[^:]*):)?([\d-]*):)?([\d-]+)(?:\/(\w+))?$/.exec(text);
    if (match === null) throw refuse(flag, text, `invalid containerPort: ${text}`);
    const [, address = '', outside = '', inside = '', protocol = 'tcp'] = match;
    const insidePorts = portsOf(inside, flag, text);
    const outsidePorts = outside === '' ? [] : portsOf(outside, flag, text);
    if (outside !== '' && outsidePorts.length !== insidePorts.length) {
      throw refuse(
        flag,
        text,
        `invalid ranges specified for container and host Ports: ${inside} and ${outside}`,
      );
    }
    for (const [index, port] of insidePorts.entries()) {
      const name = `${port}/${protocol.toLowerCase()}`;
      bindings[name] ??= [];
      bindings[name].push({
        HostIp: address.replace(/^\[|\]$/g, ''),
        HostPort: outside === '' ? '' : String(outsidePorts[index]),
      });
    }
  }
  return bindings;
}

function portsOf(range: string, flag: string, text: string): number[] {
  const [first = '', last = first] = range.split('-');
  const [from, to] = [Number(first), Number(last)];
  const valid =
    /^\d+(-\d+)?$/.test(range) && from >= 1 && from <= to && to <= 0xffff && to - from < RANGE_MAX;
  if (!valid) throw refuse(flag, text, `invalid port range: ${range}`);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** The column PORTS of `docker ps`. */
export function portsText(ports: readonly PortSummary[]): string {
  return ports
    .map(({ IP = '', PrivatePort, PublicPort, Type }) =>
      PublicPort === undefined
        ? `${PrivatePort}/${Type}`
        : `${placeOf(IP, PublicPort)}->${PrivatePort}/${Type}`,
    )
    .join(', ');
}

const placeOf = (address: string, port: number | string) =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;

/** `docker port`. */
export async function showPorts({ engine, flags, io }: DockerCall): Promise<number> {
  const [name = '', wanted] = flags.words;
  const { Ports } = engine.inspect(name).NetworkSettings;
  if (wanted !== undefined) {
    const places = Ports[wanted.includes('/') ? wanted : `${wanted}/tcp`];
    if (!places) throw new DockerExit(1, `Error: No public port '${wanted}' published for ${name}`);
    for (const { HostIp, HostPort } of places) await io.stdout(`${placeOf(HostIp, HostPort)}\n`);
    return 0;
  }
  for (const [port, places] of Object.entries(Ports)) {
    for (const { HostIp, HostPort } of places ?? []) {
      await io.stdout(`${port} -> ${placeOf(HostIp, HostPort)}\n`);
    }
  }
  return 0;
}
