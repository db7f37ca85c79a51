// Python compiles a module the first time it is imported, which costs a guest more than all else at its start. What it
// would write then is made once, by the Python of the image itself: no other writes the same form.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GuestError } from '../../../guests/guest-error.ts';
import { prepareGuest } from '../../../guests/prepare-node.ts';
import type { ProgressListener } from '../../../guests/progress.ts';
import { readTar } from '../../../guests/tar.ts';
import { Hypervisor } from '../../../hypervisor/hypervisor.ts';
import { runCommand } from '../../../hypervisor/run-command.ts';

const MEMORY = 256 * 1024 ** 2;
/** It takes one to two minutes. */
const TIMEOUT_MS = 20 * 60_000;

// Equal sources must give equal bytes: no times in them, and sets in an order that is not random.
const COMMAND = [
  'mount --bind /proc /mnt/root/proc',
  // Names are filled in by a shell in there.
  'PYTHONHASHSEED=0 chroot /mnt/root sh -c "python3 -m compileall -q --invalidation-mode unchecked-hash /usr/lib/python3*"',
  'cd /mnt/root',
  'tar -cf /mnt/out/compiled.tar $(find usr/lib -name "*.pyc" | sort)',
].join(' && ');

/**
 * Compiles the modules of Python's library in a machine.
 * @param lowers archives of the image's layers, the topmost first
 * @returns compiled files by path
 * @throws {GuestError}
 */
export async function compilePython(
  lowers: readonly Uint8Array[],
  options: { onProgress?: ProgressListener; signal?: AbortSignal },
): Promise<Map<string, Uint8Array>> {
  await prepareGuest('busybox', { onProgress: options.onProgress, signal: options.signal });
  options.onProgress?.({
    kind: 'step',
    text: 'compiling the library of Python in a machine, which takes minutes',
  });
  const folder = await mkdtemp(join(tmpdir(), 'hypertab-python-'));
  const vm = await new Hypervisor().create({
    guest: 'busybox',
    memory: MEMORY,
    shares: [
      {
        tag: 'root',
        kind: 'overlay',
        lowers: lowers.map((archive) => ({ kind: 'archive', archive, whiteouts: true })),
        upper: { kind: 'memory' },
      },
      { tag: 'out', kind: 'directory', path: folder },
    ],
  });
  const stop = () => void vm.powerOff();
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    if (options.signal?.aborted) throw new GuestError('aborted', 'the preparation was cancelled');
    await vm.start();
    const { status, output } = await runCommand(vm, COMMAND, { timeoutMs: TIMEOUT_MS });
    if (status !== 0) {
      throw new GuestError('package', `Python's library could not be compiled: ${output.slice(-300)}`);
    }
    const archive = await readFile(join(folder, 'compiled.tar'));
    const files = new Map<string, Uint8Array>();
    for await (const entry of readTar(oneByOne(archive), 'the compiled library')) {
      if (entry.type === 'file') files.set(entry.path, await entry.read());
    }
    return files;
  } catch (error) {
    if (options.signal?.aborted) throw new GuestError('aborted', 'the preparation was cancelled', error);
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await vm.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

async function* oneByOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
