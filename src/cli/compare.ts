import { compare } from '../containers/compare/compare.ts';
import { formatComparison } from '../containers/compare/compare-table.ts';
import { openImageStore } from '../containers/images/image-store-node.ts';
import { listGuests, prepareGuest } from '../guests/prepare-node.ts';
import { progressPrinter } from '../guests/progress-node.ts';
import { nodeEngine, nodeHypervisor, nodeTask } from './docker-engine.ts';
import { nodeIo } from './docker-io-node.ts';
import { COMPARE_HELP } from './help.ts';
import { parseCount, parseOptions } from './options.ts';

/** The machine that a program has to itself. */
const GUEST = 'busybox';

/** `hypertab compare`: prints a table or JSON; returns the exit status. */
export async function compareCommand(args: readonly string[]): Promise<number> {
  const { flags, values, words } = parseOptions(args, { help: 'flag', json: 'flag', runs: 'value' });
  if (flags.has('help')) {
    process.stdout.write(COMPARE_HELP);
    return 0;
  }
  const runs = values.runs === undefined ? undefined : parseCount('--runs', values.runs);
  const guests = await listGuests();
  if (guests.find(({ name }) => name === GUEST)?.prepared !== true) {
    const progress = progressPrinter();
    try {
      await prepareGuest(GUEST, { onProgress: progress.onProgress });
    } finally {
      progress.end();
    }
  }
  const images = openImageStore();
  const hypervisor = nodeHypervisor();
  const engine = nodeEngine(images, hypervisor);
  const { fetchImage } = nodeTask(images, engine);
  const io = nodeIo();
  const showsProgress = process.stderr.isTTY === true;
  try {
    const comparison = await compare({
      ...{ hypervisor, engine, images, programs: words },
      ...(runs === undefined ? {} : { runs }),
      fetchImage: (name) => fetchImage!(name, io),
      guestBytes: async (guest) => (await listGuests()).find(({ name }) => name === guest)?.download,
      onProgress: ({ program, side, run, runs: all }) => {
        if (showsProgress) process.stderr.write(`\r\x1b[K${program} as a ${side}, ${run} of ${all}`);
      },
    });
    if (showsProgress) process.stderr.write('\r\x1b[K');
    process.stdout.write(
      flags.has('json') ? `${JSON.stringify(comparison)}\n` : formatComparison(comparison),
    );
    return 0;
  } finally {
    await engine.close();
    await hypervisor.destroyAll();
  }
}
