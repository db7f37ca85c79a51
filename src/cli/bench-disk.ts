// How fast a drive is as a guest sees it: BusyBox's dd on Debian's kernel, past the page cache.
import { resolveGuestNode } from '../guests/prepare-node.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';
import { waitForPrompt } from '../hypervisor/prompt.ts';
import { runCommand } from '../hypervisor/run-command.ts';
import type { Engine } from '../machine/machine-types.ts';
import type { Sample } from './bench-measure.ts';

const MIB = 1024 ** 2;
const DRIVE_BYTES = 256 * MIB;
const REQUESTS = 20_000;
/** The guest that it is measured in. */
export const DISK_GUEST = 'busybox';
const BOOT_TIMEOUT_MS = 120_000;

/** A way to use a drive. */
export interface DiskSubject {
  kind: 'disk';
  name: string;
  title: string;
  unit: 'MB/s' | 'IO/s';
  /** Units of work that the command does. */
  amount: number;
  command: string;
}

/** A drive in memory is the device and its driver alone, without a file's or a browser's part. */
export const DISK_SUBJECTS: readonly DiskSubject[] = [
  {
    kind: 'disk',
    name: 'disk-read',
    title: 'reading a drive in memory, 1 MiB at a time',
    unit: 'MB/s',
    amount: DRIVE_BYTES / 1e6,
    command: `dd if=/dev/vda of=/dev/null bs=1M count=${DRIVE_BYTES / MIB} iflag=direct`,
  },
  {
    kind: 'disk',
    name: 'disk-write',
    title: 'writing a drive in memory, 1 MiB at a time',
    unit: 'MB/s',
    amount: DRIVE_BYTES / 1e6,
    command: `dd if=/dev/zero of=/dev/vda bs=1M count=${DRIVE_BYTES / MIB} oflag=direct conv=fsync`,
  },
  {
    kind: 'disk',
    name: 'disk-4k',
    title: 'reads of 4 KiB from a drive in memory, one after the other',
    unit: 'IO/s',
    amount: REQUESTS,
    command: `dd if=/dev/vda of=/dev/null bs=4k count=${REQUESTS} iflag=direct`,
  },
];

/** Boots the guest, warms the command up, and measures it once. */
export async function measureDisk(subject: DiskSubject, engine: Engine): Promise<Sample> {
  const hypervisor = new Hypervisor({ resolveGuest: resolveGuestNode });
  try {
    const vm = await hypervisor.create({
      guest: DISK_GUEST,
      engine,
      memory: '256M',
      drives: [{ kind: 'memory', bytes: DRIVE_BYTES }],
    });
    await vm.start();
    await waitForPrompt(vm, { timeoutMs: BOOT_TIMEOUT_MS });
    // A drive that nothing was written to would answer reads without a copy.
    await run(`dd if=/dev/zero of=/dev/vda bs=1M count=${DRIVE_BYTES / MIB} oflag=direct`);
    await run(subject.command);
    const before = (await vm.stats()).instructions;
    const start = performance.now();
    await run(subject.command);
    const seconds = (performance.now() - start) / 1000;
    const { instructions, engine: used } = await vm.stats();
    return { value: subject.amount / seconds, instructions: instructions - before, engine: used };

    async function run(command: string): Promise<void> {
      const { status } = await runCommand(vm, `${command} 2>/dev/null`);
      if (status !== 0) throw new Error(`${subject.name}: '${command}' ended with ${status} in the guest`);
    }
  } finally {
    await hypervisor.destroyAll();
  }
}
