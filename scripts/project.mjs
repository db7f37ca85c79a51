// What every script here needs: where the project is, how to run a program, how to say that something failed.
import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** A step that failed; its output has been shown, the message says which step and what to do. */
export class StepError extends Error {
  /** @override */
  name = 'StepError';
}

/** The command of an npm package, run by this same Node: [program, ...arguments]. */
export function packageBin(/** @type {string} */ path, /** @type {string[]} */ ...args) {
  return [process.execPath, resolve(projectRoot, 'node_modules', path), ...args];
}

/**
 * Runs a program in the project's root.
 * @param {string[]} command program and arguments
 * @param {{ quiet?: boolean, env?: NodeJS.ProcessEnv }} [options] quiet: the output is collected, not shown
 * @returns {Promise<{ status: number, output: string }>} exit status (128 when a signal ended it), output if quiet
 */
export function run(command, options = {}) {
  const [program, ...args] = command;
  return new Promise((done) => {
    const child = spawn(/** @type {string} */ (program), args, {
      cwd: projectRoot,
      env: options.env ?? process.env,
      stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (error) => done({ status: 127, output: `${program}: ${error.message}\n` }));
    child.on('close', (code) => done({ status: code ?? 128, output }));
  });
}

/**
 * Runs a step whose output matters only when it fails: shown then, with a StepError.
 * @param {string} name
 * @param {string[]} command
 */
export async function runStep(name, command) {
  const { status, output } = await run(command, { quiet: true });
  if (status !== 0) {
    process.stderr.write(output.endsWith('\n') || output === '' ? output : `${output}\n`);
    throw new StepError(`${name} failed (exit status ${status}); its output is above.`);
  }
  return output;
}

/** Is this module the program that was started? */
export function isMain(/** @type {string} */ moduleUrl) {
  return process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(moduleUrl);
}

/** Runs a script's main function; a StepError becomes one line and exit status 1. */
export async function runMain(/** @type {() => Promise<void>} */ main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.error(`hypertab: ${error.message}`);
    process.exitCode = 1;
  }
}
