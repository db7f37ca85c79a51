import type { MachineJob } from '../guests/recipe-node.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';

/**
 * Boots a machine for a recipe and waits until it has powered itself off.
 * @throws {Error} when it breaks, or when the job is aborted
 */
export async function runMachine(job: MachineJob): Promise<void> {
  const { kernel, initrd, append, memory, disk, signal, onLine } = job;
  const hypervisor = new Hypervisor();
  try {
    const vm = await hypervisor.create({
      name: 'preparation',
      kernel,
      initrd,
      append,
      memory,
      drives: [{ kind: 'file', path: disk }],
    });
    const decoder = new TextDecoder();
    let rest = '';
    vm.console().onData((bytes) => {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r*\n/);
      rest = lines.pop()!.slice(-4096);
      for (const line of lines) onLine(line);
    });
    await new Promise<void>((resolve, reject) => {
      const abort = () => reject(new Error('aborted'));
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
      vm.on('error', ({ error }) => reject(error));
      vm.wait().then(() => resolve(), reject);
      vm.start().catch(reject);
    });
  } finally {
    await hypervisor.destroyAll();
  }
}
