// Takes a machine's state while it stands still for a moment, and packs it while it runs on.

import type { MachineStateApi, StateSection } from '../machine/machine-state.ts';
import type { MachineApi } from '../machine/machine-types.ts';
import { type DriveRestore, layersOf } from '../storage/drive-layers.ts';
import { describeSource } from '../storage/drive-spec.ts';
import type { HtvmDrive, HtvmShare } from '../storage/htvm/htvm-manifest.ts';
import { type PackedSections, type Packing, SectionPacker } from '../storage/htvm/htvm-writer.ts';
import { packMemory } from '../storage/htvm/memory-image.ts';
import {
  copyRam,
  countBits,
  packRam,
  RAM_PAGE_BYTES,
  type RamCopy,
  type RamPages,
  ramInPlace,
} from '../storage/htvm/ram-image.ts';
import { packTree } from '../storage/htvm/tree-sections.ts';
import { MemoryBackend } from '../storage/memory-backend.ts';
import type { OverlayBackend } from '../storage/overlay-backend.ts';
import type { FileSystem } from '../storage/tree/file-system.ts';
import { MemoryTree } from '../storage/tree/memory-tree.ts';
import { captureTree, type TreeImage } from '../storage/tree/memory-tree-image.ts';
import type { DriveSetup } from './machine-control.ts';
import type { OpenedParts } from './open-parts.ts';
import { nextTurn } from './turns.ts';
import type { VmDriver } from './vm-driver.ts';

/** Pages that a guest may use anew between the look at its memory and the copy. */
const SPARE_PAGES = 1024;
/** Memory that is touched in a turn, less than a millisecond's worth. */
const ROOM_STEP_BYTES = 1 << 20;

/** Where the machine's own sections are in a file. */
export const MACHINE_PREFIX = 'machine/';

export interface SaveRequest {
  /** The snapshot's id: overlays keep their contents of that moment under it. */
  id: string;
  packing: Packing;
  /** Save only what has changed since this one, where that can be told. */
  parent?: string;
  /** It is what its guest starts from as long as its drives are as they are now: the only such one of its overlays. */
  warm?: boolean;
  /** The machine stands still until it is packed, whole, and is not copied before. */
  standing?: boolean;
}

/** The name under which overlays keep the moment of a warm start. */
export const warmMoment = (id: string) => `${WARM}${id}`;
const WARM = 'warm ';

/** A machine at one moment, all but the drives themselves. */
export interface MachineCopy<Ram extends RamPages = RamCopy> {
  ram: Ram;
  state: StateSection[];
  /** What its drives keep in memory. */
  memories: DriveRestore['memories'][];
  drives: HtvmDrive[];
  /** Files of the shares that are in memory, in the order of `shares`; undefined for the others. */
  trees: (TreeImage | undefined)[];
  shares: HtvmShare[];
  /** Bytes that the guest had written to each console. */
  consoleBytes: readonly number[];
  /** Milliseconds that the guest stood still. */
  pauseMs: number;
}

/** A machine packed for a file. */
export interface SavedMachine extends Pick<MachineCopy, 'drives' | 'shares' | 'consoleBytes' | 'pauseMs'> {
  packed: PackedSections;
  /** The snapshot that its RAM stands on: the one asked for, or none where that could not be. */
  parent?: string;
}

/** Where the files of a share are in a file: by its place, since tags may have any letters. */
export const treeSection = (share: number) => `share/${share}`;

/** Files that are nowhere but in this worker's memory. */
const isInside = (tree: FileSystem): tree is MemoryTree => tree instanceof MemoryTree && !tree.readonly;

/** What a saver works on. */
export interface SaverParts {
  machine: MachineApi & MachineStateApi;
  driver: VmDriver;
  parts: OpenedParts;
  setups: readonly DriveSetup[];
  consoleBytes: () => readonly number[];
}

/** A snapshot, and the pages that were written since. */
interface Baseline {
  id: string;
  dirty: Uint8Array;
}

export class MachineSaver {
  readonly #parts: SaverParts;
  /** What an increment can stand on, and what that may become. */
  #baseline: Baseline | undefined;
  #candidate: Baseline | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: SaverParts) {
    this.#parts = parts;
  }

  /** The machine is as a snapshot has it, from which it was made. */
  beginAt(id: string): void {
    this.#noteDirty();
    this.#baseline = this.#emptyBaseline(id);
  }

  /**
   * Saves the machine.
   * @param onProgress bytes of RAM packed, of how many
   * @throws {StorageError} when an overlay cannot keep its contents; the machine runs on
   */
  save(request: SaveRequest, onProgress: (done: number, total: number) => void): Promise<SavedMachine> {
    return this.#inTurn(async () => {
      const parent =
        request.parent !== undefined && request.parent === this.#baseline?.id && !request.standing;
      const kept: number[] = [];
      try {
        const prepare = async () => {
          for (const [index, { backend }] of this.#drives.entries()) {
            const { overlay } = layersOf(backend);
            if (overlay === undefined) continue;
            if (request.warm) await forgetWarm(overlay);
            await overlay.snapshot(request.warm ? warmMoment(request.id) : request.id);
            kept.push(index);
          }
          this.#noteDirty();
          const dirty = parent ? this.#baseline?.dirty : undefined;
          this.#candidate = this.#emptyBaseline(request.id);
          return dirty;
        };
        const packIt = (copy: MachineCopy<RamPages>) => pack(copy, request.packing, onProgress);
        const [copy, packed] = request.standing
          ? await this.#packStanding(prepare, packIt)
          : await this.#capture(prepare, parent).then(async (copy) => [copy, await packIt(copy)] as const);
        const { drives, shares, consoleBytes, pauseMs } = copy;
        return { packed, drives, shares, consoleBytes, pauseMs, parent: parent ? request.parent : undefined };
      } catch (error) {
        await this.#forget(request.id, kept);
        throw error;
      }
    });
  }

  /** A snapshot has been stored: later ones can stand on it. */
  keep(id: string): void {
    if (this.#candidate?.id === id) this.#baseline = this.#candidate;
  }

  /** A snapshot has not been stored, or is gone: what overlays keep of it is given up. */
  discard(id: string): Promise<void> {
    if (this.#candidate?.id === id) this.#candidate = undefined;
    if (this.#baseline?.id === id) this.#baseline = undefined;
    return this.#inTurn(() => this.#forget(id, [...this.#drives.keys()]));
  }

  /** Copies the machine for another one that goes on beside it. */
  copy(): Promise<MachineCopy> {
    return this.#inTurn(() => this.#capture(async () => undefined));
  }

  get #drives() {
    return this.#parts.parts.drives ?? [];
  }

  get #shares() {
    return this.#parts.parts.shares ?? [];
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action, action);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** @param prepare done while the guest stands still; tells which pages are wanted, undefined for all */
  async #capture(prepare: () => Promise<Uint8Array | undefined>, isIncrement = false): Promise<MachineCopy> {
    const { machine, driver } = this.#parts;
    const room = isIncrement ? undefined : await takeRoom(machine.nonZeroPages());
    const { trees, ...copy } = await driver.whileHeld(async () => {
      const begin = performance.now();
      const dirty = await this.#settle(prepare);
      const copy = this.#take(copyRam(machine.ram, machine.nonZeroPages(), dirty, room));
      return { ...copy, pauseMs: performance.now() - begin };
    });
    return { ...copy, trees: await Promise.all(trees.map((read) => read?.())) };
  }

  /** Packs the machine while it stands still. */
  #packStanding(
    prepare: () => Promise<unknown>,
    pack: (copy: MachineCopy<RamPages>) => Promise<PackedSections>,
  ): Promise<readonly [MachineCopy<RamPages>, PackedSections]> {
    const { machine, driver } = this.#parts;
    return driver.whileHeld(async () => {
      const begin = performance.now();
      await this.#settle(prepare);
      const taken = this.#take(ramInPlace(machine.ram, machine.nonZeroPages()));
      const trees = await Promise.all(taken.trees.map((read) => read?.()));
      const copy = { ...taken, trees, pauseMs: 0 };
      const packed = await pack(copy);
      copy.pauseMs = performance.now() - begin;
      return [copy, packed] as const;
    });
  }

  /** Ends what is under way in a machine that is held. */
  async #settle<T>(prepare: () => Promise<T>): Promise<T> {
    const { machine, driver } = this.#parts;
    if (driver.state === 'stopped') throw new Error('the machine has stopped: there is nothing to save');
    await machine.quiesce();
    for (const { backend } of this.#drives) await backend.flush();
    return prepare();
  }

  /** Takes all in one turn: nothing else can happen to the machine. */
  #take<Ram extends RamPages>(ram: Ram) {
    const { machine, consoleBytes } = this.#parts;
    return {
      ram,
      state: machine.saveState(),
      memories: this.#drives.map(({ backend }) =>
        layersOf(backend).memories.map((memory) => memory.freeze()),
      ),
      drives: this.#drives.map(({ backend, serial }, index) => {
        const { base, overlay, writesBase, memories } = layersOf(backend);
        const drive: HtvmDrive = {
          name: describeSource(this.#parts.setups[index]!.drive),
          bytes: backend.bytes,
          kept:
            base instanceof MemoryBackend
              ? 'whole'
              : overlay !== undefined
                ? 'overlay'
                : writesBase
                  ? 'outside'
                  : 'changes',
          memories: memories.length,
        };
        if (serial !== undefined) drive.serial = serial;
        if (backend.readonly) drive.readonly = true;
        if (base.identity !== undefined) drive.identity = base.identity;
        return drive;
      }),
      shares: this.#shares.map(({ tag, tree }): HtvmShare => {
        if (!isInside(tree)) return { tag, kept: 'outside' };
        return { tag, kept: 'inside', ...(tree.sharing === 'shared' && { shared: true }) };
      }),
      trees: this.#shares.map(({ tree }) => (isInside(tree) ? captureTree(tree) : undefined)),
      consoleBytes: consoleBytes(),
    };
  }

  #noteDirty(): void {
    const dirty = this.#parts.machine.takeDirtyPages();
    for (const line of [this.#baseline, this.#candidate]) {
      if (line !== undefined)
        for (let index = 0; index < dirty.length; index++) line.dirty[index]! |= dirty[index]!;
    }
  }

  #emptyBaseline(id: string): Baseline {
    return { id, dirty: new Uint8Array(Math.ceil(this.#parts.machine.ram.length / 4096 / 8)) };
  }

  async #forget(id: string, drives: readonly number[]): Promise<void> {
    for (const index of drives) {
      const { overlay } = layersOf(this.#drives[index]!.backend);
      for (const name of [id, warmMoment(id)])
        if (overlay?.snapshots.includes(name)) await overlay.deleteSnapshot(name).catch(() => {});
    }
  }
}

/** Those of earlier warm starts, whose files are gone or about to be. */
async function forgetWarm(overlay: OverlayBackend): Promise<void> {
  for (const name of overlay.snapshots) if (name.startsWith(WARM)) await overlay.deleteSnapshot(name);
}

/**
 * Memory for a copy of those pages and some more. A page of the host's costs most when it is touched first: that is done
 * here while the guest still runs, a piece at a time (38 MB: 20 of 25 ms of the copy).
 */
async function takeRoom(pages: Uint8Array): Promise<Uint8Array> {
  const room = new Uint8Array((countBits(pages) + SPARE_PAGES) * RAM_PAGE_BYTES);
  for (let at = 0; at < room.length; at += RAM_PAGE_BYTES) {
    room[at] = 0;
    if (at % ROOM_STEP_BYTES === 0) await nextTurn();
  }
  return room;
}

async function pack(
  copy: MachineCopy<RamPages>,
  packing: Packing,
  onProgress: (done: number, total: number) => void,
): Promise<PackedSections> {
  const packer = new SectionPacker(packing);
  for (const { name, version, bytes } of copy.state) await packer.add(MACHINE_PREFIX + name, version, bytes);
  for (const [drive, memories] of copy.memories.entries()) {
    for (const [index, contents] of memories.entries()) {
      await packMemory(packer, `drive/${drive}/${index}`, contents);
    }
  }
  for (const [index, tree] of copy.trees.entries()) {
    if (tree !== undefined) await packTree(packer, treeSection(index), tree);
  }
  await packRam(packer, copy.ram, onProgress);
  return packer.finish();
}

/** The machine as one whose state can be saved. */
export function withState(machine: MachineApi): MachineApi & MachineStateApi {
  if (machine.saveState === undefined) throw new Error('this machine cannot be saved');
  return machine as MachineApi & MachineStateApi;
}
