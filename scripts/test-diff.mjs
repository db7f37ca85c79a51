// npm run test:diff -- [--seed S] [--count N]: random instruction sequences on both engines and under qemu-riscv64.
// Needs `npm run build` (or npm test) once before.
import { packageBin, run } from './project.mjs';

const usage = 'usage: npm run test:diff -- [--seed S] [--count INSTRUCTIONS]';
const names = { '--seed': 'HYPERTAB_DIFF_SEED', '--count': 'HYPERTAB_DIFF_COUNT' };
const defaults = { HYPERTAB_DIFF_SEED: String(Date.now() % 1_000_000_000), HYPERTAB_DIFF_COUNT: '1000000' };

/** The environment that the words ask for; undefined when they cannot be read. */
function settings(/** @type {string[]} */ words) {
  /** @type {Record<string, string>} */
  const env = { ...defaults };
  for (let at = 0; at < words.length; at += 2) {
    const name = Object.entries(names).find(([option]) => option === words[at])?.[1];
    const value = words[at + 1] ?? '';
    if (name === undefined || !/^\d{1,12}$/.test(value)) return undefined;
    env[name] = value;
  }
  return env;
}

const env = settings(process.argv.slice(2));
if (env === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  console.log(`seed ${env.HYPERTAB_DIFF_SEED}, ${env.HYPERTAB_DIFF_COUNT} instructions`);
  const command = packageBin('vitest/vitest.mjs', 'run', '--project', 'unit', 'tests/diff/qemu-user.test.ts');
  const { status } = await run([...command, '--disable-console-intercept'], {
    env: { ...process.env, ...env },
  });
  process.exitCode = status;
}
