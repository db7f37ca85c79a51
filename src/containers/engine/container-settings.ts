import type { ContainerConfig } from '../images/types.ts';
import { badParameter } from './engine-error.ts';
import type { ContainerCreate, ContainerSettings } from './engine-types.ts';
import { runtimeSpec } from './runtime-spec.ts';
import { signalNumber } from './signals.ts';

/** The least that Docker takes, in bytes. */
const LEAST_MEMORY = 6 * 1024 * 1024;
const HOSTNAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/;
const NETWORKS = ['default', 'bridge', 'none', 'host'];
const NOBODY = { uid: 0, gid: 0, additionalGids: [], home: '/' };

/**
 * A container's settings: what is asked for, and the image's defaults for the rest.
 * @throws {EngineError} 400 for what cannot be
 */
export function settingsOf(asked: ContainerCreate, image: ContainerConfig, id: string): ContainerSettings {
  const { HostConfig: host = {} } = asked;
  // With an entry point of its own, a container does not get the image's command.
  const ownEntrypoint = asked.Entrypoint !== undefined && asked.Entrypoint !== null;
  const own = asked.Cmd ?? [];
  const settings: ContainerSettings = {
    ...asked,
    Hostname: asked.Hostname || (host.NetworkMode === 'host' ? 'container-host' : id.slice(0, 12)),
    User: asked.User ?? image.User ?? '',
    Env: mergeEnvironment(image.Env ?? [], asked.Env ?? []),
    Entrypoint: (ownEntrypoint ? asked.Entrypoint : image.Entrypoint) ?? [],
    Cmd: own.length > 0 || ownEntrypoint ? own : (image.Cmd ?? []),
    WorkingDir: asked.WorkingDir || image.WorkingDir || '/',
    Labels: { ...image.Labels, ...asked.Labels },
    Volumes: { ...image.Volumes, ...asked.Volumes },
    ExposedPorts: { ...image.ExposedPorts, ...asked.ExposedPorts },
    StopSignal: asked.StopSignal ?? image.StopSignal ?? 'SIGTERM',
    HostConfig: { ...host },
  };
  if (settings.Entrypoint[0] === '') settings.Entrypoint = [];
  check(settings);
  // What the runtime would not be told is refused now, and not when the container starts.
  runtimeSpec({ settings, user: NOBODY, rootfs: '', cgroupsPath: '', network: undefined, binds: [] });
  return settings;
}

function mergeEnvironment(image: readonly string[], own: readonly string[]): string[] {
  const name = (entry: string) => entry.replace(/=.*$/s, '');
  const set = new Set(own.map(name));
  return [...image.filter((entry) => !set.has(name(entry))), ...own];
}

function check({
  HostConfig: host,
  Hostname,
  WorkingDir,
  Env,
  StopSignal = 'SIGTERM',
}: ContainerSettings): void {
  const { Memory = 0, NanoCpus = 0, NetworkMode = 'default', RestartPolicy, CpusetCpus = '' } = host;
  if (Memory !== 0 && !(Memory >= LEAST_MEMORY)) throw badParameter('Minimum memory limit allowed is 6MB');
  if (!Number.isFinite(NanoCpus) || NanoCpus < 0 || (NanoCpus > 0 && NanoCpus > 1e9)) {
    throw badParameter(`Range of CPUs is from 0.01 to 1.00, as there are only 1 CPUs available`);
  }
  if (CpusetCpus !== '' && CpusetCpus !== '0') {
    throw badParameter(`Requested CPUs are not available - requested ${CpusetCpus}, available: 0`);
  }
  if (!HOSTNAME.test(Hostname)) throw badParameter(`invalid hostname format: ${Hostname}`);
  if (!WorkingDir.startsWith('/')) {
    throw badParameter(`the working directory '${WorkingDir}' is invalid, it needs to be an absolute path`);
  }
  if (!NETWORKS.includes(NetworkMode) && !/^container:./.test(NetworkMode)) {
    throw badParameter(`network ${NetworkMode} not found`);
  }
  for (const entry of Env) {
    if (entry === '' || entry.startsWith('=')) throw badParameter(`invalid environment variable: ${entry}`);
  }
  signalNumber(StopSignal);
  const { Name = 'no', MaximumRetryCount = 0 } = RestartPolicy ?? {};
  if (!['', 'no', 'always', 'on-failure', 'unless-stopped'].includes(Name)) {
    throw badParameter(
      `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (MaximumRetryCount !== 0 && Name !== 'on-failure') {
    throw badParameter("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  if (host.AutoRemove && Name !== 'no' && Name !== '') {
    throw badParameter("can't create 'AutoRemove' container with restart policy");
  }
}
