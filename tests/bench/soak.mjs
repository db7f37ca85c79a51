// An hour of mixed load in a Linux guest, and what it does to memory: `node tests/bench/soak.mjs --minutes 60`.
// Prints a line a minute; ends with exit status 1 where this process holds more than 5 % more in the last quarter of the
// time than in the second.
import { resolveGuestNode } from '../../build/src/guests/prepare-node.js';
import { Hypervisor, runCommand } from '../../build/src/index.js';
import { linuxGuest } from './engine-hypertab.mjs';
import { readOptions } from './options.mjs';
import { median } from './statistics.mjs';
import { workloads } from './workloads.mjs';

const GROWTH = 1.05;
const help = `Usage: node tests/bench/soak.mjs [--minutes N] [--engine auto|translator|interpreter] [--json]`;

/** Work of several kinds: processes, text, files, compression, hashing. Each takes a second or some. */
const lines = [
  'i=0; while [ $i -lt 200 ]; do /bin/busybox true; i=$((i+1)); done',
  'seq 1 60000 | gzip -c | gunzip -c | sha256sum',
  'mkdir -p /tmp/w; for i in $(seq 300); do seq $i > /tmp/w/$i; done; find /tmp/w -type f | xargs md5sum | sort | tail -n 1; rm -r /tmp/w',
  "awk 'BEGIN { for (i = 0; i < 60000; i++) s += i / 7 * i; print s }'",
  'seq 20000 | sort -r | tail -n 1',
  'tar -cf /tmp/t.tar /bin /etc 2>/dev/null; tar -tf /tmp/t.tar | wc -l; rm /tmp/t.tar',
];

const engines = /** @type {const} */ (['auto', 'translator', 'interpreter']);

async function main() {
  const { values } = readOptions('soak', {
    options: {
      minutes: { type: 'string', default: '60' },
      engine: { type: 'string', default: 'auto' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const engine = engines.find((name) => name === values.engine);
  if (values.help || !(minutes >= 4) || engine === undefined) {
    console.log(help);
    process.exitCode = values.help ? 0 : 2;
    if (!values.help) console.error('soak: --minutes takes 4 or more, --engine one of those named');
    return;
  }
  const hypervisor = new Hypervisor({ resolveGuest: resolveGuestNode });
  const vm = await hypervisor.create({ guest: 'busybox', engine });
  const programs = linuxGuest(engine)();
  await programs.start();
  await vm.start();
  /** @type {{ minute: number, mb: number, instructions: number, regions: number, modules: number, codeMb: number }[]} */
  const rows = [];
  const start = performance.now();
  for (let round = 0; rows.length < minutes; round++) {
    const { status, output } = await runCommand(vm, lines[round % lines.length] ?? '', {
      timeoutMs: 300_000,
    });
    if (status !== 0) throw new Error(`the guest's command ended with ${status}: ${output.slice(0, 200)}`);
    // A second machine runs the C programs, one after the other.
    const work = workloads[round % workloads.length];
    if (work !== undefined) {
      await programs.resume();
      await programs.run(work, 1);
      await programs.suspend();
    }
    if (performance.now() - start < (rows.length + 1) * 60_000) continue;
    const stats = await vm.stats();
    const row = {
      minute: rows.length + 1,
      mb: process.memoryUsage().rss / 1e6,
      instructions: stats.instructions,
      regions: stats.regions - stats.droppedRegions,
      modules: stats.modules,
      codeMb: stats.codeBytes / 1e6,
    };
    rows.push(row);
    if (!values.json) {
      console.log(
        `${String(row.minute).padStart(3)} min  ${row.mb.toFixed(0)} MB  ${(row.instructions / 1e9).toFixed(1)} G instructions  ` +
          `${row.regions} regions of ${row.codeMb.toFixed(1)} MB, ${row.modules} modules`,
      );
    }
  }
  await hypervisor.destroyAll();
  await programs.stop();
  const quarter = Math.floor(rows.length / 4);
  const early = median(rows.slice(quarter, 2 * quarter).map(({ mb }) => mb));
  const late = median(rows.slice(-quarter).map(({ mb }) => mb));
  const grew = late / early;
  if (values.json) console.log(JSON.stringify({ minutes, engine, early, late, grew, rows }));
  else console.log(`second quarter ${early.toFixed(0)} MB, last ${late.toFixed(0)} MB: ${grew.toFixed(3)}`);
  if (grew > GROWTH) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`soak: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
process.exit();
