// Work of an operating system in the Linux guests: boot, compression, hashing, processes, a shell.
import { median, spread, table } from './statistics.mjs';

/** Lines for the guests' busybox; each is timed from outside, less the time of `true`. */
const lines = {
  'gzip of 4 MB': 'gzip -c /tmp/work > /tmp/work.gz',
  'sha256sum of 4 MB': 'sha256sum /tmp/work > /tmp/sum',
  'fork and exec, 200 times': 'i=0; while [ $i -lt 200 ]; do /bin/busybox true; i=$((i+1)); done',
  'shell loop, 20,000 times': 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done',
  'sort of 20,000 lines': 'seq 20000 | sort -r > /tmp/sorted',
};
/** 4 MB of text that compresses like text, the same everywhere: numbers. */
const prepare = 'seq 1 600000 | head -c 4000000 > /tmp/work';

/**
 * Milliseconds of each kind of work, for the engines that have a shell.
 * @param {Map<string, import('./engine-native.mjs').BenchEngine>} running
 * @param {number} rounds
 * @param {(text: string) => void} note
 */
export async function guestWork(running, rounds, note) {
  const guests = [...running].filter(([, engine]) => engine.command !== undefined);
  /** @type {Record<string, Record<string, { ms: number, spread: number }>>} */
  const report = {};
  for (const [name, engine] of guests) {
    if (engine.boot === undefined) continue;
    const samples = [];
    for (let round = 0; round < rounds; round++) samples.push(await engine.boot());
    report['boot to prompt'] ??= {};
    report['boot to prompt'][name] = { ms: median(samples), spread: spread(samples) };
    note(`boot to prompt: ${name} ${median(samples).toFixed(0)} ms`);
  }
  for (const [, engine] of guests) {
    await engine.resume();
    await engine.command?.(prepare);
    await engine.suspend();
  }
  for (const [title, line] of Object.entries(lines)) {
    /** @type {Record<string, number[]>} */
    const samples = {};
    for (let round = 0; round < rounds; round++) {
      for (const [name, engine] of guests) {
        if (engine.command === undefined) continue;
        await engine.resume();
        if (round === 0) await engine.command(line);
        const nothing = await engine.command('true');
        const ms = await engine.command(line);
        await engine.suspend();
        samples[name] ??= [];
        samples[name].push(Math.max(0.1, ms - nothing));
      }
    }
    report[title] = Object.fromEntries(
      Object.entries(samples).map(([name, values]) => [name, { ms: median(values), spread: spread(values) }]),
    );
    note(`${title}: ${guests.map(([name]) => `${name} ${median(samples[name]).toFixed(0)} ms`).join(', ')}`);
  }
  return report;
}

/** The same as a table in milliseconds. */
export function reportGuestWork(/** @type {Awaited<ReturnType<typeof guestWork>>} */ report) {
  const names = [...new Set(Object.values(report).flatMap((figures) => Object.keys(figures)))];
  const cell = (/** @type {{ ms: number, spread: number } | undefined} */ figure) =>
    figure === undefined ? '' : `${figure.ms.toFixed(0)} ms ±${(figure.spread * 100).toFixed(0)}%`;
  return table([
    ['', ...names],
    ...Object.entries(report).map(([title, figures]) => [title, ...names.map((name) => cell(figures[name]))]),
  ]);
}
