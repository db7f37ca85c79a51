// Published ports: what listens on the host's side, and how a connection gets to a container.
import type { AgentClient } from './agent-client.ts';
import type { AgentProcess } from './agent-types.ts';
import { formatAddress } from './bridge-network.ts';
import type { Container } from './container.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { badParameter, EngineError } from './engine-error.ts';
import type { ContainerSettings, PortSummary } from './engine-types.ts';

/** A TCP connection that somebody has made to a published port. */
export interface PublishedConnection {
  /** Ends when the other side sends nothing more; fails when it has gone. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Nothing more is sent. */
  end(): void;
  destroy(): void;
}

export interface PublishedPort {
  /** The port that was got, where 0 was asked for. */
  readonly port: number;
  /** Nobody can connect any more; connections that there are end. */
  close(): void;
}

/** Listens on the host's side: what a platform that can do so has. */
export interface PortPublisher {
  /** @throws {EngineError} when the address cannot be listened at */
  listen(
    address: string,
    port: number,
    accept: (connection: PublishedConnection) => void,
  ): Promise<PublishedPort>;
}

/** Where a port is published that says nothing else: to programs of this computer only. */
const DEFAULT_ADDRESS = '127.0.0.1';
/** Connections to one container at a time; each takes a process in the container host. */
const CONNECTIONS_MAX = 64;
/** What a relay has left to end by itself when the one who connected has gone, in milliseconds. */
const GRACE_MS = 5000;
const SIGKILL = 9;

interface Wanted {
  /** In the container. */
  inside: number;
  address: string;
  outside: number;
}

/** The published ports of an engine's containers. */
export class ContainerPorts {
  readonly #publisher: PortPublisher | undefined;
  readonly #open = new Map<Container, PublishedPort[]>();
  #relays = 0;

  constructor(publisher: PortPublisher | undefined) {
    this.#publisher = publisher;
  }

  /**
   * Refuses what cannot be, before there is a container; answers what is to be warned of.
   * @throws {EngineError} 400
   */
  check(settings: ContainerSettings): string[] {
    const wanted = wantedPorts(settings);
    if (wanted.length === 0) return [];
    if (this.#publisher === undefined) {
      throw badParameter(
        'ports cannot be published from here: nothing can listen in a browser tab; use hypertab docker on the command line',
      );
    }
    const mode = settings.HostConfig.NetworkMode ?? 'default';
    if (mode.startsWith('container:')) {
      throw badParameter('conflicting options: port publishing and the container type network mode');
    }
    return mode === 'host' ? ['Published ports are discarded when using host network mode'] : [];
  }

  /** Listens for a container that is about to start. Whoever connects before it does is turned away by it. */
  async open(container: Container, runtime: ContainerRuntime): Promise<void> {
    this.close(container);
    const mode = container.settings.HostConfig.NetworkMode ?? 'default';
    const wanted = mode === 'none' || mode === 'host' ? [] : wantedPorts(container.settings);
    if (wanted.length === 0 || this.#publisher === undefined) return;
    const open: PublishedPort[] = [];
    this.#open.set(container, open);
    const ports: PortSummary[] = [];
    let connections = 0;
    try {
      for (const { inside, address, outside } of wanted) {
        const port = await this.#publisher.listen(address, outside, (connection) => {
          const target = container.endpoint?.address;
          if (target === undefined || connections >= CONNECTIONS_MAX) return connection.destroy();
          connections++;
          void this.#relay(connection, runtime.host.agent, formatAddress(target), inside).finally(() => {
            connections--;
          });
        });
        open.push(port);
        ports.push({ IP: address, PrivatePort: inside, PublicPort: port.port, Type: 'tcp' });
      }
    } catch (error) {
      this.close(container);
      const why = error instanceof Error ? error.message : String(error);
      throw new EngineError(
        500,
        `driver failed programming external connectivity on endpoint ${container.name}: ${why}`,
        { cause: error },
      );
    }
    container.ports = ports;
  }

  close(container: Container): void {
    container.ports = [];
    for (const port of this.#open.get(container) ?? []) port.close();
    this.#open.delete(container);
  }

  /** Joins a connection with one that a process in the container host makes to the container. */
  async #relay(
    connection: PublishedConnection,
    agent: AgentClient,
    address: string,
    port: number,
  ): Promise<void> {
    // By this it is found among the processes of the container host; BusyBox looks at what comes last in it.
    const mark = `/published/${++this.#relays}/nc`;
    let relay: AgentProcess | undefined;
    let over = false;
    const ended = new Promise<void>((resolve) => {
      let last: Promise<unknown> = Promise.resolve();
      const finish = (how: 'end' | 'destroy') => {
        over = true;
        void last.finally(() => connection[how]());
        resolve();
      };
      relay = agent.spawn(
        {
          program: '/usr/bin/busybox',
          arguments: [mark, address, String(port)],
          environment: [],
          input: true,
        },
        {
          output: (stream, bytes) => {
            if (stream === 'stderr') return;
            const written = connection.write(bytes);
            last = written.catch(() => {});
            return written;
          },
          exited: ({ code }) => finish(code === 0 ? 'end' : 'destroy'),
          failed: () => finish('destroy'),
        },
      );
    });
    let gone = false;
    void (async () => {
      for await (const bytes of connection.input) {
        if (over) return;
        await relay!.write(bytes);
      }
    })()
      .catch(() => {
        gone = true;
      })
      .finally(() => {
        relay!.end();
        // One whose other side has gone may wait for ever for what nobody takes.
        if (gone && !over) setTimeout(() => void (over || endRelay(agent, mark)), GRACE_MS);
      });
    await ended;
  }
}

/** Ends the process whose first argument is `mark`. Whoever has ended by itself meanwhile is not found. */
async function endRelay(agent: AgentClient, mark: string): Promise<void> {
  try {
    for (const { name } of await agent.list('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const command = await agent.readText(`/proc/${name}/cmdline`).catch(() => '');
      if (command.startsWith(`${mark}\0`)) await agent.signal(Number(name), SIGKILL);
    }
  } catch {
    // The container host has gone, and the relay with it.
  }
}

/** @throws {EngineError} 400 for what is no port */
function wantedPorts({ HostConfig: host, ExposedPorts }: ContainerSettings): Wanted[] {
  const wanted: Wanted[] = [];
  const bindings = host.PortBindings ?? {};
  for (const [name, places] of Object.entries(bindings)) {
    const inside = insidePort(name);
    for (const { HostIp = '', HostPort = '' } of places) {
      if (!/^\d*$/.test(HostPort) || Number(HostPort) > 0xffff) {
        throw badParameter(`invalid port specification: "${HostPort}"`);
      }
      wanted.push({ inside, address: HostIp || DEFAULT_ADDRESS, outside: Number(HostPort) });
    }
  }
  if (!host.PublishAllPorts) return wanted;
  for (const name of Object.keys(ExposedPorts ?? {})) {
    if (bindings[name] !== undefined || name.endsWith('/udp')) continue;
    wanted.push({ inside: insidePort(name), address: DEFAULT_ADDRESS, outside: 0 });
  }
  return wanted;
}

function insidePort(name: string): number {
  const match = /^(\d+)(?:\/(\w+))?$/.exec(name);
  const port = Number(match?.[1]);
  if (match === null || port < 1 || port > 0xffff) throw badParameter(`invalid containerPort: ${name}`);
  if ((match[2] ?? 'tcp') !== 'tcp') {
    throw badParameter(`cannot publish ${name}: only TCP ports can be published`);
  }
  return port;
}

/** `NetworkSettings.Ports`: the ports that are known of, and where they are published. */
export function portMap(settings: ContainerSettings, ports: readonly PortSummary[]) {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const name of Object.keys(settings.ExposedPorts ?? {})) map[name] = null;
  for (const { IP = '', PrivatePort, PublicPort, Type } of ports) {
    const name = `${PrivatePort}/${Type}`;
    map[name] = [...(map[name] ?? []), { HostIp: IP, HostPort: String(PublicPort) }];
  }
  return map;
}

/** Ports as `GET /containers/json` has them: published ones, and those that the image or the user names. */
export function portSummaries(settings: ContainerSettings, ports: readonly PortSummary[]): PortSummary[] {
  const exposed = Object.keys(settings.ExposedPorts ?? {}).flatMap((name): PortSummary[] => {
    const [number = '', type = 'tcp'] = name.split('/');
    const PrivatePort = Number(number);
    const isPublished = ports.some((port) => port.PrivatePort === PrivatePort && port.Type === type);
    return isPublished ? [] : [{ PrivatePort, Type: type }];
  });
  return [...ports, ...exposed];
}
