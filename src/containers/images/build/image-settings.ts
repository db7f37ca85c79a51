// Instructions that change how containers of an image are run, and nothing in it.
import { ImageStoreError } from '../image-store-error.ts';
import type { ContainerConfig, HealthConfig, ImageConfig } from '../types.ts';
import { dockerfileError } from './build-error.ts';
import type { Instruction } from './dockerfile.ts';
import { expandWord, expandWords, splitWords, type Variables } from './words.ts';

/** What instructions of settings are read with. */
export interface SettingsContext {
  variables: Variables;
  escapeSign: string;
  /** CMD was set in this stage: an ENTRYPOINT after it does not take it away. */
  cmdIsSet: boolean;
}

const NS_PER: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
};
const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** A command as it is run: of a JSON array as it stands, else by the image's shell. */
export function commandOf(
  { json, rest }: Pick<Instruction, 'json' | 'rest'>,
  config: ContainerConfig,
): string[] {
  return json ?? [...(config.Shell ?? DEFAULT_SHELL), rest];
}

/** `NAME=VALUE` in place of the one of that name. */
export function withEnv(env: readonly string[], name: string, value: string): string[] {
  const index = env.findIndex((entry) => entry.startsWith(`${name}=`));
  const entry = `${name}=${value}`;
  return index < 0 ? [...env, entry] : env.map((other, at) => (at === index ? entry : other));
}

/**
 * The configuration after an instruction; undefined when it is not one of settings.
 * @throws {ImageStoreError} invalid, with the line
 */
export function applySetting(
  instruction: Instruction,
  image: ImageConfig,
  context: SettingsContext,
): ImageConfig | undefined {
  const config = { ...image.config };
  const { name, rest, json, line } = instruction;
  const word = () => expandWord(rest, context.variables, context.escapeSign);
  const words = () => expandWords(rest, context.variables, context.escapeSign);
  switch (name) {
    case 'ENV':
      for (const [key, value] of pairsOf(instruction, context))
        config.Env = withEnv(config.Env ?? [], key, value);
      break;
    case 'LABEL':
      config.Labels = { ...config.Labels, ...Object.fromEntries(pairsOf(instruction, context)) };
      break;
    case 'EXPOSE':
      config.ExposedPorts = { ...config.ExposedPorts };
      for (const text of words()) for (const port of portsOf(text, line)) config.ExposedPorts[port] = {};
      break;
    case 'VOLUME':
      config.Volumes = { ...config.Volumes };
      for (const path of json ?? words()) {
        if (path.trim() === '') throw dockerfileError(line, 'VOLUME specified can not be an empty string');
        config.Volumes[path] = {};
      }
      break;
    case 'USER':
      config.User = word();
      break;
    case 'CMD':
      config.Cmd = commandOf(instruction, config);
      break;
    case 'ENTRYPOINT':
      config.Entrypoint = commandOf(instruction, config);
      if (!context.cmdIsSet) delete config.Cmd;
      break;
    case 'SHELL':
      if (json === undefined || json.length === 0)
        throw dockerfileError(line, 'SHELL requires the arguments to be in JSON form');
      config.Shell = json;
      break;
    case 'STOPSIGNAL':
      config.StopSignal = word();
      if (!/^(?:\d{1,2}|(?:SIG)?[A-Z][A-Z0-9+-]{1,11})$/i.test(config.StopSignal)) {
        throw dockerfileError(line, `invalid signal: ${config.StopSignal}`);
      }
      break;
    case 'HEALTHCHECK':
      config.Healthcheck = healthOf(instruction, config);
      break;
    case 'ONBUILD':
      if (/^(?:ONBUILD|FROM|MAINTAINER)\b/i.test(rest)) {
        throw dockerfileError(
          line,
          `${rest.split(/\s/)[0]!.toUpperCase()} isn't allowed as an ONBUILD trigger`,
        );
      }
      config.OnBuild = [...(config.OnBuild ?? []), rest];
      break;
    case 'MAINTAINER':
      return { ...image, author: rest };
    default:
      return undefined;
  }
  return { ...image, config };
}

/** `NAME=VALUE …`, or the older `NAME VALUE`. */
function pairsOf(
  { name, rest, line }: Instruction,
  { variables, escapeSign }: SettingsContext,
): [string, string][] {
  const words = splitWords(rest, escapeSign);
  if (!words[0]!.includes('=')) {
    const [, key, value] = /^(\S+)\s+([\s\S]*)$/.exec(rest) ?? [];
    if (key === undefined) throw dockerfileError(line, `${name} must have two arguments`);
    return [[expandWord(key, variables, escapeSign), expandWord(value!, variables, escapeSign)]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) {
      throw dockerfileError(
        line,
        `Syntax error - can't find = in "${word}". Must be of the form: name=value`,
      );
    }
    const key = expandWord(word.slice(0, equals), variables, escapeSign);
    if (key === '') throw dockerfileError(line, `${name} names can not be blank`);
    return [key, expandWord(word.slice(equals + 1), variables, escapeSign)];
  });
}

function portsOf(text: string, line: number): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match === null || from > to || to > 65535)
    throw dockerfileError(line, `Invalid containerPort: ${text}`);
  return Array.from(
    { length: to - from + 1 },
    (_, index) => `${from + index}/${(match[3] ?? 'tcp').toLowerCase()}`,
  );
}

function healthOf({ flags, rest, line }: Instruction, config: ContainerConfig): HealthConfig {
  const [, kind = '', after = ''] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (kind.toUpperCase() === 'NONE') return { Test: ['NONE'] };
  if (kind.toUpperCase() !== 'CMD')
    throw dockerfileError(line, `Unknown type "${kind.toUpperCase()}" in HEALTHCHECK (try CMD)`);
  let json: string[] | undefined;
  try {
    const value: unknown = after.startsWith('[') ? JSON.parse(after) : undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) json = value;
  } catch {
    // Then it is a command for the shell.
  }
  const isShell = json === undefined && config.Shell === undefined;
  const health: HealthConfig = {
    Test: isShell ? ['CMD-SHELL', after] : ['CMD', ...commandOf({ json, rest: after }, config)],
  };
  const fields = { interval: 'Interval', timeout: 'Timeout', 'start-period': 'StartPeriod' } as const;
  for (const [flag, field] of Object.entries(fields)) {
    const value = flags.get(flag);
    if (value !== undefined) health[field] = durationOf(value, line);
  }
  const retries = flags.get('retries');
  if (retries !== undefined) health.Retries = Number(retries);
  return health;
}

/** Go's durations: `1m30s`. */
function durationOf(text: string, line: number): number {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text))
    throw dockerfileError(line, `time: invalid duration "${text}"`);
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(number) * NS_PER[unit!]!;
  return Math.round(sum);
}

/** Flags that an instruction knows; others are an error. */
export function checkFlags({ name, flags, line }: Instruction): void {
  const known: Partial<Record<string, readonly string[]>> = {
    FROM: ['platform'],
    COPY: ['from', 'chown', 'chmod', 'link'],
    ADD: ['chown', 'chmod', 'link'],
    HEALTHCHECK: ['interval', 'timeout', 'start-period', 'start-interval', 'retries'],
    RUN: [],
  };
  for (const flag of flags.keys()) {
    if (known[name]?.includes(flag)) continue;
    throw dockerfileError(line, `unknown flag: --${flag}`);
  }
}

/** The error of something that only a caller can give. */
export function missingRunner(line: number): ImageStoreError {
  return new ImageStoreError(
    'invalid',
    `line ${line}: RUN needs a machine to run in, and this build was given none`,
  );
}
