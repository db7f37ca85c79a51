import { findMachines } from './control-client-node.ts';
import type { MachineStatus } from './control-protocol.ts';
import { TOP_HELP } from './help.ts';
import { parseOptions, parseSeconds } from './options.ts';
import { formatTable } from './top-table.ts';

const INTERVAL_SECONDS = 2;
/** ECMA-48: cursor home, erase below. */
const HOME = '\x1b[H\x1b[J';

/** `hypertab top`: the machines of this user, live, as `docker stats` shows containers. */
export async function top(args: readonly string[]): Promise<number> {
  const { flags, values } = parseOptions(args, {
    json: 'flag',
    'no-stream': 'flag',
    interval: 'value',
    help: 'flag',
  });
  if (flags.has('help')) {
    process.stdout.write(TOP_HELP);
    return 0;
  }
  const seconds =
    values.interval === undefined ? INTERVAL_SECONDS : parseSeconds('--interval', values.interval);
  const json = flags.has('json');
  let ended = false;
  let wake = () => {};
  const end = () => {
    ended = true;
    wake();
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  process.stdout.on('error', end);
  while (!ended) {
    const machines = (await findMachines()).map(({ status }) => status);
    process.stdout.write(json ? toJson(machines) : screen(machines));
    if (flags.has('no-stream')) break;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  return 0;
}

/** One array on one line for each look. */
function toJson(machines: readonly MachineStatus[]): string {
  return `${JSON.stringify(machines)}\n`;
}

function screen(machines: readonly MachineStatus[]): string {
  const table = formatTable(machines, process.stdout.columns);
  return process.stdout.isTTY === true ? HOME + table : table;
}
