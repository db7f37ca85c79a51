// Python in the debian guest, where that is prepared: its start, and a loop of its own.
import { listGuests, resolveGuestNode } from '../../build/src/guests/prepare-node.js';
import { Hypervisor, runCommand, waitForPrompt } from '../../build/src/index.js';
import { median, spread } from './statistics.mjs';

const TIMEOUT_MS = 600_000;
const programs = {
  'python3, its start': 'pass',
  'python3, a loop of 300,000': 's=0\nfor i in range(300000): s=(s*31+i)%1000003\nassert s==78778',
};
/** Names of the engines in the comparison, and what they are here. */
const engines = /** @type {const} */ ({
  hypertab: 'auto',
  translator: 'translator',
  interpreter: 'interpreter',
});

/**
 * Milliseconds of each program, by engine; nothing when the guest is not prepared.
 * @param {string[]} names of engines; those that have no such guest are left out
 * @param {number} rounds
 * @param {(text: string) => void} note
 */
export async function pythonWork(names, rounds, note) {
  /** @type {Record<string, Record<string, { ms: number, spread: number }>>} */
  const report = {};
  const debian = (await listGuests()).find(({ name }) => name === 'debian');
  if (!debian?.prepared) {
    note('python3: no debian guest here; `npx hypertab guest prepare debian` makes it');
    return report;
  }
  for (const [name, engine] of Object.entries(engines)) {
    if (!names.includes(name)) continue;
    const hypervisor = new Hypervisor({ resolveGuest: resolveGuestNode });
    try {
      const vm = await hypervisor.create({ guest: 'debian', engine });
      await vm.start();
      await waitForPrompt(vm, { timeoutMs: TIMEOUT_MS });
      for (const [title, program] of Object.entries(programs)) {
        const samples = [];
        for (let round = 0; round <= rounds; round++) {
          const start = performance.now();
          const { status, output } = await runCommand(vm, `python3 -c '${program}'`, {
            timeoutMs: TIMEOUT_MS,
          });
          if (status !== 0) throw new Error(`python3 ended with ${status}: ${output.slice(0, 200)}`);
          // The first brings the files in.
          if (round > 0) samples.push(performance.now() - start);
        }
        report[title] ??= {};
        report[title][name] = { ms: median(samples), spread: spread(samples) };
        note(`${title}: ${name} ${median(samples).toFixed(0)} ms`);
      }
    } finally {
      await hypervisor.destroyAll();
    }
  }
  return report;
}
