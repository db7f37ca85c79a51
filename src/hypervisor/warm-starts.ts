// Guests that do not boot: each time but the first, they go on from where they stood at their prompt the first time.

import { type DriveSource, describeSource } from '../storage/drive-spec.ts';
import { sha256, toHex } from '../storage/htvm/htvm-format.ts';
import { HtvmFile } from '../storage/htvm/htvm-reader.ts';
import type { SnapshotFiles } from '../storage/htvm/snapshot-files.ts';
import { ownDrives } from './drives.ts';
import { waitForPrompt } from './prompt.ts';
import { parseMemory } from './size.ts';
import type { FreshSnapshot, SnapshotOptions } from './snapshot-types.ts';
import type { GuestFiles, VirtualMachine, VmOptions, VmShare } from './types.ts';

/** Milliseconds without a write after which a guest's disk is taken to be at rest: ext4 commits every 5 s. */
const REST_MS = 6000;
/** The same before the first warm start, which somebody may wait for, and how long that waits at most. */
const FIRST_REST_MS = 500;
const FIRST_WAIT_MS = 10_000;
/** Milliseconds between two looks at what was written. */
const LOOK_MS = 250;
/** How often a warm start is taken anew of a guest that writes to its disk after its prompt, and for how long. */
const MOST_AGAIN = 4;
const AGAIN_MS = 180_000;

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
  // Whether a disk has moved on is seen by what is kept apart from it.
  const own = ownDrives(guest, options);
  if (own.some(({ overlay, snapshot }) => snapshot !== true && !isKept(overlay))) return undefined;
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
    own.map(({ overlay, snapshot }) => (overlay === undefined || snapshot ? '' : describeSource(overlay))),
    (options.shares ?? []).map((share) => [
      share.tag,
      share.kind === 'memory' && [share.shared, share.capacity],
      share.kind === 'mounts' && share.immutable,
    ]),
  ]);
  return toHex((await sha256(new TextEncoder().encode(text))).subarray(0, 16));
}

const isKept = (overlay: DriveSource | undefined) => overlay !== undefined && overlay.kind !== 'memory';

/** What a warm start is taken of. */
export interface WarmSource {
  vm: VirtualMachine;
  /** Its guest has a disk that goes on: a warm start holds until that is written again. */
  keepsDisk: boolean;
  save(options: SnapshotOptions & { warm: true }): Promise<FreshSnapshot>;
  /** A snapshot of it is of no use. */
  forget(id: string): Promise<void>;
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
   * VM ends first, or when there is no room. Of a guest that goes on writing to its disk it is taken again, in the
   * background, when that has come to rest.
   * @param ready resolves when it is; default: when it stands at its prompt
   * @returns true when it is kept
   */
  async take(source: WarmSource, id: string, ready?: Promise<unknown>): Promise<boolean> {
    const { vm, keepsDisk } = source;
    try {
      await (ready ?? waitForPrompt(vm));
      if (keepsDisk) await restOf(vm, FIRST_REST_MS, FIRST_WAIT_MS);
      const { driveWrites } = await vm.stats();
      if (!(await this.#takeNow(source, id))) return false;
      if (keepsDisk) void this.#takeAgain(source, id, driveWrites).catch(() => {});
      return true;
    } catch {
      // The guest runs on as if nothing had been tried; the next start boots again.
      return false;
    }
  }

  async #takeNow({ vm, save, forget }: WarmSource, id: string): Promise<boolean> {
    if (vm.console().typed > 0) return false;
    const snapshot = await save({
      store: false,
      compression: 'none',
      // Nobody has typed yet, so nobody waits; a copy of its memory would be a third more for the tab.
      standing: true,
      warm: true,
      name: `warm start of ${vm.name}`,
    });
    try {
      // What was typed meanwhile may be in it.
      if (vm.console().typed > 0) throw new Error('somebody has typed');
      const blob = await snapshot.blob();
      await this.#files.alone(async () => {
        await this.#dropOld(snapshot.guest);
        await this.#files.write(id, blob);
      });
      return true;
    } catch {
      await forget(snapshot.id);
      return false;
    }
  }

  /** @param taken writes to its disk when the last one was taken */
  async #takeAgain(source: WarmSource, id: string, taken: number): Promise<void> {
    const { vm } = source;
    const end = performance.now() + AGAIN_MS;
    for (let times = 0; times < MOST_AGAIN && performance.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      if (vm.state !== 'running' || vm.console().typed > 0) return;
      if ((await vm.stats()).driveWrites === taken) continue;
      await restOf(vm, REST_MS, end - performance.now());
      const { driveWrites } = await vm.stats();
      if (!(await this.#takeNow(source, id))) return;
      taken = driveWrites;
      times++;
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

/** Waits until a guest has written nothing to its drives for a while, or a while longer has passed. */
async function restOf(vm: VirtualMachine, restMs: number, mostMs: number): Promise<void> {
  const begin = performance.now();
  let since = begin;
  for (let written = -1; performance.now() - begin < mostMs; ) {
    const { driveWrites } = await vm.stats();
    if (vm.state !== 'running') throw new Error('it does not run any more');
    if (driveWrites !== written) since = performance.now();
    else if (performance.now() - since >= restMs) return;
    written = driveWrites;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
