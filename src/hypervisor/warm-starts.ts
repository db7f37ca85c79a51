// Guests that do not boot: each time but the first, they go on from where they stood at their prompt the first time.

import { sha256, toHex } from '../storage/htvm/htvm-format.ts';
import { HtvmFile } from '../storage/htvm/htvm-reader.ts';
import type { SnapshotFiles } from '../storage/htvm/snapshot-files.ts';
import { waitForPrompt } from './prompt.ts';
import { parseMemory } from './size.ts';
import type { GuestFiles, VirtualMachine, VmOptions, VmShare } from './types.ts';

/** Raised when what a machine looks like to its guest changes: older warm starts are not used then. */
const BOARD_VERSION = 1;

/** What a warm start depends on, as an id of 32 hex digits; undefined for options that have none. */
export async function warmId(
  options: VmOptions,
  guest: GuestFiles | undefined,
  core: string,
): Promise<string | undefined> {
  if (guest?.key === undefined || guest.key === '' || core === '') return undefined;
  const { kernel, initrd, bios, drives, maxInstructions, clock, seed } = options;
  // What is the user's own cannot be the same each time.
  if ([kernel, initrd, maxInstructions, seed].some((option) => option !== undefined)) return undefined;
  if ((bios !== undefined && bios !== 'none') || (drives?.length ?? 0) > 0 || clock === 'instructions')
    return undefined;
  // A disk that is kept goes on, a machine that does not would meet another one than it knows.
  if ((guest.drives?.length ?? 0) > 0 && options.snapshot !== true) return undefined;
  // What a share holds at the start is up to others; one in memory is empty, and so is one for trees to come.
  const isEmpty = ({ kind, readonly }: VmShare) => (kind === 'memory' && !readonly) || kind === 'mounts';
  if (!(options.shares ?? []).every(isEmpty)) return undefined;
  const networks =
    options.network === undefined ? 0 : Array.isArray(options.network) ? options.network.length : 1;
  const text = JSON.stringify([
    BOARD_VERSION,
    core,
    guest.name,
    guest.key,
    parseMemory(options.memory ?? guest.memory),
    options.append ?? guest.append ?? '',
    options.engine ?? 'auto',
    options.consoles ?? 0,
    options.channels ?? 0,
    options.noReboot ?? false,
    networks,
    (options.shares ?? []).map((share) => [
      share.tag,
      share.kind === 'memory' && [share.shared, share.capacity],
      share.kind === 'mounts' && share.immutable,
    ]),
  ]);
  return toHex((await sha256(new TextEncoder().encode(text))).subarray(0, 16));
}

/** The warm starts that are kept, apart from the user's snapshots. */
export class WarmStarts {
  readonly #files: SnapshotFiles;

  constructor(files: SnapshotFiles) {
    this.#files = files;
  }

  /** The file of a warm start; undefined when there is none, or one that is damaged. */
  async find(id: string): Promise<HtvmFile | undefined> {
    try {
      const bytes = await this.#files.read(id);
      return bytes === undefined ? undefined : await HtvmFile.open(bytes, 'the warm start', true);
    } catch {
      await this.forget(id);
      return undefined;
    }
  }

  /** One that was of no use: the next start boots. */
  async forget(id: string): Promise<void> {
    await this.#files.remove(id).catch(() => {});
  }

  /**
   * Takes the warm start of a VM that boots, once it is ready; nothing is kept when somebody has typed by then, when the
   * VM ends first, or when there is no room.
   * @param ready resolves when it is; default: when it stands at its prompt
   * @returns true when it is kept
   */
  async take(vm: VirtualMachine, id: string, ready?: Promise<unknown>): Promise<boolean> {
    try {
      await (ready ?? waitForPrompt(vm));
      if (vm.console().typed > 0) return false;
      const snapshot = await vm.snapshot({
        store: false,
        compression: 'none',
        // Nobody has typed yet, so nobody waits; a copy of its memory would be a third more for the tab.
        standing: true,
        name: `warm start of ${vm.name}`,
      });
      // What was typed meanwhile may be in it.
      if (vm.console().typed > 0) return false;
      const blob = await snapshot.blob();
      await this.#files.alone(async () => {
        await this.#dropOld(snapshot.guest);
        await this.#files.write(id, blob);
      });
      return true;
    } catch {
      // The guest runs on as if nothing had been tried; the next start boots again.
      return false;
    }
  }

  /** Warm starts of a guest are large: those made for other options or versions of it go when a new one comes. */
  async #dropOld(guest: string | undefined): Promise<void> {
    for (const id of await this.#files.list()) {
      const blob = await this.#files.peek(id);
      const file = blob && (await HtvmFile.open(blob).catch(() => undefined));
      if (file?.manifest.guest?.name === guest) await this.#files.remove(id);
    }
  }
}
