// Our own machine in Node: the riscv64 programs in the busybox guest, and the bare-metal images.
import { readFile } from 'node:fs/promises';
import { resolveGuestNode } from '../../build/src/guests/prepare-node.js';
import { parsePasses, withParameters } from '../../build/src/guests/workloads.js';
import { Hypervisor, runCommand, waitForPrompt } from '../../build/src/index.js';
import { writeCpio } from '../../build/src/storage/cpio.js';
import { immediate } from './engine-native.mjs';
import { programBytes, workloads } from './workloads.mjs';

/** @typedef {import('./engine-native.mjs').BenchEngine} BenchEngine */

const TIMEOUT_MS = 600_000;

/** The programs as a cpio archive that Linux unpacks after the guest's own: /bench/NAME. */
export function benchArchive(/** @type {string} */ target) {
  return writeCpio([
    { type: 'directory', path: 'bench' },
    ...workloads.map(({ name }) => ({
      type: /** @type {const} */ ('file'),
      path: `bench/${name}`,
      mode: 0o755,
      data: programBytes(name, target),
    })),
  ]);
}

/** One after the other, the second at a multiple of four, as the kernel wants it. */
export function concatenate(/** @type {Uint8Array} */ first, /** @type {Uint8Array} */ second) {
  const start = (first.length + 3) & ~3;
  const both = new Uint8Array(start + second.length);
  both.set(first);
  both.set(second, start);
  return both;
}

/**
 * A Linux guest that runs the programs at its prompt.
 * @param {'auto' | 'interpreter' | 'translator'} engine
 * @returns {() => BenchEngine}
 */
export const linuxGuest = (engine) => () => {
  const hypervisor = new Hypervisor({ resolveGuest: resolveGuestNode });
  /** @type {import('../../build/src/index.js').VirtualMachine | undefined} */
  let vm;
  const boot = async (/** @type {Uint8Array | undefined} */ initrd) => {
    const machine = await hypervisor.create({
      guest: 'busybox',
      engine,
      ...(initrd === undefined ? {} : { initrd }),
    });
    const start = performance.now();
    await machine.start();
    const ms = (await waitForPrompt(machine, { timeoutMs: TIMEOUT_MS })) - start;
    return { machine, ms };
  };
  return {
    async start() {
      const { initrd } = await resolveGuestNode('busybox');
      if (initrd === undefined) throw new Error('the busybox guest has no initrd');
      const bytes = initrd instanceof Uint8Array ? initrd : await readFile(initrd);
      vm = (await boot(concatenate(bytes, benchArchive('riscv64')))).machine;
      await vm.pause();
    },
    async suspend() {
      await vm?.pause();
    },
    async resume() {
      await vm?.resume();
    },
    async stop() {
      await hypervisor.destroyAll();
    },
    async run({ name, n }, passes) {
      if (vm === undefined) throw new Error('the guest has not been started');
      const result = await runCommand(vm, `/bench/${name} ${n} ${passes}`, { timeoutMs: TIMEOUT_MS });
      return parsePasses(result.output, passes);
    },
    async command(line) {
      if (vm === undefined) throw new Error('the guest has not been started');
      const start = performance.now();
      const { status, output } = await runCommand(vm, line, { timeoutMs: TIMEOUT_MS });
      if (status !== 0) throw new Error(`${line} ended with ${status}: ${output.slice(0, 200)}`);
      return performance.now() - start;
    },
    async boot() {
      const { machine, ms } = await boot(undefined);
      await machine.destroy();
      return ms;
    },
  };
};

/**
 * The bare-metal images: M-mode, no paging, a machine for each run.
 * @param {'auto' | 'interpreter' | 'translator'} engine
 */
export const bareMachine = (engine) =>
  immediate(async ({ name, n }, passes) => {
    const hypervisor = new Hypervisor();
    try {
      const bios = withParameters(programBytes(name, 'bare'), n, passes);
      const vm = await hypervisor.create({ bios, engine, memory: '64M', name });
      let output = '';
      vm.console().onData((bytes) => {
        output += Buffer.from(bytes).toString('latin1');
      });
      await vm.start();
      await vm.wait();
      return parsePasses(output, passes);
    } finally {
      await hypervisor.destroyAll();
    }
  });
