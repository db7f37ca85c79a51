import type { ContainerCreate, HostConfig } from '../engine/engine-types.ts';
import { DockerExit } from './docker-error.ts';
import type { Flags, FlagTable } from './docker-flags.ts';
import type { DockerIo } from './docker-io.ts';
import { exposedPorts, portBindings } from './docker-port.ts';

/** Flags of `docker create` and `docker run`. */
export const CREATE_FLAGS: FlagTable = {
  ...{ 'add-host': 'list', 'attach,a': 'list', 'cap-add': 'list', 'cap-drop': 'list', cidfile: 'value' },
  ...{ 'cpu-period': 'value', 'cpu-quota': 'value', 'cpu-shares,c': 'value', cpus: 'value' },
  ...{
    'cpuset-cpus': 'value',
    domainname: 'value',
    entrypoint: 'value',
    'env,e': 'list',
    'env-file': 'list',
  },
  ...{ expose: 'list', 'group-add': 'list', help: 'flag', 'hostname,h': 'value', init: 'flag' },
  ...{ 'interactive,i': 'flag', 'label,l': 'list', 'memory,m': 'value', 'memory-swap': 'value' },
  ...{ mount: 'list', privileged: 'flag', 'publish,p': 'list', 'publish-all,P': 'flag' },
  ...{ name: 'value', network: 'value', net: 'value', 'oom-score-adj': 'value', pid: 'value' },
  ...{ 'pids-limit': 'value', platform: 'value', pull: 'value', 'quiet,q': 'flag', 'read-only': 'flag' },
  ...{ restart: 'value', rm: 'flag', 'security-opt': 'list', 'shm-size': 'value', 'stop-signal': 'value' },
  ...{ 'stop-timeout': 'value', sysctl: 'list', tmpfs: 'list', 'tty,t': 'flag', ulimit: 'list' },
  ...{ 'user,u': 'value', 'volume,v': 'list', 'workdir,w': 'value' },
};
/** And those that only `docker run` has. */
export const RUN_FLAGS: FlagTable = {
  ...CREATE_FLAGS,
  'detach,d': 'flag',
  'sig-proxy': 'flag',
  'detach-keys': 'value',
};

const UNITS: Record<string, number> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const NANO = 1e9;

/**
 * A container as the flags ask for it.
 * @param words the image, and a command
 * @throws {DockerExit} 125 for a value that cannot be
 */
export async function createOptions(command: string, flags: Flags, io: DockerIo): Promise<ContainerCreate> {
  const [image, ...cmd] = flags.words;
  if (image === undefined) {
    throw new DockerExit(
      command === 'run' ? 125 : 1,
      `docker: 'docker ${command}' requires at least 1 argument\n\nUsage:  docker ${command} [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nSee 'docker ${command} --help' for more information`,
    );
  }
  if (flags.has('privileged')) {
    throw new DockerExit(125, 'docker: there are no privileged containers: use --cap-add and --security-opt');
  }
  const pull = flags.value('pull') ?? 'missing';
  if (!['always', 'missing', 'never'].includes(pull)) {
    throw new DockerExit(
      125,
      `docker: invalid pull option: '${pull}': must be one of "always", "missing" or "never"`,
    );
  }
  const entrypoint = flags.value('entrypoint');
  const interactive = flags.has('interactive');
  const tty = flags.has('tty');
  const labels: Record<string, string> = {};
  for (const label of flags.list('label')) labels[keyOf(label)] = label.slice(keyOf(label).length + 1);
  const timeout = flags.value('stop-timeout');
  return {
    Image: image,
    ...(cmd.length > 0 ? { Cmd: cmd } : {}),
    ...(entrypoint === undefined ? {} : { Entrypoint: [entrypoint] }),
    ...(flags.value('hostname') === undefined ? {} : { Hostname: flags.value('hostname') }),
    ...(flags.value('domainname') === undefined ? {} : { Domainname: flags.value('domainname') }),
    ...(flags.value('user') === undefined ? {} : { User: flags.value('user') }),
    ...(flags.value('workdir') === undefined ? {} : { WorkingDir: flags.value('workdir') }),
    ...(flags.value('stop-signal') === undefined ? {} : { StopSignal: flags.value('stop-signal') }),
    ...(timeout === undefined ? {} : { StopTimeout: numberOf('stop-timeout', timeout) }),
    Env: await environment(flags, io),
    Labels: labels,
    Tty: tty,
    OpenStdin: interactive,
    StdinOnce: interactive,
    ExposedPorts: Object.fromEntries(exposedPorts(flags).map((name) => [name, {}])),
    HostConfig: await hostConfig(flags, io),
  };
}

const keyOf = (text: string) => text.replace(/=.*$/s, '');

/** `--env-file` and `-e`: a name alone is that variable of the caller's. */
export async function environment(flags: Flags, io: DockerIo): Promise<string[]> {
  const files = await Promise.all(flags.list('env-file').map((path) => io.readText(path)));
  const lines = files
    .flatMap((text) => text.split(/\r?\n/))
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return [...lines, ...flags.list('env')].flatMap((entry) => {
    if (entry.includes('=')) return [entry];
    const value = io.environment(entry);
    return value === undefined ? [] : [`${entry}=${value}`];
  });
}

async function hostConfig(flags: Flags, io: DockerIo): Promise<HostConfig> {
  const size = (name: string) => {
    const text = flags.value(name);
    return text === undefined ? undefined : parseBytes(name, text);
  };
  const number = (name: string) => {
    const text = flags.value(name);
    return text === undefined ? undefined : numberOf(name, text);
  };
  const cpus = flags.value('cpus');
  const mounts = flags.list('mount').map(parseMount);
  const binds = mounts.flatMap(({ bind }) => bind ?? []);
  const host: HostConfig = {
    Binds: [...flags.list('volume'), ...binds].map((text) => absoluteBind(text, io)),
    Memory: size('memory'),
    NanoCpus: cpus === undefined ? undefined : Math.round(fractionOf('cpus', cpus) * NANO),
    CpuShares: number('cpu-shares'),
    CpuPeriod: number('cpu-period'),
    CpuQuota: number('cpu-quota'),
    CpusetCpus: flags.value('cpuset-cpus'),
    PidsLimit: number('pids-limit'),
    ReadonlyRootfs: flags.has('read-only'),
    Tmpfs: Object.fromEntries([
      ...flags.list('tmpfs').map((text) => [text.replace(/:.*$/s, ''), text.replace(/^[^:]*:?/s, '')]),
      ...mounts.flatMap(({ tmpfs }) => (tmpfs === undefined ? [] : [tmpfs])),
    ]),
    CapAdd: flags.list('cap-add'),
    CapDrop: flags.list('cap-drop'),
    SecurityOpt: await Promise.all(flags.list('security-opt').map((option) => withProfile(option, io))),
    Init: flags.has('init'),
    NetworkMode: flags.value('network') ?? flags.value('net') ?? 'default',
    RestartPolicy: restartPolicy(flags.value('restart') ?? 'no'),
    AutoRemove: flags.has('rm'),
    ShmSize: size('shm-size'),
    ExtraHosts: flags.list('add-host').map((entry) => entry.replace('=', ':')),
    GroupAdd: flags.list('group-add'),
    Ulimits: flags.list('ulimit').map(parseUlimit),
    Sysctls: Object.fromEntries(
      flags.list('sysctl').map((entry) => [keyOf(entry), entry.slice(keyOf(entry).length + 1)]),
    ),
    OomScoreAdj: number('oom-score-adj'),
    PidMode: flags.value('pid'),
    ...(flags.list('publish').length > 0 ? { PortBindings: portBindings(flags.list('publish')) } : {}),
    ...(flags.has('publish-all') ? { PublishAllPorts: true } : {}),
  };
  // What was not given is absent, and not undefined.
  return Object.fromEntries(Object.entries(host).filter(([, value]) => value !== undefined));
}

/** `--mount type=bind|volume|tmpfs,source=…,target=…[,readonly]`, as -v and --tmpfs have it. */
function parseMount(text: string): { bind?: string; tmpfs?: [target: string, options: string] } {
  const fields = new Map(text.split(',').map((part) => [keyOf(part), part.slice(keyOf(part).length + 1)]));
  const field = (...names: string[]) =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined);
  const [source, target] = [field('source', 'src'), field('target', 'destination', 'dst')];
  const known = 'type source src target destination dst readonly ro tmpfs-size tmpfs-mode'.split(' ');
  const unknown = [...fields.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid('mount', text, `unexpected key '${unknown}' in '${text}'`);
  if (target === undefined || target === '') throw invalid('mount', text, 'target is required');
  const type = fields.get('type') ?? 'volume';
  if (type === 'tmpfs') {
    const options = [
      ...(fields.has('tmpfs-size') ? [`size=${fields.get('tmpfs-size')}`] : []),
      ...(fields.has('tmpfs-mode') ? [`mode=${fields.get('tmpfs-mode')}`] : []),
    ];
    return { tmpfs: [target, options.join(',')] };
  }
  if (type !== 'bind' && type !== 'volume') throw invalid('mount', text, `mount type unknown: "${type}"`);
  if (type === 'bind' && !source) throw invalid('mount', text, 'source is required');
  const readonly = ['readonly', 'ro'].some((name) => fields.has(name) && fields.get(name) !== 'false');
  return { bind: `${source === undefined ? '' : `${source}:`}${target}${readonly ? ':ro' : ''}` };
}

function absoluteBind(text: string, io: DockerIo): string {
  if (!/^\.{0,2}\//.test(text) && text !== '.' && !text.startsWith('.:')) return text;
  const colon = text.indexOf(':');
  return colon < 0 ? text : `${io.absolutePath(text.slice(0, colon))}${text.slice(colon)}`;
}

async function withProfile(option: string, io: DockerIo): Promise<string> {
  const value = /^seccomp[=:](.+)$/s.exec(option)?.[1];
  if (value === undefined || value === 'unconfined' || value === 'builtin') return option;
  try {
    return `seccomp=${await io.readText(value)}`;
  } catch (error) {
    throw new DockerExit(
      125,
      `docker: opening seccomp profile (${value}) failed: ${(error as Error).message}`,
    );
  }
}

export function restartPolicy(text: string): NonNullable<HostConfig['RestartPolicy']> {
  const [name = '', count] = text.split(':');
  if (count !== undefined && !/^\d+$/.test(count)) {
    throw new DockerExit(
      125,
      'docker: invalid restart policy format: maximum retry count must be an integer',
    );
  }
  return { Name: name as 'no', ...(count === undefined ? {} : { MaximumRetryCount: Number(count) }) };
}

/** A size as docker has it: a number with b, k, m, g, with or without "b" behind. */
export function parseBytes(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?$/i.exec(text);
  if (match === null) throw invalid(name, text, `invalid size: '${text}'`);
  return Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
}

function numberOf(name: string, text: string): number {
  if (!/^-?\d+$/.test(text)) throw invalid(name, text, `strconv.ParseInt: parsing "${text}": invalid syntax`);
  return Number(text);
}

function fractionOf(name: string, text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw invalid(name, text, `failed to parse ${text} as a rational number`);
  return value;
}

function parseUlimit(text: string): { Name: string; Soft: number; Hard: number } {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw invalid('ulimit', text, `invalid ulimit argument: ${text}`);
  const soft = Number(match[2]);
  return { Name: match[1]!, Soft: soft, Hard: match[3] === undefined ? soft : Number(match[3]) };
}

const invalid = (name: string, text: string, why: string) =>
  new DockerExit(
    125,
    `invalid argument "${text}" for "--${name}" flag: ${why}\n\nRun 'docker run --help' for more information`,
  );
