import type { Container } from './container.ts';
import { checkVolumeName, newId } from './container-names.ts';
import { type ContainerRuntime, placesOf } from './container-runtime.ts';
import type { ContainerSettings, MountPoint } from './engine-types.ts';
import type { OciMount } from './runtime-spec.ts';
import { type BindResolver, normalize, parseBind, type VolumeStore } from './volume-store.ts';

/** Volumes and directories of the host in containers. */
export class ContainerVolumes {
  readonly store: VolumeStore;
  readonly #resolve: BindResolver;
  /** Directories in a container host where volumes are, which all containers there share. */
  readonly #shown = new WeakMap<ContainerRuntime, Map<string, Promise<string>>>();
  /** Directories of the host, which each run of a container has to itself. */
  readonly #bound = new WeakMap<Container, string[]>();
  /** Volumes that were made for a container and have had nothing in them yet. */
  readonly #fresh = new Set<string>();

  constructor(store: VolumeStore, resolve: BindResolver) {
    this.store = store;
    this.#resolve = resolve;
  }

  /**
   * Makes the volumes that a container wants and does not find; says what will be mounted.
   * @throws {EngineError} 400
   */
  async plan(settings: ContainerSettings): Promise<MountPoint[]> {
    const { Binds = [], Tmpfs = {} } = settings.HostConfig;
    const mounts = new Map<string, MountPoint>();
    for (const text of Binds) {
      const { source, target, readonly } = parseBind(text);
      const common = { Destination: target, Mode: readonly ? 'ro' : '', RW: !readonly };
      if (source.startsWith('/')) mounts.set(target, { Type: 'bind', Source: normalize(source), ...common });
      else mounts.set(target, { ...(await this.#volume(source)), ...common });
    }
    for (const target of Object.keys(settings.Volumes ?? {}).map(normalize)) {
      if (mounts.has(target) || Tmpfs[target] !== undefined) continue;
      mounts.set(target, { ...(await this.#volume('')), Destination: target, Mode: '', RW: true });
    }
    // Those above come before those below.
    return [...mounts.values()].sort((a, b) => (a.Destination < b.Destination ? -1 : 1));
  }

  /** Brings a container's volumes into the container host. */
  async mount(container: Container, runtime: ContainerRuntime): Promise<OciMount[]> {
    const bound: string[] = [];
    this.#bound.set(container, bound);
    const mounts: OciMount[] = [];
    for (const point of container.mounts) {
      let source: string;
      if (point.Type === 'volume') source = await this.#show(point, container, runtime);
      else {
        const { tree, file } = await this.#resolve(point.Source);
        const place = await runtime.host.attachVolume({ ...tree, readonly: !point.RW });
        bound.push(place);
        source = file === '' ? place : `${place}/${file}`;
      }
      const options = ['rbind', 'rprivate', ...(point.RW ? [] : ['ro'])];
      mounts.push({ destination: point.Destination, type: 'bind', source, options });
    }
    return mounts;
  }

  /** Takes away what only this run of the container had. */
  async unmount(container: Container, runtime: ContainerRuntime): Promise<void> {
    for (const place of this.#bound.get(container) ?? []) await runtime.host.detach(place);
    this.#bound.delete(container);
  }

  /** A volume is removed: nothing uses it. */
  async hide(name: string, runtime: ContainerRuntime | undefined): Promise<void> {
    if (runtime === undefined) return;
    const place = await this.#shown.get(runtime)?.get(name);
    this.#shown.get(runtime)?.delete(name);
    if (place !== undefined) await runtime.host.detach(place);
  }

  async #volume(given: string): Promise<Pick<MountPoint, 'Type' | 'Name' | 'Source'>> {
    const name = given === '' ? newId() : given;
    checkVolumeName(name);
    let volume = await this.store.find(name);
    if (volume === undefined) {
      const labels: Record<string, string> = given === '' ? { 'com.docker.volume.anonymous': '' } : {};
      volume = await this.store.create(name, labels);
      this.#fresh.add(name);
    }
    return { Type: 'volume', Name: name, Source: volume.Mountpoint };
  }

  #show(point: MountPoint, container: Container, runtime: ContainerRuntime): Promise<string> {
    const name = point.Name!;
    let shown = this.#shown.get(runtime);
    if (shown === undefined) {
      shown = new Map();
      this.#shown.set(runtime, shown);
    }
    let place = shown.get(name);
    if (place === undefined) {
      place = (async () => {
        const path = await runtime.host.attachVolume(await this.store.tree(name));
        if (this.#fresh.delete(name)) await copyFromImage(container, point.Destination, path, runtime);
        return path;
      })();
      shown.set(name, place);
      place.catch(() => shown.delete(name));
    }
    return place;
  }
}

/** A new volume begins with what the image has in its place. */
function copyFromImage(
  { id }: Container,
  source: string,
  target: string,
  runtime: ContainerRuntime,
): Promise<void> {
  const { agent } = runtime.host;
  const request = { program: '/usr/bin/busybox', environment: [] };
  return new Promise((resolve) => {
    const over = { failed: () => resolve(), output: () => {} };
    const unpack = agent.spawn(
      { ...request, arguments: ['tar', '-xpf', '-', '-C', target], input: true },
      { ...over, exited: () => resolve() },
    );
    // Below the container's root, so that a link in the image leads nowhere else.
    agent.spawn(
      { ...request, arguments: ['tar', '-cf', '-', '-C', source, '.'], root: placesOf(id).rootfs },
      {
        ...over,
        output: (stream, bytes) => (stream === 'stdout' ? unpack.write(bytes) : undefined),
        exited: () => unpack.end(),
      },
    );
  });
}
