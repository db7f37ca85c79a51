// The catalogue of workloads and where their programs are.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaries, catalogue, otherBinaries } from '../../scripts/build-workloads.mjs';

/** @typedef {import('../../src/guests/workloads.ts').Workload} Workload */
/** @typedef {import('../../src/guests/workloads.ts').WorkloadPass} Pass */

export const workloads = catalogue();

/** The file of a workload for a target of scripts/build-workloads.mjs. */
export function programPath(/** @type {string} */ name, /** @type {string} */ target) {
  const path = join(['i386', 'x86-64'].includes(target) ? otherBinaries : binaries, `${name}.${target}`);
  if (!existsSync(path))
    throw new Error(`${path} is missing: node scripts/build-workloads.mjs --others makes it`);
  return path;
}

export const programBytes = (/** @type {string} */ name, /** @type {string} */ target) =>
  readFileSync(programPath(name, target));
