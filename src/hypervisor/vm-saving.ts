// Saves a VM: its worker packs the machine, what the user's side knows of it is added here.

import type { HtvmManifest, HtvmShare } from '../storage/htvm/htvm-manifest.ts';
import { HtvmFile } from '../storage/htvm/htvm-reader.ts';
import { assembleHtvm, SectionPacker } from '../storage/htvm/htvm-writer.ts';
import type { MachineControl } from '../worker/machine-control.ts';
import type { MachineCopy, SavedMachine } from '../worker/machine-saver.ts';
import { snapshotError } from './snapshot-error.ts';
import type { FreshSnapshot, SnapshotOptions } from './snapshot-types.ts';
import { FileSnapshot, type Snapshots } from './snapshots.ts';
import type { GuestConsole } from './vm-console.ts';
import type { VmParts } from './vm-parts.ts';

/** Bytes of each console's output that are saved, so that it can show where the guest stands. */
const CONSOLE_BYTES = 64 * 1024;
const CONSOLE_VERSION = 1;

/** Section of a console's last output. */
export const consoleSection = (index: number) => `console/${index}`;

/** The worker's calls that saving needs, as promises. */
export interface SavingControl {
  saveMachine(...request: Parameters<MachineControl['saveMachine']>): Promise<SavedMachine>;
  keepSaved(id: string): Promise<void>;
  discardSaved(id: string): Promise<void>;
}

export interface SavingVm {
  parts: VmParts;
  consoles: readonly GuestConsole[];
  control: SavingControl;
  /** Where snapshots are kept, and which of this VM was the last. */
  snapshots: Snapshots;
  lastStored: string | undefined;
}

/**
 * Saves the VM.
 * @returns the snapshot; `stored` says whether it can be the parent of the next
 * @throws {SnapshotError} when it cannot be kept, and what was kept before is as it was
 */
export async function saveVm(
  vm: SavingVm,
  options: SnapshotOptions,
): Promise<{ snapshot: FreshSnapshot; stored: boolean }> {
  const id = randomId();
  const isStored = options.store !== false;
  const { lastStored } = vm;
  const parent =
    options.incremental && isStored && lastStored !== undefined && (await vm.snapshots.has(lastStored))
      ? lastStored
      : undefined;
  const packing = options.compression === 'none' ? 'raw' : 'gzip';
  try {
    const saved = await vm.control.saveMachine({ id, packing, parent });
    const packer = new SectionPacker(packing);
    for (const [index, tail] of (await consoleTails(vm.consoles, saved.consoleBytes)).entries()) {
      await packer.add(consoleSection(index), CONSOLE_VERSION, tail);
    }
    const manifest = describeVm(vm.parts, saved, id, options.name ?? vm.parts.name);
    const blob = await assembleHtvm(manifest, [saved.packed, packer.finish()]);
    const file = await HtvmFile.open(blob, `the snapshot of ${vm.parts.name}`);
    const kept = isStored ? await vm.snapshots.add(file, blob) : new FileSnapshot(file, async () => blob);
    if (isStored) await vm.control.keepSaved(id);
    return { snapshot: Object.assign(kept, { pauseMs: saved.pauseMs }), stored: isStored };
  } catch (error) {
    await vm.control.discardSaved(id).catch(() => {});
    throw snapshotError(error);
  }
}

/** The last output of each console before a moment. */
export async function consoleTails(
  consoles: readonly GuestConsole[],
  consoleBytes: MachineCopy['consoleBytes'],
): Promise<Uint8Array[]> {
  return Promise.all(
    consoles.map(async (console, index) => {
      const total = consoleBytes[index] ?? 0;
      await console.whenReceived(total);
      return console.backlogUntil(total).slice(-CONSOLE_BYTES);
    }),
  );
}

function describeVm(
  parts: VmParts,
  saved: SavedMachine,
  id: string,
  name: string,
): Omit<HtvmManifest, 'sections'> {
  const { config } = parts;
  const { memory, engine, append, consoles, channels, clock, seed, noReboot, virtio } = config;
  return {
    id,
    name,
    created: new Date().toISOString(),
    writer: 'hypertab',
    core: '',
    machine: {
      memory,
      engine,
      bios: parts.firmware === true,
      append,
      consoles,
      channels,
      clock,
      seed,
      noReboot,
      virtio,
    },
    guest: parts.guest,
    prompt: parts.prompt,
    parent: saved.parent,
    drives: saved.drives,
    shares: (parts.shares ?? []).map(({ tag }): HtvmShare => ({ tag, kept: 'outside' })),
    interfaces: (parts.networks ?? []).map(({ mac }) => ({
      mac: Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':'),
    })),
  };
}

function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
