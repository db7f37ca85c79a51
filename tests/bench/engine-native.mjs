// What runs on the host itself: the Wasm twins in this Node, programs as processes, QEMU.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parsePasses, runTwin } from '../../build/src/guests/workloads.js';
import { programBytes, programPath } from './workloads.mjs';

/** @typedef {import('./workloads.mjs').Workload} Workload */
/** @typedef {import('./workloads.mjs').Pass} Pass */
/**
 * Something that executes workloads. `start` may take long; between `resume` and `suspend` it may use the processor.
 * `command`, where there is a shell: runs a line in it, returns milliseconds.
 * @typedef {{
 *   start(): Promise<void>, suspend(): Promise<void>, resume(): Promise<void>, stop(): Promise<void>,
 *   run(workload: Workload, passes: number): Promise<Pass[]>,
 *   command?: (line: string) => Promise<number>, boot?: () => Promise<number>,
 * }} BenchEngine
 */

const execute = promisify(execFile);
const nothing = async () => {};
/** An engine that has nothing to start or stop. */
export const immediate = (/** @type {BenchEngine['run']} */ run) => () => ({
  start: nothing,
  suspend: nothing,
  resume: nothing,
  stop: nothing,
  run,
});

/** @type {Map<string, WebAssembly.Instance>} */
const twins = new Map();

/** The same C as Wasm: the measure of all others. */
export const wasm = immediate(async ({ name, n }, passes) => {
  let twin = twins.get(name);
  if (twin === undefined) {
    twin = (await WebAssembly.instantiate(programBytes(name, 'wasm'))).instance;
    twins.set(name, twin);
  }
  return runTwin(twin, n, passes);
});

async function output(/** @type {string} */ program, /** @type {string[]} */ words) {
  try {
    return (await execute(program, words, { timeout: 300_000 })).stdout;
  } catch (error) {
    if (/** @type {{ code?: unknown }} */ (error).code !== 'ENOENT') throw error;
    throw new Error(`${program} is missing: install Debian's qemu-user`);
  }
}

/** The same C for this machine's own processor. */
export const native = immediate(async ({ name, n }, passes) =>
  parsePasses(await output(programPath(name, 'x86-64'), [String(n), String(passes)]), passes),
);

/** The riscv64 program under native QEMU in user mode: no MMU to emulate. */
export const qemu = immediate(async ({ name, n }, passes) =>
  parsePasses(
    await output('qemu-riscv64', [programPath(name, 'riscv64'), String(n), String(passes)]),
    passes,
  ),
);
