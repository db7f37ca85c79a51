import type { VmLimits } from '../hypervisor/limits.ts';
import { ask, findMachine } from './control-client-node.ts';
import type { ControlRequest } from './control-protocol.ts';
import { CONTROL_HELP, UPDATE_HELP } from './help.ts';
import { LIMIT_OPTIONS, parseDriveRates, parseLimits } from './limit-options.ts';
import { parseOptions, parseSeconds } from './options.ts';
import { UsageError } from './usage-error.ts';

/** As `docker stop` has it. */
const STOP_SECONDS = 10;

/** Sends a request to machines of other processes, and prints their names as they have followed it. */
export async function tell(names: readonly string[], request: ControlRequest): Promise<number> {
  if (names.length === 0) throw new UsageError('which machine? Give its name; see hypertab top');
  for (const name of names) {
    const { path } = await findMachine(name);
    await ask(path, request);
    process.stdout.write(`${name}\n`);
  }
  return 0;
}

/** `hypertab pause`, `resume`, `reset` and `kill`: a word to a machine that runs in another process. */
export function simply(command: 'pause' | 'resume' | 'reset' | 'kill') {
  return async (args: readonly string[]): Promise<number> => {
    const { flags, words } = parseOptions(args, { help: 'flag' });
    if (!flags.has('help')) return tell(words, { command });
    process.stdout.write(CONTROL_HELP);
    return 0;
  };
}

/** `hypertab stop`: presses the power button and waits, as `docker stop` does. */
export async function stop(args: readonly string[]): Promise<number> {
  const { flags, values, words } = parseOptions(args, { time: 'value', force: 'flag', help: 'flag' });
  if (flags.has('help')) {
    process.stdout.write(CONTROL_HELP);
    return 0;
  }
  const seconds = values.time === undefined ? STOP_SECONDS : parseSeconds('--time', values.time);
  return tell(words, { command: 'stop', timeoutMs: seconds * 1000, force: flags.has('force') });
}

/** `hypertab update`: changes limits of a running machine, as `docker update` does. */
export async function update(args: readonly string[]): Promise<number> {
  const { flags, values, lists, words } = parseOptions(args, {
    ...LIMIT_OPTIONS,
    drive: 'list',
    help: 'flag',
  });
  if (flags.has('help')) {
    process.stdout.write(UPDATE_HELP);
    return 0;
  }
  const limits: VmLimits = parseLimits(values);
  if (lists.drive.length > 0) limits.driveRates = Object.fromEntries(lists.drive.map(parseDriveRates));
  if (Object.keys(limits).length === 0) {
    throw new UsageError(
      'there is nothing to change: give --cpus, --weight, --memory-limit, --lease or --drive',
    );
  }
  return tell(words, { command: 'update', limits });
}
