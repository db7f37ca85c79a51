// When a build step may be skipped: its inputs' contents are what they were, and so are its outputs on disk.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot, StepError } from './project.mjs';

const stampsPath = resolve(projectRoot, 'build/.stamps.json');
const lockPath = resolve(projectRoot, 'build/.lock');

/** All files under the given files and folders (relative to the project), sorted. */
export function listFiles(/** @type {string[]} */ paths) {
  /** @type {string[]} */
  const files = [];
  for (const path of paths) {
    const absolute = resolve(projectRoot, path);
    const stat = statSync(absolute, { throwIfNoEntry: false });
    if (stat?.isFile()) files.push(path);
    if (stat?.isDirectory()) {
      for (const entry of readdirSync(absolute, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        files.push(
          resolve(entry.parentPath, entry.name)
            .slice(projectRoot.length + 1)
            .split(sep)
            .join('/'),
        );
      }
    }
  }
  return files.sort();
}

/** SHA-256 over names and contents. */
export function hashInputs(/** @type {string[]} */ paths) {
  const hash = createHash('sha256').update(process.version);
  for (const file of listFiles(paths)) {
    hash.update(`\0${file}\0`).update(readFileSync(resolve(projectRoot, file)));
  }
  return hash.digest('hex');
}

/** Names, sizes and times of outputs: cheap, and notices a deletion or an edit. */
function fingerprintOutputs(/** @type {string[]} */ paths) {
  const hash = createHash('sha256');
  for (const path of paths) if (!existsSync(resolve(projectRoot, path))) return 'missing';
  for (const file of listFiles(paths)) {
    const stat = statSync(resolve(projectRoot, file));
    hash.update(`${file}\0${stat.size}\0${stat.mtimeMs}\0`);
  }
  return hash.digest('hex');
}

/** @returns {Record<string, { inputs: string, outputs: string }>} */
function readStamps() {
  try {
    return JSON.parse(readFileSync(stampsPath, 'utf8'));
  } catch {
    return {};
  }
}

/**
 * Runs `action` unless nothing it depends on or made has changed since it last succeeded.
 * @param {{ name: string, inputs: string[], outputs: string[] }} step
 * @param {() => Promise<void>} action
 */
export async function unlessCurrent(step, action) {
  const inputs = hashInputs(step.inputs);
  const stamp = readStamps()[step.name];
  if (stamp?.inputs === inputs && stamp.outputs === fingerprintOutputs(step.outputs)) return;
  const start = performance.now();
  await action();
  const outputs = fingerprintOutputs(step.outputs);
  if (outputs === 'missing') {
    throw new StepError(`${step.name} made no ${step.outputs.join(', ')} although it reported success.`);
  }
  writeFileSync(stampsPath, JSON.stringify({ ...readStamps(), [step.name]: { inputs, outputs } }, null, 1));
  console.log(`${step.name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

function isAlive(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** Keeps two builds (npm start beside npm test) from writing the same files at once. */
export async function withBuildLock(/** @type {() => Promise<void>} */ action) {
  mkdirSync(resolve(projectRoot, 'build'), { recursive: true });
  for (let waited = 0; ; waited++) {
    try {
      writeFileSync(lockPath, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    let holder = '';
    try {
      holder = readFileSync(lockPath, 'utf8');
    } catch {
      continue; // released in between
    }
    if (holder !== '' && !isAlive(Number(holder))) {
      rmSync(lockPath, { force: true });
    } else {
      if (waited === 0) console.log(`Waiting for the build of process ${holder} …`);
      await delay(300);
    }
  }
  const release = () => rmSync(lockPath, { force: true });
  process.once('exit', release);
  try {
    await action();
  } finally {
    process.off('exit', release);
    release();
  }
}
