import { checkCommand } from '../hypervisor/run-command.ts';
import { parseMemory } from '../hypervisor/size.ts';
import type { VmDrive, VmOptions, VmShare } from '../hypervisor/types.ts';
import type { Engine } from '../machine/machine-types.ts';
import { LIMIT_OPTIONS, parseLimits, parseRate, RATE_PATTERN } from './limit-options.ts';
import { parseChoice, parseCount, parseOptions, parseSeconds } from './options.ts';
import { UsageError } from './usage-error.ts';

export const ENGINES = ['auto', 'interpreter', 'translator'] as const satisfies readonly Engine[];

/** What `hypertab run` was asked for. */
export interface RunRequest {
  help: boolean;
  vm: VmOptions;
  exec: string | undefined;
  timeout: number | undefined;
  stats: boolean;
  signature: string | undefined;
  /** Where the machine is saved to. */
  save: string | undefined;
  /** A file or a stored snapshot to go on from, instead of booting. */
  restore: string | undefined;
  /** Go on from where the guest stood at its prompt the last time, where that is kept. */
  warm: boolean;
}

/**
 * Reads `TAG=DIRECTORY[,readonly]`. A directory's name may hold commas: only a word that is an option ends it.
 * @throws {UsageError}
 */
export function parseShare(text: string): VmShare {
  const equals = text.indexOf('=');
  const readonly = text.endsWith(',readonly');
  const path = text.slice(equals + 1, readonly ? -',readonly'.length : undefined);
  if (equals < 1 || path === '') {
    throw new UsageError(`--share: '${text}' is no share; give TAG=DIRECTORY or TAG=DIRECTORY,readonly`);
  }
  return { tag: text.slice(0, equals), kind: 'directory', path, readonly };
}

/**
 * Reads `FILE[,readonly][,snapshot][,werror=report|enospc][,bps=RATE][,iops=N]`. A file's name may hold commas: only words that are options end it.
 * @throws {UsageError}
 */
export function parseDrive(text: string): VmDrive {
  let path = text;
  const options: Pick<VmDrive, 'readonly' | 'snapshot' | 'rates' | 'werror'> = {};
  for (;;) {
    const rate = RATE_PATTERN.exec(path);
    if (rate) {
      path = path.slice(0, rate.index);
      options.rates = { ...parseRate(rate[1]!, rate[2]!), ...options.rates };
      continue;
    }
    const werror = /,werror=(report|enospc)$/.exec(path);
    if (werror) {
      path = path.slice(0, werror.index);
      options.werror = werror[1] as 'report' | 'enospc';
      continue;
    }
    const option = /,(readonly|snapshot)$/.exec(path);
    if (!option) break;
    path = path.slice(0, option.index);
    options[option[1] as 'readonly' | 'snapshot'] = true;
  }
  if (path === '') throw new UsageError(`--drive: '${text}' names no file; give FILE[,readonly][,snapshot]`);
  return { kind: 'file', path, ...options };
}

/**
 * A name to be typed, not one to be mistaken for an option or a process.
 * @throws {UsageError}
 */
function parseName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text) && !/^\d+$/.test(text)) return text;
  throw new UsageError(
    `--name: '${text}' is none; give letters, digits, dots, dashes and underscores, not digits alone`,
  );
}

/**
 * There is nothing yet that a lone machine could be connected to.
 * @throws {UsageError}
 */
function checkNet(text: string): void {
  if (parseChoice('--net', text, ['none', 'user']) === 'user') {
    throw new UsageError(
      "--net user: this version has no way out to the host's network; machines of one program can share a network " +
        '(option network of the library). Leave --net out, or give none',
    );
  }
}

/**
 * A restored machine is as it was saved.
 * @throws {UsageError}
 */
function checkRestore(vm: VmOptions): void {
  const fixed = [
    ['a guest', vm.guest],
    ['--append', vm.append],
    ['--no-reboot', vm.noReboot],
    ['--snapshot', vm.snapshot],
  ] as const;
  for (const [name, value] of fixed) {
    if (value === undefined) continue;
    throw new UsageError(`--restore: the machine is what it was when it was saved; leave out ${name}`);
  }
}

/**
 * Reads the words after `hypertab run`.
 * @throws {UsageError} {OptionError}
 */
export function parseRun(args: readonly string[]): RunRequest {
  const { flags, values, lists, words } = parseOptions(args, {
    memory: 'value',
    kernel: 'value',
    initrd: 'value',
    append: 'value',
    share: 'list',
    drive: 'list',
    net: 'value',
    bios: 'value',
    engine: 'value',
    exec: 'value',
    timeout: 'value',
    'max-instructions': 'value',
    signature: 'value',
    save: 'value',
    restore: 'value',
    name: 'value',
    ...LIMIT_OPTIONS,
    'no-reboot': 'flag',
    snapshot: 'flag',
    warm: 'flag',
    stats: 'flag',
    help: 'flag',
  });
  if (words.length > 1)
    throw new UsageError(`one guest at a time: what is '${words[1]}'? Quote what has spaces`);
  const vm: VmOptions = parseLimits(values);
  if (values.name !== undefined) vm.name = parseName(values.name);
  const guest = words[0];
  if (guest !== undefined) vm.guest = guest;
  if (values.memory !== undefined) vm.memory = parseMemory(values.memory);
  if (values.kernel !== undefined) vm.kernel = values.kernel;
  if (values.initrd !== undefined) vm.initrd = values.initrd;
  if (values.append !== undefined) vm.append = values.append;
  if (values.bios !== undefined) vm.bios = values.bios;
  if (values.engine !== undefined) vm.engine = parseChoice('--engine', values.engine, ENGINES);
  if (values['max-instructions'] !== undefined) {
    vm.maxInstructions = parseCount('--max-instructions', values['max-instructions']);
  }
  if (lists.drive.length > 0) vm.drives = lists.drive.map(parseDrive);
  if (lists.share.length > 0) vm.shares = lists.share.map(parseShare);
  if (values.net !== undefined) checkNet(values.net);
  if (flags.has('no-reboot')) vm.noReboot = true;
  if (flags.has('snapshot')) vm.snapshot = true;
  const help = flags.has('help');
  for (const option of ['save', 'restore'] as const) {
    if (values[option] === '') throw new UsageError(`--${option} names no file; give FILE.htvm`);
  }
  if (values.restore !== undefined) checkRestore(vm);
  if (flags.has('warm') && guest === undefined) throw new UsageError('--warm goes with a guest only');
  const bios = vm.bios === 'none' ? undefined : vm.bios;
  if (
    !help &&
    values.restore === undefined &&
    guest === undefined &&
    vm.kernel === undefined &&
    bios === undefined
  ) {
    throw new UsageError(
      'there is nothing to boot: give a guest (see hypertab guest ls), --kernel or --bios',
    );
  }
  if (values.exec !== undefined) checkCommand(values.exec);
  return {
    help,
    vm,
    exec: values.exec,
    timeout: values.timeout === undefined ? undefined : parseSeconds('--timeout', values.timeout),
    stats: flags.has('stats'),
    signature: values.signature,
    save: values.save,
    restore: values.restore,
    warm: flags.has('warm'),
  };
}
