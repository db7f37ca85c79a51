// The OCI runtime specification of a container (github.com/opencontainers/runtime-spec, config.md and
// config-linux.md), as Docker would have it.
import { capabilitiesOf } from './capabilities.ts';
import type { ProcessUser } from './container-users.ts';
import { badParameter } from './engine-error.ts';
import type { ContainerSettings, HostConfig } from './engine-types.ts';
import { seccompFilter } from './seccomp-filter.ts';
import { defaultSeccomp, type SeccompProfile, seccompOf } from './seccomp-profile.ts';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const DEFAULT_SHM = 64 * 1024 * 1024;
const CPU_PERIOD = 100_000;
const NANO_CPUS = 1e9;
const MOST_PROGRAMS = 64;

const MASKED_PATHS = [
  ...['/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats'],
  ...['/proc/timer_list', '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware'],
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
const NAMESPACES = ['mount', 'uts', 'ipc', 'cgroup'];
export interface OciMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

export interface OciProcess {
  terminal: boolean;
  user: { uid: number; gid: number; additionalGids: number[] };
  args: string[];
  env: string[];
  cwd: string;
  capabilities: Record<'bounding' | 'effective' | 'permitted', string[]>;
  noNewPrivileges: boolean;
  rlimits: { type: string; soft: number; hard: number }[];
  oomScoreAdj: number;
}

export interface OciSpec {
  ociVersion: string;
  process: OciProcess;
  root: { path: string; readonly: boolean };
  hostname?: string;
  annotations?: Record<string, string>;
  mounts: OciMount[];
  linux: {
    cgroupsPath: string;
    namespaces: { type: string; path?: string }[];
    resources: Record<string, unknown>;
    maskedPaths: string[];
    readonlyPaths: string[];
    sysctl: Record<string, string>;
    seccomp?: SeccompProfile;
  };
}

/** What a specification is made of, beside the container's settings. */
export interface SpecParts {
  settings: ContainerSettings;
  user: ProcessUser;
  rootfs: string;
  cgroupsPath: string;
  /** A network namespace that is there; undefined: the container host's own. */
  network: string | undefined;
  /** A PID namespace that is there; undefined: one of its own. */
  pid?: string;
  /** Volumes and files that are bound into the container, in the order in which they are mounted. */
  binds: readonly OciMount[];
  /** Path in the container of the program that is its first process with `--init`. */
  init?: string;
}

/** @throws {EngineError} 400 when the settings cannot be */
export function runtimeSpec(parts: SpecParts): OciSpec {
  const { settings, network, binds } = parts;
  const { HostConfig: host } = settings;
  const spec: OciSpec = {
    ociVersion: '1.1.0',
    process: containerProcess(parts),
    root: { path: parts.rootfs, readonly: host.ReadonlyRootfs ?? false },
    hostname: settings.Hostname,
    mounts: [...systemMounts(host), ...tmpfsMounts(host), ...binds],
    linux: {
      cgroupsPath: parts.cgroupsPath,
      namespaces: [
        ...NAMESPACES.map((type) => ({ type })),
        { type: 'pid', ...(parts.pid === undefined ? {} : { path: parts.pid }) },
        ...(network === undefined ? [] : [{ type: 'network', path: network }]),
      ],
      resources: resourcesOf(host),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
      sysctl: { ...(network === undefined ? {} : SYSCTLS), ...host.Sysctls },
    },
  };
  const { seccomp = 'builtin' } = securityOptions(host);
  if (seccomp === 'builtin') spec.annotations = { [SECCOMP_PROGRAM]: builtinSeccomp(spec) };
  else {
    const profile = seccompOf(seccomp);
    if (profile !== undefined) spec.linux.seccomp = profile;
  }
  return spec;
}

/** crun(1): a program for seccomp(2) instead of `linux.seccomp`, in Base64. */
const SECCOMP_PROGRAM = 'run.oci.seccomp_bpf_data';
/** Programs by the capabilities that they are for; there are few. */
const programs = new Map<string, string>();

function builtinSeccomp({ process }: OciSpec): string {
  const { bounding } = process.capabilities;
  const key = bounding.join();
  let program = programs.get(key);
  if (program === undefined) {
    program = btoa(String.fromCharCode(...seccompFilter(defaultSeccomp(bounding))));
    if (programs.size >= MOST_PROGRAMS) programs.clear();
    programs.set(key, program);
  }
  return program;
}

/** Ports below 1,024 and ping need no privilege in a network namespace of one's own. */
const SYSCTLS = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' };

function containerProcess({ settings, user, init }: SpecParts): OciProcess {
  const { HostConfig: host } = settings;
  const command = [...settings.Entrypoint, ...settings.Cmd];
  const first = command[0];
  if (first === undefined || first === '') throw badParameter('no command specified');
  return processOf(settings, user, {
    args: init === undefined ? command : [init, '--', ...command],
    env: environmentOf(settings, user),
    cwd: settings.WorkingDir,
    terminal: settings.Tty ?? false,
    rlimits: (host.Ulimits ?? []).map(({ Name, Soft, Hard }) => {
      return { type: `RLIMIT_${Name.toUpperCase()}`, soft: Soft, hard: Hard };
    }),
  });
}

/** A process of a container's, the first one or another. */
export function processOf(
  { HostConfig: host }: ContainerSettings,
  { uid, gid, additionalGids }: ProcessUser,
  own: Pick<OciProcess, 'args' | 'env' | 'cwd' | 'terminal'> & { rlimits?: OciProcess['rlimits'] },
): OciProcess {
  const bounding = capabilitiesOf(host.CapAdd, host.CapDrop);
  // Who is not root has them only by way of programs that give them.
  const effective = uid === 0 ? bounding : [];
  return {
    rlimits: [],
    ...own,
    cwd: own.cwd === '' ? '/' : own.cwd,
    user: { uid, gid, additionalGids },
    capabilities: { bounding, effective, permitted: effective },
    noNewPrivileges: securityOptions(host).noNewPrivileges,
    oomScoreAdj: host.OomScoreAdj ?? 0,
  };
}

/** The environment of a container's first process: what is set twice is as it was set last. */
export function environmentOf(
  { Env, Hostname, Tty }: Pick<ContainerSettings, 'Env' | 'Hostname' | 'Tty'>,
  { home }: ProcessUser,
): string[] {
  const all = new Map<string, string>();
  const defaults = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${Hostname}`, ...(Tty ? ['TERM=xterm'] : [])];
  for (const entry of [...defaults, ...Env]) {
    // A name alone takes a variable away.
    if (entry.includes('=')) all.set(entry.slice(0, entry.indexOf('=')), entry);
    else all.delete(entry);
  }
  if (!all.has('HOME')) all.set('HOME', `HOME=${home}`);
  return [...all.values()];
}

function systemMounts(host: HostConfig): OciMount[] {
  const shm = host.ShmSize ?? DEFAULT_SHM;
  const no = ['nosuid', 'noexec', 'nodev'];
  const all: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: no },
    {
      ...{ destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      ...{ destination: '/dev/pts', type: 'devpts', source: 'devpts' },
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...no, 'ro'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...no, 'ro'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: no },
    {
      ...{ destination: '/dev/shm', type: 'tmpfs', source: 'shm' },
      options: [...no, 'mode=1777', `size=${shm}`],
    },
  ];
  // What the container has in the place of one of ours is the container's.
  return all.filter(({ destination }) => host.Tmpfs?.[destination] === undefined);
}

function tmpfsMounts(host: HostConfig): OciMount[] {
  return Object.entries(host.Tmpfs ?? {}).map(([destination, given]) => {
    const options = given.split(',').filter((option) => option !== '');
    const bad = options.find(
      (option) => !/^(ro|rw|no\w+|exec|dev|suid|(size|mode|uid|gid|nr_inodes)=\w+%?)$/.test(option),
    );
    if (bad !== undefined) throw badParameter(`invalid tmpfs option: "${bad}"`);
    return {
      destination,
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['noexec', 'nosuid', 'nodev', ...options],
    };
  });
}

function resourcesOf(host: HostConfig): Record<string, unknown> {
  const { Memory = 0, NanoCpus = 0, CpuShares = 0, PidsLimit = 0, CpusetCpus = '' } = host;
  const cpu: Record<string, unknown> = {};
  if (NanoCpus > 0) {
    cpu.period = CPU_PERIOD;
    cpu.quota = Math.round((NanoCpus / NANO_CPUS) * CPU_PERIOD);
  } else if ((host.CpuQuota ?? 0) > 0) {
    cpu.quota = host.CpuQuota;
    cpu.period = host.CpuPeriod || CPU_PERIOD;
  }
  if (CpuShares > 0) cpu.shares = CpuShares;
  if (CpusetCpus !== '') cpu.cpus = CpusetCpus;
  // Devices: the agent restricts them for all containers (guests/container-host/agent/devices.c).
  return {
    // There is no swap: the limit is the same with it.
    ...(Memory > 0 ? { memory: { limit: Memory, swap: Memory } } : {}),
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(PidsLimit > 0 ? { pids: { limit: PidsLimit } } : {}),
  };
}

/** @throws {EngineError} 400 for an option that there is not */
export function securityOptions(host: HostConfig): { seccomp: string | undefined; noNewPrivileges: boolean } {
  let seccomp: string | undefined;
  let noNewPrivileges = false;
  for (const option of host.SecurityOpt ?? []) {
    const [name, value] = [option.replace(/[=:].*$/s, ''), option.replace(/^[^=:]*[=:]?/s, '')];
    if (name === 'seccomp' && value !== '') seccomp = value;
    else if (name === 'no-new-privileges') noNewPrivileges = value !== 'false';
    else throw badParameter(`invalid --security-opt 2: ${JSON.stringify(option)}`);
  }
  return { seccomp, noNewPrivileges };
}
