import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProcessEvents, SpawnRequest } from '../../../src/containers/engine/agent-types.ts';
import { Container } from '../../../src/containers/engine/container.ts';
import { ContainerPorts, type PublishedConnection } from '../../../src/containers/engine/container-ports.ts';
import type { ContainerRuntime } from '../../../src/containers/engine/container-runtime.ts';
import { settingsOf } from '../../../src/containers/engine/container-settings.ts';
import type { HostConfig } from '../../../src/containers/engine/engine-types.ts';

const id = 'c'.repeat(64);
const image = { ExposedPorts: { '80/tcp': {}, '53/udp': {} } };

function containerOf(HostConfig: HostConfig): Container {
  const settings = settingsOf({ Image: 'web', Cmd: ['serve'], HostConfig }, image, id);
  const container = new Container({
    id,
    name: 'web',
    settings,
    image: { id: `sha256:${'0'.repeat(64)}` } as never,
    mounts: [],
  });
  container.endpoint = { network: 'bridge', address: 0xac110002, settings: {} as never };
  return container;
}

/** A container host that notes what is started in it, and a host whose ports are these. */
function fakes() {
  const started: { request: SpawnRequest; events: ProcessEvents; input: string[]; ended: boolean }[] = [];
  const signals: [number, number][] = [];
  const agent = {
    spawn: (request: SpawnRequest, events: ProcessEvents) => {
      const one = { request, events, input: [] as string[], ended: false };
      started.push(one);
      return {
        write: async (bytes: Uint8Array) => void one.input.push(new TextDecoder().decode(bytes)),
        end: () => {
          one.ended = true;
        },
        resize: () => {},
      };
    },
    list: async () => [
      { type: 4, name: '1' },
      { type: 4, name: '77' },
      { type: 4, name: 'self' },
    ],
    readText: async (path: string) =>
      path === '/proc/77/cmdline' ? '/published/1/nc\x00172.17.0.2\x0080\x00' : 'init\x00',
    signal: async (process: number, signal: number) => void signals.push([process, signal]),
  };
  const listening = new Map<number, (connection: PublishedConnection) => void>();
  const ports = new ContainerPorts({
    listen: async (_, port, accept) => {
      const own = port === 0 ? 40_000 + listening.size : port;
      if (listening.has(own)) throw new Error('port is already allocated');
      listening.set(own, accept);
      return { port: own, close: () => void listening.delete(own) };
    },
  });
  return { started, signals, listening, ports, runtime: { host: { agent } } as unknown as ContainerRuntime };
}

/** A connection whose other side does what it is told. */
function connectionOf(input: AsyncIterable<Uint8Array>) {
  const seen = { written: '', ended: false, destroyed: false };
  const connection: PublishedConnection = {
    input,
    write: async (bytes) => {
      seen.written += new TextDecoder().decode(bytes);
    },
    end: () => {
      seen.ended = true;
    },
    destroy: () => {
      seen.destroyed = true;
    },
  };
  return { seen, connection };
}

const bytes = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

describe('published ports', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are listened at while the container runs, and shown', async () => {
    const { ports, runtime, listening } = fakes();
    const container = containerOf({
      PortBindings: { '80/tcp': [{ HostPort: '8080' }, { HostIp: '::1', HostPort: '' }] },
    });
    await ports.open(container, runtime);
    expect([...listening.keys()]).toEqual([8080, 40_001]);
    expect(container.inspect().NetworkSettings.Ports).toEqual({
      '53/udp': null,
      '80/tcp': [
        { HostIp: '127.0.0.1', HostPort: '8080' },
        { HostIp: '::1', HostPort: '40001' },
      ],
    });
    expect(container.summary().Ports).toContainEqual({ PrivatePort: 53, Type: 'udp' });
    ports.close(container);
    expect(listening.size).toBe(0);
    expect(container.summary().Ports).toEqual([
      { PrivatePort: 80, Type: 'tcp' },
      { PrivatePort: 53, Type: 'udp' },
    ]);
  });

  it('that the image names are all published where that is asked for', async () => {
    const { ports, runtime, listening } = fakes();
    await ports.open(containerOf({ PublishAllPorts: true }), runtime);
    expect([...listening.keys()]).toEqual([40_000]);
  });

  it('are given back when one of them cannot be had', async () => {
    const { ports, runtime, listening } = fakes();
    const container = containerOf({ PortBindings: { '80/tcp': [{ HostPort: '1' }, { HostPort: '1' }] } });
    await expect(ports.open(container, runtime)).rejects.toThrow(
      'driver failed programming external connectivity on endpoint web: port is already allocated',
    );
    expect(listening.size).toBe(0);
  });

  it('join who connects with a process that connects to the container', async () => {
    const { ports, runtime, listening, started } = fakes();
    await ports.open(containerOf({ PortBindings: { '80/tcp': [{ HostPort: '1' }] } }), runtime);
    const { seen, connection } = connectionOf(
      (async function* () {
        yield bytes('GET /');
      })(),
    );
    listening.get(1)!(connection);
    await vi.advanceTimersByTimeAsync(0);
    const [relay] = started;
    expect(relay!.request.arguments.slice(1)).toEqual(['172.17.0.2', '80']);
    expect([relay!.input, relay!.ended]).toEqual([['GET /'], true]);
    await relay!.events.output('stdout', bytes('200'));
    await relay!.events.output('stderr', bytes('of no interest'));
    relay!.events.exited({ started: false, code: 0 });
    await vi.advanceTimersByTimeAsync(0);
    expect(seen).toEqual({ written: '200', ended: true, destroyed: false });
  });

  it('turn away who connects where nothing listens', async () => {
    const { ports, runtime, listening, started } = fakes();
    await ports.open(containerOf({ PortBindings: { '80/tcp': [{ HostPort: '1' }] } }), runtime);
    const { seen, connection } = connectionOf((async function* () {})());
    listening.get(1)!(connection);
    started[0]!.events.exited({ started: false, code: 1 });
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.destroyed).toBe(true);
  });

  it('end the process of a connection that was broken off', async () => {
    const { ports, runtime, listening, signals } = fakes();
    await ports.open(containerOf({ PortBindings: { '80/tcp': [{ HostPort: '1' }] } }), runtime);
    const { connection } = connectionOf(
      // biome-ignore lint/correctness/useYield: a connection that breaks off before anything is sent
      (async function* () {
        throw new Error('ECONNRESET');
      })(),
    );
    listening.get(1)!(connection);
    await vi.advanceTimersByTimeAsync(4000);
    expect(signals).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(signals).toEqual([[77, 9]]);
  });

  it('are bounded in their connections', async () => {
    const { ports, runtime, listening, started } = fakes();
    await ports.open(containerOf({ PortBindings: { '80/tcp': [{ HostPort: '1' }] } }), runtime);
    const all = Array.from({ length: 70 }, () => connectionOf((async function* () {})()));
    for (const { connection } of all) listening.get(1)!(connection);
    expect(started).toHaveLength(64);
    expect(all.filter(({ seen }) => seen.destroyed)).toHaveLength(6);
  });

  it.each<[HostConfig, string]>([
    [{ PortBindings: { '80/udp': [{}] } }, 'only TCP ports can be published'],
    [{ PortBindings: { '0/tcp': [{}] } }, 'invalid containerPort: 0/tcp'],
    [{ PortBindings: { '80/tcp': [{ HostPort: '65536' }] } }, 'invalid port specification'],
    [{ PortBindings: { '80/tcp': [{}] }, NetworkMode: 'container:a' }, 'conflicting options'],
  ])('%j is refused', (host, message) => {
    expect(() => fakes().ports.check(containerOf(host).settings)).toThrow(message);
  });

  it('are refused where nothing can listen, and ignored by the network of the host', () => {
    const wanted = { PortBindings: { '80/tcp': [{}] } };
    expect(() => new ContainerPorts(undefined).check(containerOf(wanted).settings)).toThrow(/browser tab/);
    expect(new ContainerPorts(undefined).check(containerOf({}).settings)).toEqual([]);
    expect(fakes().ports.check(containerOf({ ...wanted, NetworkMode: 'host' }).settings)).toHaveLength(1);
  });
});
