// What can be typed at the host console.
import {
  COMPARE_PROGRAMS,
  compare,
  completeDocker,
  formatComparison,
  type GuestEntry,
  type Hypervisor,
  runDocker,
  type VirtualMachine,
} from 'hypertab';
import { breakLine } from './cell-width.ts';
import type { CommandTerminal } from './command-terminal.ts';
import type { LineHistory } from './line-editor.ts';
import { LineError, splitWords, wordsToComplete } from './shell-words.ts';
import type { HostConsoleStrings } from './strings.ts';
import type { TabTask } from './tab-engine.ts';

/** What commands work with. */
export interface CommandHost {
  hypervisor: Hypervisor;
  strings: HostConsoleStrings;
  history: LineHistory;
  /** Opened when the first command wants it. */
  task(): Promise<TabTask>;
  /** Guests that the page's server offers. */
  guests(): Promise<readonly GuestEntry[]>;
  /** Boots a guest in a tab of its own. */
  boot(guest: GuestEntry): void;
  clear(): void;
}

interface Call {
  words: readonly string[];
  host: CommandHost;
  terminal: CommandTerminal;
}

interface TabCommand {
  usage: string;
  /** Fewest and most words that follow. */
  words: readonly [least: number, most: number];
  run(call: Call): Promise<number>;
  complete?(host: CommandHost): Promise<string[]>;
}

const SUCCESS = 0;
const FAILURE = 1;
const USAGE = 2;
const NOT_FOUND = 127;

const machineNames = async ({ hypervisor }: CommandHost) => hypervisor.list().map(({ name }) => name);
const preparedNames = async (host: CommandHost) =>
  (await host.guests()).filter(({ prepared }) => prepared).map(({ name }) => name);

const withMachine =
  (action: (vm: VirtualMachine) => Promise<unknown>) =>
  async ({ words, host, terminal }: Call): Promise<number> => {
    const vm = host.hypervisor.list().find(({ name }) => name === words[0]);
    if (vm === undefined) return refuse(terminal, host.strings.noMachine(words[0]!));
    await action(vm);
    return SUCCESS;
  };

/** `hypertab VERB`. */
const TAB_COMMANDS: Readonly<Record<string, TabCommand>> = {
  run: { usage: 'hypertab run GUEST', words: [1, 1], run: runGuest, complete: preparedNames },
  ps: { usage: 'hypertab ps', words: [0, 0], run: listMachines },
  stop: {
    ...{ usage: 'hypertab stop NAME', words: [1, 1], complete: machineNames },
    run: withMachine((vm) => vm.shutdown()),
  },
  kill: {
    ...{ usage: 'hypertab kill NAME', words: [1, 1], complete: machineNames },
    run: withMachine((vm) => vm.powerOff()),
  },
  pause: {
    ...{ usage: 'hypertab pause NAME', words: [1, 1], complete: machineNames },
    run: withMachine((vm) => vm.pause()),
  },
  resume: {
    ...{ usage: 'hypertab resume NAME', words: [1, 1], complete: machineNames },
    run: withMachine((vm) => vm.resume()),
  },
  compare: {
    ...{ usage: 'hypertab compare [PROGRAM...]', words: [0, COMPARE_PROGRAMS.length], run: comparePrograms },
    complete: async () => COMPARE_PROGRAMS.map(({ name }) => name),
  },
  guest: { usage: 'hypertab guest ls', words: [1, 1], run: listGuests, complete: async () => ['ls'] },
};
const WORDS = ['clear', 'docker', 'help', 'history', 'hypertab'];

/** Runs a line; answers its exit status. What goes wrong is told on the terminal. */
export async function runLine(line: string, host: CommandHost, terminal: CommandTerminal): Promise<number> {
  const { strings } = host;
  let words: string[];
  try {
    words = splitWords(line);
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    return refuse(
      terminal,
      error.reason === 'quote' ? strings.openQuote : strings.noShell(error.sign),
      USAGE,
    );
  }
  try {
    return await dispatch(words, host, terminal);
  } catch (error) {
    return refuse(terminal, error instanceof Error ? error.message : String(error));
  }
}

async function dispatch(
  words: readonly string[],
  host: CommandHost,
  terminal: CommandTerminal,
): Promise<number> {
  const [name, ...rest] = words;
  const { io } = terminal;
  switch (name) {
    case undefined:
      return SUCCESS;
    case 'docker':
      return runDocker({ ...(await host.task()), io }, rest);
    case 'hypertab':
      if (rest[0] === 'docker') return dispatch(rest, host, terminal);
      return runTabCommand(rest, host, terminal);
    case 'help': {
      const columns = io.size()?.columns ?? Infinity;
      await io.stdout(host.strings.help.map((line) => `${breakLine(line, columns)}\n`).join(''));
      return SUCCESS;
    }
    case 'history': {
      const lines = host.history.lines();
      await io.stdout(lines.map((line, at) => `${String(at + 1).padStart(5)}  ${line}\n`).join(''));
      return SUCCESS;
    }
    case 'clear':
      host.clear();
      return SUCCESS;
    default:
      return refuse(terminal, host.strings.notFound(name), NOT_FOUND);
  }
}

async function runTabCommand(
  [verb = '', ...words]: readonly string[],
  host: CommandHost,
  terminal: CommandTerminal,
): Promise<number> {
  const command = Object.hasOwn(TAB_COMMANDS, verb) ? TAB_COMMANDS[verb] : undefined;
  if (
    command === undefined ||
    words.length < command.words[0] ||
    words.length > command.words[1] ||
    words[0]?.startsWith('-')
  ) {
    const usages = command === undefined ? Object.values(TAB_COMMANDS) : [command];
    const text = usages.map(({ usage }) => host.strings.usage(usage)).join('\n');
    return refuse(terminal, text, verb === '' || verb === '--help' ? SUCCESS : USAGE);
  }
  return command.run({ words, host, terminal });
}

async function runGuest({ words, host, terminal }: Call): Promise<number> {
  const guest = (await host.guests()).find(({ name, prepared }) => name === words[0] && prepared);
  if (guest === undefined) return refuse(terminal, host.strings.noGuest(words[0]!));
  host.boot(guest);
  await terminal.io.stdout(`${host.strings.booting(guest.name)}\n`);
  return SUCCESS;
}

async function listMachines({ host, terminal }: Call): Promise<number> {
  const rows = await Promise.all(
    host.hypervisor.list().map(async (vm) => {
      const stats = vm.state === 'running' || vm.state === 'paused' ? await vm.stats() : undefined;
      return [
        vm.name,
        vm.state,
        stats === undefined ? '' : `${Math.round(stats.memory / 2 ** 20)} MiB`,
        stats === undefined ? '' : `${(stats.instructions / 1e6).toFixed(0)} M`,
      ];
    }),
  );
  await terminal.io.stdout(table([['NAME', 'STATE', 'MEMORY', 'INSTRUCTIONS'], ...rows]));
  return SUCCESS;
}

async function listGuests({ words, host, terminal }: Call): Promise<number> {
  if (words[0] !== 'ls') return refuse(terminal, host.strings.usage('hypertab guest ls'), USAGE);
  const rows = (await host.guests()).map(({ name, title, prepared }) => [
    name,
    prepared ? 'yes' : 'no',
    title,
  ]);
  await terminal.io.stdout(table([['NAME', 'PREPARED', 'WHAT IT IS'], ...rows]));
  return SUCCESS;
}

/** One run of each: a page has better things to do, and its command line has the medians. */
async function comparePrograms({ words, host, terminal }: Call): Promise<number> {
  const { io } = terminal;
  const { engine, images, fetchImage, guestBytes } = await host.task();
  const cancel = new AbortController();
  const off = io.onSignal(() => cancel.abort(new Error(host.strings.interrupted)));
  try {
    const comparison = await compare({
      ...{ hypervisor: host.hypervisor, engine, images, programs: words, runs: 1, signal: cancel.signal },
      fetchImage: (name) => fetchImage(name, io),
      guestBytes,
      onProgress: ({ program, side }) => void io.stderr(`\r\x1b[K${host.strings.comparing(program, side)}`),
    });
    await io.stderr('\r\x1b[K');
    await io.stdout(formatComparison(comparison));
    return SUCCESS;
  } finally {
    off();
  }
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)) + 2);
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}

async function refuse({ io }: CommandTerminal, why: string, status = FAILURE): Promise<number> {
  await io.stderr(`${why}\n`);
  return status;
}

/** Words that may stand at the end of a line that is being typed. */
export async function completeLine(
  before: string,
  host: CommandHost,
): Promise<{ start: number; candidates: string[] }> {
  const { words, start } = wordsToComplete(before);
  const [name = '', ...rest] = words;
  const last = words.at(-1) ?? '';
  const only = (candidates: readonly string[]) => candidates.filter((word) => word.startsWith(last)).sort();
  const docker = name === 'docker' ? rest : name === 'hypertab' && rest[0] === 'docker' ? rest.slice(1) : [];
  if (words.length === 1) return { start, candidates: only(WORDS) };
  if (docker.length > 0) return { start, candidates: await completeDocker(await host.task(), docker) };
  if (name !== 'hypertab') return { start, candidates: [] };
  if (rest.length === 1) return { start, candidates: only([...Object.keys(TAB_COMMANDS), 'docker']) };
  const verb = Object.hasOwn(TAB_COMMANDS, rest[0]!) ? TAB_COMMANDS[rest[0]!] : undefined;
  const command = verb !== undefined && rest.length - 1 <= verb.words[1] ? verb : undefined;
  return { start, candidates: only((await command?.complete?.(host)) ?? []) };
}
