// Installs what package-lock.json names, when it is not there yet. Uses nothing but Node's own modules.
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isMain, projectRoot, run, runMain, StepError } from './project.mjs';

const lockPath = resolve(projectRoot, 'package-lock.json');
/** Written by npm as the last act of an installation. */
const installedLockPath = resolve(projectRoot, 'node_modules/.package-lock.json');
const stampPath = resolve(projectRoot, 'node_modules/.hypertab-installed');

/** Throws when this Node is too old for the project. */
export function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new StepError(
      `Node ${version} is too old: version 20.19 or newer is needed (see https://nodejs.org).`,
    );
  }
}

function installedIsCurrent(/** @type {string} */ lockHash) {
  try {
    if (statSync(installedLockPath).mtimeMs >= statSync(lockPath).mtimeMs) return true;
    return readFileSync(stampPath, 'utf8') === lockHash;
  } catch {
    return false;
  }
}

/** Makes node_modules match package-lock.json. */
export async function setup() {
  checkNode();
  const lockHash = createHash('sha256').update(readFileSync(lockPath)).digest('hex');
  if (!installedIsCurrent(lockHash)) {
    console.log('Installing packages (npm ci) …');
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const { status, output } = await run([npm, 'ci', '--no-audit', '--no-fund'], { quiet: true });
    if (status !== 0) {
      process.stderr.write(output);
      throw new StepError('npm ci failed; its output is above. Is the package registry reachable?');
    }
  }
  writeFileSync(stampPath, lockHash);
}

if (isMain(import.meta.url)) await runMain(setup);
