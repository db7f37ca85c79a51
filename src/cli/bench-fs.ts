// How fast shared files are as a guest sees them: BusyBox's cat and tar on a tree in memory over virtio-fs.
import { resolveGuestNode } from '../guests/prepare-node.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';
import { waitForPrompt } from '../hypervisor/prompt.ts';
import { runCommand } from '../hypervisor/run-command.ts';
import type { Engine } from '../machine/machine-types.ts';
import type { SetFile } from '../storage/tree/file-set.ts';
import { DISK_GUEST } from './bench-disk.ts';
import type { Sample } from './bench-measure.ts';

const BOOT_TIMEOUT_MS = 120_000;
const SMALL_FILES = 2500;
const SMALL_BYTES = 1000;
/** A tree of 20 MB, as source code is made: 50 directories of 20 files, 2 to 38 KB each. */
const TREE_DIRECTORIES = 50;
const TREE_FILES = 20;
const TREE_MEAN = 20_000;

/** A way to use a share. `setup` comes before each run, untimed. */
export interface FsSubject {
  kind: 'fs';
  name: string;
  title: string;
  setup: string;
  command: string;
}

/** What the guest has cached is dropped first: each file is asked for again. */
const COLD = 'sync; echo 3 > /proc/sys/vm/drop_caches';

export const FS_SUBJECTS: readonly FsSubject[] = [
  {
    kind: 'fs',
    name: 'fs-cat',
    title: 'cat of 2,500 small files in a share, none cached in the guest',
    setup: COLD,
    command: 'cat /mnt/bench/small/* > /dev/null',
  },
  {
    kind: 'fs',
    name: 'fs-cached',
    title: 'the same, all cached in the guest',
    setup: 'cat /mnt/bench/small/* > /dev/null',
    command: 'cat /mnt/bench/small/* > /dev/null',
  },
  {
    kind: 'fs',
    name: 'fs-tar',
    title: 'tar x of 1,000 files, 20 MB, from a share to the share',
    setup: `cd /mnt/bench && rm -rf x && mkdir x && [ -e tree.tar ] || tar -cf tree.tar tree; ${COLD}`,
    command: 'tar -xf /mnt/bench/tree.tar -C /mnt/bench/x',
  },
];

/** The files of the share: the same every time. */
export function benchFiles(): SetFile[] {
  const contents = Uint8Array.from({ length: 2 * TREE_MEAN }, (_, at) => 32 + ((at * 7919) % 95));
  const small = Array.from({ length: SMALL_FILES }, (_, index) => ({
    path: `small/file${index}`,
    contents: contents.subarray(index, index + SMALL_BYTES),
  }));
  const tree = Array.from({ length: TREE_DIRECTORIES * TREE_FILES }, (_, index) => {
    const within = index % TREE_FILES;
    // As much above the mean as below it.
    const bytes = TREE_MEAN + (within - (TREE_FILES - 1) / 2) * 1900;
    return {
      path: `tree/directory${Math.floor(index / TREE_FILES)}/file${within}`,
      contents: contents.subarray(0, bytes),
    };
  });
  return [...small, ...tree];
}

/** Boots the guest, warms the command up, and measures it once. */
export async function measureFs(subject: FsSubject, engine: Engine): Promise<Sample> {
  const hypervisor = new Hypervisor({ resolveGuest: resolveGuestNode });
  try {
    const shares = [{ tag: 'bench', kind: 'files', files: benchFiles() } as const];
    const vm = await hypervisor.create({ guest: DISK_GUEST, engine, memory: '256M', shares });
    await vm.start();
    await waitForPrompt(vm, { timeoutMs: BOOT_TIMEOUT_MS });
    await run(subject.setup);
    await run(subject.command);
    await run(subject.setup);
    const before = (await vm.stats()).instructions;
    const start = performance.now();
    await run(subject.command);
    const value = performance.now() - start;
    const { instructions, engine: used } = await vm.stats();
    return { value, instructions: instructions - before, engine: used };

    async function run(command: string): Promise<void> {
      const { status } = await runCommand(vm, command);
      if (status !== 0) throw new Error(`${subject.name}: '${command}' ended with ${status} in the guest`);
    }
  } finally {
    await hypervisor.destroyAll();
  }
}
