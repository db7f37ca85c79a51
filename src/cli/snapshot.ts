import { Hypervisor } from '../hypervisor/hypervisor.ts';
import { formatSize } from '../hypervisor/size.ts';
import type { Snapshot, SnapshotStore } from '../hypervisor/snapshot-types.ts';
import { tell } from './control.ts';
import { formatTable } from './guest.ts';
import { SNAPSHOT_HELP } from './help.ts';
import { nearest, parseOptions } from './options.ts';
import { aboutSize, writeFile } from './save-restore.ts';
import { UsageError } from './usage-error.ts';

const VERBS = ['ls', 'take', 'rm', 'export', 'import'] as const;

/** `hypertab snapshot`: lists, removes, exports and imports snapshots; returns the exit status. */
export async function snapshot(args: readonly string[]): Promise<number> {
  const { flags, words } = parseOptions(args, { help: 'flag', json: 'flag' });
  const [verb, ...names] = words;
  if (flags.has('help')) {
    process.stdout.write(SNAPSHOT_HELP);
    return 0;
  }
  if (flags.has('json') && verb !== 'ls') throw new UsageError('--json goes with snapshot ls only');
  const { snapshots } = new Hypervisor();
  switch (verb) {
    case 'ls':
      if (names.length > 0) throw new UsageError(`snapshot ls takes no names; what is '${names[0]}'?`);
      return list(await snapshots.list(), flags.has('json'));
    case 'take':
      return tell(names, { command: 'snapshot' });
    case 'rm':
      if (names.length === 0)
        throw new UsageError('snapshot rm needs a name; hypertab snapshot ls shows them');
      for (const name of names) await snapshots.remove(name);
      return 0;
    case 'export':
      return exportTo(snapshots, names);
    case 'import':
      if (names.length === 0) throw new UsageError('snapshot import needs a file: FILE.htvm');
      for (const path of names) process.stdout.write(`${(await snapshots.import(path)).id}\n`);
      return 0;
    case undefined:
      throw new UsageError(
        'snapshot needs a command: ls, take MACHINE, rm NAME, export NAME FILE or import FILE',
      );
    default: {
      const near = nearest(verb, VERBS);
      throw new UsageError(
        `there is no 'snapshot ${verb}'; ${near ? `did you mean ${near}?` : `there are ${VERBS.join(', ')}`}`,
      );
    }
  }
}

function list(snapshots: readonly Snapshot[], json: boolean): number {
  if (json) {
    const plain = snapshots.map(({ id, name, created, guest, memory, bytes, parent, drives, shares }) => {
      return { id, name, created, guest, memory, bytes, parent, drives, shares };
    });
    process.stdout.write(`${JSON.stringify(plain)}\n`);
    return 0;
  }
  const rows = [
    ['ID', 'NAME', 'CREATED', 'GUEST', 'MEMORY', 'SIZE', 'INCREMENT OF'],
    ...snapshots.map(({ id, name, created, guest, memory, bytes, parent }) => [
      id.slice(0, 12),
      name,
      created.toISOString().replace('T', ' ').slice(0, 19),
      guest ?? '',
      formatSize(memory),
      aboutSize(bytes),
      parent?.slice(0, 12) ?? '',
    ]),
  ];
  process.stdout.write(formatTable(rows));
  return 0;
}

async function exportTo(snapshots: SnapshotStore, [name, path, extra]: readonly string[]): Promise<number> {
  if (name === undefined || path === undefined)
    throw new UsageError('snapshot export needs a name and a file: NAME FILE');
  if (extra !== undefined)
    throw new UsageError(`snapshot export takes a name and a file; what is '${extra}'?`);
  await writeFile(path, await snapshots.export(name));
  return 0;
}
