import { listGuests, prepareGuest, removeGuest, resolveGuestNode } from '../guests/prepare-node.ts';
import { progressPrinter } from '../guests/progress-node.ts';
import { formatSize } from '../hypervisor/size.ts';
import type { GuestFiles } from '../hypervisor/types.ts';
import { GUEST_HELP } from './help.ts';
import { nearest, parseOptions } from './options.ts';
import { recordReads } from './record-reads.ts';
import { runMachine } from './run-machine.ts';
import { UsageError } from './usage-error.ts';

const VERBS = ['ls', 'prepare', 'rm'] as const;

/** `hypertab guest`: lists, prepares and removes guests; returns the exit status. */
export async function guest(args: readonly string[]): Promise<number> {
  const { flags, words } = parseOptions(args, { help: 'flag', json: 'flag', refresh: 'flag' });
  const [verb, ...names] = words;
  if (flags.has('help')) {
    process.stdout.write(GUEST_HELP);
    return 0;
  }
  if (flags.has('json') && verb !== 'ls') throw new UsageError('--json goes with guest ls only');
  if (flags.has('refresh') && verb !== 'prepare') {
    throw new UsageError('--refresh goes with guest prepare only');
  }
  switch (verb) {
    case 'ls':
      if (names.length > 0) throw new UsageError(`guest ls takes no names; what is '${names[0]}'?`);
      return list(flags.has('json'));
    case 'prepare':
    case 'rm':
      if (names.length === 0)
        throw new UsageError(`guest ${verb} needs a name; hypertab guest ls shows them`);
      for (const name of names) {
        if (verb === 'rm') await remove(name);
        else await prepare(name, flags.has('refresh'));
      }
      return 0;
    case undefined:
      throw new UsageError('guest needs a command: ls, prepare NAME or rm NAME');
    default: {
      const near = nearest(verb, VERBS);
      throw new UsageError(
        `there is no 'guest ${verb}'; ${near ? `did you mean ${near}?` : `there are ${VERBS.join(', ')}`}`,
      );
    }
  }
}

async function list(json: boolean): Promise<number> {
  const guests = await listGuests();
  if (json) {
    process.stdout.write(`${JSON.stringify(guests)}\n`);
    return 0;
  }
  const rows = [
    ['NAME', 'STATE', 'MEMORY', 'WHAT IT IS'],
    ...guests.map(({ name, prepared, memory, title }) => [
      name,
      prepared ? 'prepared' : 'not prepared',
      formatSize(memory),
      title,
    ]),
  ];
  process.stdout.write(formatTable(rows));
  return 0;
}

/** Rows as lines with aligned columns, two spaces between them. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}

async function prepare(name: string, refresh: boolean): Promise<void> {
  const progress = progressPrinter();
  const cancel = new AbortController();
  const interrupted = () => cancel.abort();
  process.once('SIGINT', interrupted);
  try {
    await prepareGuest(name, {
      onProgress: progress.onProgress,
      signal: cancel.signal,
      refresh,
      runMachine,
      recordReads,
    });
  } finally {
    process.off('SIGINT', interrupted);
    progress.end();
  }
  process.stderr.write(`${name}: ready\n`);
}

async function remove(name: string): Promise<void> {
  const removed = await removeGuest(name);
  process.stderr.write(`${name}: ${removed ? 'removed' : 'was not prepared'}\n`);
}

/**
 * Finds a guest for `hypertab run`; a toy guest that is not prepared is prepared at once, as it needs no download.
 * @throws {GuestError}
 */
export async function resolveForRun(name: string): Promise<GuestFiles> {
  const entry = (await listGuests()).find((candidate) => candidate.name === name);
  if (entry?.kind === 'toy' && !entry.prepared) await prepareGuest(name, {});
  return resolveGuestNode(name);
}
