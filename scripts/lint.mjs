// Format, lint, types and layers. Each check runs even when an earlier one failed; all count as tests.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from './build.mjs';
import { checkLayers } from './layers.mjs';
import { isMain, packageBin, projectRoot, run, runMain, StepError } from './project.mjs';
import { setup } from './setup.mjs';

/** @type {{ name: string, check: () => Promise<{ status: number, output: string }> }[]} */
const checks = [
  { name: 'biome', check: () => run(packageBin('@biomejs/biome/bin/biome', 'check'), { quiet: true }) },
  ...['tsconfig.json', 'web/tsconfig.json', 'tests/tsconfig.json', 'scripts/tsconfig.json']
    .filter((path) => existsSync(resolve(projectRoot, path)))
    .map((path) => ({
      name: `types of ${path}`,
      check: () => run(packageBin('typescript/bin/tsc', '-p', path, '--noEmit'), { quiet: true }),
    })),
  {
    name: 'layers',
    check: async () => {
      const problems = checkLayers();
      return { status: problems.length, output: problems.map((line) => `${line}\n`).join('') };
    },
  },
];

/** Runs all checks, shows what failed; returns how many passed and failed. */
export async function lint() {
  let passed = 0;
  let failed = 0;
  for (const { name, check } of checks) {
    const { status, output } = await check();
    if (status === 0) {
      passed++;
    } else {
      failed++;
      process.stdout.write(output);
    }
    console.log(`${status === 0 ? '✓' : '✗'} ${name}`);
  }
  return { passed, failed };
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    // The types of what imports the built library are there once it is built.
    await setup();
    await build();
    const { failed } = await lint();
    if (failed > 0) throw new StepError(`${failed} check(s) failed; their output is above.`);
  });
}
