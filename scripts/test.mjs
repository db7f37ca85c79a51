// npm test: everything, from a clean clone. The last line is `N passed, N failed` over all steps.
//   npm test                    all steps
//   npm test -- lint unit       only these: lint, unit, system, browser, long, exhaustive (setup and build always run)
// Two steps are not among them all: long (npm run test:long, 10 to 20 minutes), real firmware, kernels and programs
// from Debian's packages, and exhaustive (npm run test:exhaustive, some hours), the fuzzers and comparisons at length.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { build } from './build.mjs';
import { lint } from './lint.mjs';
import { packageBin, projectRoot, run, StepError } from './project.mjs';
import { setup } from './setup.mjs';
import { ensureTools } from './tools.mjs';

const stepNames = ['lint', 'unit', 'system', 'browser'];
const moreSteps = ['long', 'exhaustive'];
let passed = 0;
let failed = 0;
/** What failed, and with which words: said once more at the end, where a long log is read first. @type {string[]} */
const failures = [];

/** @param {string} title @param {() => Promise<{ passed: number, failed: number }>} action */
async function step(title, action) {
  console.log(`\n== ${title}`);
  try {
    const result = await action();
    passed += result.passed;
    failed += result.failed;
    return result.failed === 0;
  } catch (error) {
    fail(title, wordsOf(error));
    return false;
  }
}

/** @param {unknown} error */
function wordsOf(error) {
  if (error instanceof StepError) return error.message;
  return (error instanceof Error && error.stack) || String(error);
}

/** Counts a failure that no test report counts. @param {string} where @param {string} words */
function fail(where, words) {
  failed++;
  failures.push(`${where}: ${words}`);
  console.error(`✗ ${words}`);
}

/** A step that counts as one test. */
const single = (/** @type {string} */ title, /** @type {() => Promise<unknown>} */ action) =>
  step(title, async () => {
    await action();
    return { passed: 1, failed: 0 };
  });

/**
 * Runs one vitest project, or some files of it, and counts what its JSON report says.
 * @param {string} project
 * @param {string[]} [files]
 * @param {NodeJS.ProcessEnv} [env] besides the process's own
 */
async function vitest(project, files = [], env = {}) {
  const reportPath = resolve(projectRoot, `build/test-${project}.json`);
  mkdirSync(resolve(projectRoot, 'build'), { recursive: true });
  rmSync(reportPath, { force: true });
  const command = [
    ...packageBin('vitest/vitest.mjs', 'run', '--project', project, ...files),
    ...['--reporter', 'dot', '--reporter', 'json', `--outputFile.json=${reportPath}`],
  ];
  const { status } = await run(command, { env: { ...process.env, ...env } });
  let report;
  try {
    report = JSON.parse(readFileSync(reportPath, 'utf8'));
  } catch {
    throw new StepError(`vitest ended with exit status ${status} and left no report.`);
  }
  // A file that could not even be loaded has no test to count; it counts as one. A skipped test is not a pass.
  const broken = report.testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ file) =>
      file.status === 'failed' && file.assertionResults.length === 0,
  );
  for (const file of broken) fail(relative(projectRoot, file.name), `could not be loaded: ${file.message}`);
  const skipped = report.numTotalTests - report.numPassedTests - report.numFailedTests;
  for (let i = 0; i < skipped; i++) fail(project, 'a test was skipped');
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status !== 'failed') continue;
      const words = stripVTControlCharacters(test.failureMessages.join('\n')).split('\n');
      failures.push(
        `${relative(projectRoot, file.name)} > ${test.fullName}\n    ${words.slice(0, 12).join('\n    ')}`,
      );
    }
  }
  if (status !== 0 && report.numFailedTests + broken.length + skipped === 0) {
    fail(project, `vitest ended with exit status ${status}: an unhandled error, which stands above`);
  }
  return { passed: report.numPassedTests, failed: report.numFailedTests };
}

async function main() {
  const wanted = process.argv.slice(2);
  const known = [...stepNames, ...moreSteps];
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new StepError(`there is no test step "${unknown[0]}": give any of ${known.join(', ')}`);
  }
  const runs = (/** @type {string} */ name) =>
    wanted.length === 0 ? stepNames.includes(name) : wanted.includes(name);
  const start = performance.now();

  const ready =
    (await single('setup', setup)) && (await single('tools', ensureTools)) && (await single('build', build));
  if (ready) {
    if (runs('lint')) await step('lint', lint);
    if (runs('unit')) await step('unit tests', () => vitest('unit'));
    if (['system', 'browser', ...moreSteps].some(runs)) {
      await single('guests', async () => {
        const cli = resolve(projectRoot, 'build/src/cli/main.js');
        const guests = [
          'hello',
          'monitor',
          'count',
          'busybox',
          'container-host',
          ...(runs('long') ? ['debian'] : []),
        ];
        const { status } = await run([process.execPath, cli, 'guest', 'prepare', ...guests]);
        if (status !== 0) throw new StepError('the guests could not be prepared; the reason is above.');
      });
    }
    if (runs('system')) await step('system tests', () => vitest('system'));
    if (runs('browser')) await step('browser tests', () => vitest('browser'));
    if (runs('long')) await step('real software', () => vitest('long'));
    if (runs('exhaustive')) {
      const files = ['tests/fuzz', 'tests/float/engines.test.ts', 'tests/diff/qemu-user.test.ts'];
      const env = { HYPERTAB_LONG: '1', HYPERTAB_DIFF_SEED: '77000000', HYPERTAB_DIFF_COUNT: '3000000' };
      await step('fuzzers and comparisons at length', () => vitest('unit', files, env));
    }
  }
  console.log(`\n${((performance.now() - start) / 1000).toFixed(0)} s`);
}

try {
  await main();
} catch (error) {
  fail('hypertab', wordsOf(error));
}
for (const failure of failures) console.log(`✗ ${failure}`);
process.exitCode = failed === 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed`);
