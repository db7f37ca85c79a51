// What containers do in the container host: their mounts, their network, crun, and what is left when they end.

import type { TreeSource } from '../../storage/tree/tree-spec.ts';
import type { AgentBatch } from './agent-client.ts';
import { AgentError } from './agent-error.ts';
import type { AgentProcess, ProcessEvents } from './agent-types.ts';
import { BRIDGE } from './bridge-network.ts';
import type { ContainerHost } from './container-host.ts';
import { findUser, type ProcessUser } from './container-users.ts';
import { EngineError } from './engine-error.ts';
import { QuietWork } from './quiet-work.ts';
import type { OciMount, OciProcess, OciSpec } from './runtime-spec.ts';

const CRUN = '/usr/bin/crun';
const MNT_DETACH = 2;
const ETC = ['hosts', 'hostname', 'resolv.conf'] as const;
/** Times to try to remove a cgroup: a process that has just been killed is still in it. */
const CGROUP_TRIES = 50;
const CGROUP_WAIT_MS = 20;
const MOST_USERS = 256;
const LOG_TEXT = /^(?:\d{4}-\d\d-\d\dT\S+\s+)?(?::\s*)?/gm;

/** Where network namespaces are kept in the container host. */
export const NETWORKS = '/run/n';

/** Where the parts of a container are in the container host. */
export function placesOf(id: string) {
  const folder = `/run/c/${id.slice(0, 12)}`;
  const writable = `/w/${id.slice(0, 12)}`;
  return {
    folder,
    rootfs: `${folder}/r`,
    writable,
    upper: `${writable}/u`,
    work: `${writable}/w`,
    bundle: `${folder}/b`,
    log: `${folder}/b/log`,
    cgroupsPath: `/docker/${id.slice(0, 12)}`,
    cgroup: `/sys/fs/cgroup/docker/${id.slice(0, 12)}`,
    state: `/run/crun/${id.slice(0, 12)}`,
  };
}

/** Containers' way into one container host. */
export class ContainerRuntime {
  readonly host: ContainerHost;
  readonly quiet = new QuietWork();
  /** Directories of layers by the digests of their contents. */
  readonly #layers = new Map<string, Promise<string>>();
  /** Users by the layers that name them and what was asked for. */
  readonly #users = new Map<string, ProcessUser>();
  #count = 0;

  constructor(host: ContainerHost) {
    this.host = host;
    host.onLost(() => this.quiet.close());
  }

  get #agent() {
    return this.host.agent;
  }

  /** Makes a container's root: its layers, and what it writes on top of them. */
  async prepare(id: string, layers: readonly TreeSource[], diffIds: readonly string[]): Promise<void> {
    const batch = this.#agent.batch();
    this.#addRoot(batch, id, await this.attach(layers, diffIds));
    await batch.done();
  }

  /** Shows layers to the container host; answers where they are there. */
  attach(layers: readonly TreeSource[], diffIds: readonly string[]): Promise<string[]> {
    return Promise.all(
      layers.map((tree, index) => {
        const key = diffIds[index]!;
        let place = this.#layers.get(key);
        if (place === undefined) {
          place = this.host.attachLayer(tree);
          this.#layers.set(key, place);
          place.catch(() => this.#layers.delete(key));
        }
        return place;
      }),
    );
  }

  #addRoot(batch: AgentBatch, id: string, lower: readonly string[]): void {
    const { rootfs, upper, work, bundle } = placesOf(id);
    for (const path of [work, upper, rootfs, bundle]) batch.makeDirectory(path);
    const options = `lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work}`;
    batch.mount('overlay', rootfs, 'overlay', 0, options);
  }

  /** Where layers are in the container host. */
  layerPlaces(diffIds: readonly string[]): Promise<string[]> {
    return Promise.all(diffIds.flatMap((key) => this.#layers.get(key) ?? []));
  }

  /** The mounts that put into /etc what start() writes. */
  etcMounts(id: string): OciMount[] {
    const { folder } = placesOf(id);
    return ETC.map((name) => ({
      destination: `/etc/${name}`,
      type: 'bind',
      source: `${folder}/${name}`,
      options: ['rbind', 'rprivate'],
    }));
  }

  writeHosts(id: string, text: string): Promise<void> {
    return this.#agent.writeFile(`${placesOf(id).folder}/hosts`, text);
  }

  /** Makes a network namespace; without an address it has lo alone. */
  async makeNetwork(path: string, address?: number): Promise<void> {
    if (address === undefined) {
      await this.#agent.network(path);
      return;
    }
    const { name: bridge, prefix, gateway } = BRIDGE;
    const plug = {
      bridge,
      interface: `veth${path.slice(path.lastIndexOf('/') + 1)}`,
      address,
      prefix,
      gateway,
    };
    await this.#agent.network(path, plug);
  }

  async removeNetwork(path: string): Promise<void> {
    await this.#agent.unmount(path, MNT_DETACH);
    await this.#agent.remove(path);
  }

  /** Who a user is in a container that has written nothing yet; undefined when that was not asked before. */
  knownUser(
    diffIds: readonly string[],
    given: string,
    groupAdd: readonly string[] = [],
  ): ProcessUser | undefined {
    return this.#users.get(JSON.stringify([diffIds, given, groupAdd]));
  }

  /** Keeps who a user is in a container that has written nothing yet. */
  noteUser(
    diffIds: readonly string[],
    given: string,
    groupAdd: readonly string[] | undefined,
    user: ProcessUser,
  ): void {
    if (this.#users.size >= MOST_USERS) this.#users.clear();
    this.#users.set(JSON.stringify([diffIds, given, groupAdd ?? []]), user);
  }

  /** Who a user of the image is, by the container's own files. */
  async findUser(id: string, given: string, groupAdd: readonly string[] = []): Promise<ProcessUser> {
    const { rootfs: root } = placesOf(id);
    const read = (path: string) =>
      this.#agent.readText(path, { root }).catch((error: unknown) => {
        if (error instanceof AgentError) return '';
        throw error;
      });
    const [passwd, group] = await Promise.all([read('/etc/passwd'), read('/etc/group')]);
    return findUser(given, passwd, group, groupAdd);
  }

  /**
   * Starts a container. `events.exited` comes once it has ended; when it could not start, started is false.
   * @param lower where its layers are, when it has no root yet
   * @param etc what it finds in /etc
   */
  start(
    id: string,
    lower: readonly string[] | undefined,
    etc: Readonly<Record<(typeof ETC)[number], string>>,
    spec: OciSpec,
    input: boolean,
    events: ProcessEvents,
  ): AgentProcess {
    const { bundle, folder } = placesOf(id);
    const { terminal } = spec.process;
    // One write, and one wait for the answer.
    const batch = this.#agent.batch();
    if (lower !== undefined) this.#addRoot(batch, id, lower);
    else batch.makeDirectory(bundle);
    for (const name of ETC) batch.writeFile(`${folder}/${name}`, etc[name]);
    batch.writeFile(`${bundle}/config.json`, JSON.stringify(spec), 0o600);
    return this.#crun(
      id,
      `${bundle}/first`,
      ['run', '--keep', `--bundle=${bundle}`],
      terminal,
      input,
      events,
      batch,
    );
  }

  /** Runs another process in a container. */
  exec(
    id: string,
    process: OciProcess,
    input: boolean,
    events: Omit<ProcessEvents, 'exited'> & {
      exited(exit: { started: boolean; code: number; why: () => Promise<string> }): void;
    },
  ): AgentProcess {
    const base = `${placesOf(id).bundle}/${++this.#count}`;
    const batch = this.#agent.batch();
    batch.writeFile(`${base}.json`, JSON.stringify(process), 0o600);
    const clean = () => {
      for (const ending of ['json', 'pid', 'log']) this.#agent.remove(`${base}.${ending}`).catch(() => {});
    };
    return this.#crun(
      id,
      base,
      ['exec', '--detach', `--process=${base}.json`],
      process.terminal,
      input,
      {
        ...events,
        exited: (exit) => {
          const why = () => this.#failure(base);
          events.exited({ ...exit, why });
          if (exit.started) clean();
        },
      },
      batch,
    );
  }

  /** Why crun did not start something, in its words. */
  async #failure(base: string): Promise<string> {
    const text = await this.#agent.readText(`${base}.log`).catch(() => '');
    return text.replace(LOG_TEXT, '').trim().replaceAll('\n', ': ') || 'it gave no reason';
  }

  failureOfStart(id: string): Promise<string> {
    return this.#failure(`${placesOf(id).bundle}/first`);
  }

  signal(process: number, signal: number): Promise<void> {
    return this.#agent.signal(process, signal);
  }

  /** Stops or lets go of every process of a container (cgroup v2, "cgroup.freeze"). */
  async freeze(id: string, frozen: boolean): Promise<void> {
    const { cgroup } = placesOf(id);
    await this.#agent.writeFile(`${cgroup}/cgroup.freeze`, frozen ? '1' : '0', 0);
    for (;;) {
      const events = await this.#agent.readText(`${cgroup}/cgroup.events`);
      if (events.includes(`frozen ${frozen ? 1 : 0}`)) return;
    }
  }

  /** True when the kernel has killed something of the container's for want of memory. */
  async ranOutOfMemory(id: string): Promise<boolean> {
    const events = await this.#agent.readText(`${placesOf(id).cgroup}/memory.events`).catch(() => '');
    return /^oom_kill [1-9]/m.test(events);
  }

  /**
   * Gives up what a container that has ended had for its run: cgroup, network, crun's record of it. That is what
   * `crun delete` does, which costs 11 million instructions for it.
   */
  async release(id: string, network: string | undefined): Promise<void> {
    const { cgroup, state, bundle } = placesOf(id);
    const done = [this.#agent.remove(state), this.#agent.remove(bundle)];
    if (network !== undefined) done.push(this.removeNetwork(network));
    done.push(this.#removeCgroup(cgroup));
    const failed = (await Promise.allSettled(done)).find((result) => result.status === 'rejected');
    if (failed !== undefined && this.host.lost === undefined) throw failed.reason;
  }

  /** Removes all that there is of a container. */
  async remove(id: string): Promise<void> {
    const { folder, rootfs, writable } = placesOf(id);
    const unmounted = this.#agent.unmount(rootfs, MNT_DETACH).catch((error: unknown) => {
      if (!(error instanceof AgentError)) throw error;
    });
    await Promise.all([unmounted, this.#agent.remove(folder), this.#agent.remove(writable)]);
  }

  /**
   * Runs a program of BusyBox's below a container's root, which it cannot leave, whatever links are there.
   * @param process a process of the container's, when it runs: then what is mounted in it is seen too
   */
  runBelow(
    id: string,
    process: number,
    command: readonly string[],
    input: boolean,
    events: ProcessEvents,
  ): AgentProcess {
    const root = process > 0 ? `/proc/${process}/root` : placesOf(id).rootfs;
    const request = { program: '/usr/bin/busybox', arguments: command, environment: [], root, input };
    return this.#agent.spawn(request, events);
  }

  async #removeCgroup(path: string): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await this.#agent.removeDirectory(path);
        return;
      } catch (error) {
        if (!(error instanceof AgentError) || error.code === 'ENOENT') return;
        if (error.code !== 'EBUSY' || tries >= CGROUP_TRIES) throw error;
        await this.#agent.writeFile(`${path}/cgroup.kill`, '1', 0).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, CGROUP_WAIT_MS));
      }
    }
  }

  #crun(
    id: string,
    base: string,
    command: readonly string[],
    terminal: boolean,
    input: boolean,
    events: ProcessEvents,
    batch: AgentBatch,
  ): AgentProcess {
    const socket = `${base}.sock`;
    const process = batch.spawn(
      {
        program: CRUN,
        arguments: [
          ...['crun', '--cgroup-manager=cgroupfs', `--log=${base}.log`, ...command],
          ...[`--pid-file=${base}.pid`, ...(terminal ? [`--console-socket=${socket}`] : []), id.slice(0, 12)],
        ],
        environment: [],
        input,
        follow: `${base}.pid`,
        stays: command[0] === 'run',
        ...(terminal ? { terminal: { columns: 80, rows: 24 }, consoleSocket: socket } : {}),
      },
      {
        ...events,
        // When what comes before it could not be done, that is the reason.
        failed: (error) => {
          batch.done().then(
            () => events.failed(error),
            (reason: Error) => events.failed(reason),
          );
        },
      },
    );
    batch.done().catch(() => {});
    return process;
  }
}

/** What Docker says of a container that its runtime could not start; and the exit status for it. */
export function startError(reason: string): { error: EngineError; code: number } {
  const message = `failed to create task for container: failed to create shim task: OCI runtime create failed: crun: ${reason}: unknown`;
  const code = /not found|no such file or directory/i.test(reason)
    ? 127
    : /permission denied|is a directory|not a directory|exec format/i.test(reason)
      ? 126
      : 128;
  return { error: new EngineError(code === 128 ? 500 : 400, message), code };
}
