// Makes a machine go on from where another one was saved.
import type { StateSection } from '../machine/machine-state.ts';
import { type DriveRestore, layersOf } from '../storage/drive-layers.ts';
import { describeSource } from '../storage/drive-spec.ts';
import { HtvmError } from '../storage/htvm/htvm-error.ts';
import type { HtvmDrive } from '../storage/htvm/htvm-manifest.ts';
import { type HtvmBytes, HtvmFile } from '../storage/htvm/htvm-reader.ts';
import { unpackMemory } from '../storage/htvm/memory-image.ts';
import { pasteRam, unpackRam } from '../storage/htvm/ram-image.ts';
import { unpackTree } from '../storage/htvm/tree-sections.ts';
import { StorageError } from '../storage/storage-error.ts';
import { MemoryTree } from '../storage/tree/memory-tree.ts';
import { fillTree, type TreeImage } from '../storage/tree/memory-tree-image.ts';
import type { DriveSetup } from './machine-control.ts';
import {
  MACHINE_PREFIX,
  type MachineCopy,
  treeSection,
  warmMoment,
  type withState,
} from './machine-saver.ts';
import type { OpenedParts } from './open-parts.ts';

/** What a machine goes on from. */
export type RestoreSource =
  /** Files, each of which stands on the one before it; the first on none. */
  | {
      kind: 'files';
      files: readonly { bytes: HtvmBytes; name: string; isOwn?: boolean }[];
      /** A warm start: overlays must be as they were, instead of being taken back. */
      warm?: boolean;
    }
  | { kind: 'copy'; copy: MachineCopy };

type StatefulMachine = ReturnType<typeof withState>;

export class MachineRestorer {
  /** The snapshot's id; undefined for a copy. */
  readonly id: string | undefined;
  /** What the drives are to hold, one for each. */
  readonly drives: readonly DriveRestore[];
  readonly #saved: readonly HtvmDrive[];
  readonly #trees: readonly (TreeImage | undefined)[];
  readonly #state: readonly StateSection[];
  readonly #putRam: (machine: StatefulMachine) => Promise<void>;

  private constructor(
    id: string | undefined,
    drives: readonly DriveRestore[],
    saved: readonly HtvmDrive[],
    trees: readonly (TreeImage | undefined)[],
    state: readonly StateSection[],
    putRam: (machine: StatefulMachine) => Promise<void>,
  ) {
    this.id = id;
    this.drives = drives;
    this.#saved = saved;
    this.#trees = trees;
    this.#state = state;
    this.#putRam = putRam;
  }

  /**
   * Reads and checks everything but RAM, whose digests are checked here and whose contents when they are put.
   * @throws {HtvmError}
   */
  static async open(source: RestoreSource): Promise<MachineRestorer> {
    if (source.kind === 'copy') {
      const { copy } = source;
      const drives = copy.memories.map((memories): DriveRestore => ({ memories }));
      return new MachineRestorer(undefined, drives, copy.drives, copy.trees, copy.state, async (machine) =>
        pasteRam(copy.ram, machine.ram, (offset, length) => machine.ramWritten(offset, length)),
      );
    }
    const chain: HtvmFile[] = [];
    for (const { bytes, name, isOwn } of source.files) {
      const file = await HtvmFile.open(bytes, name, isOwn);
      const below = chain.at(-1)?.manifest.id;
      if (file.manifest.parent !== below) {
        throw new HtvmError(
          'damaged',
          `${name} stands on snapshot ${file.manifest.parent ?? 'none'}, not ${below}`,
        );
      }
      chain.push(file);
    }
    const file = chain.at(-1);
    if (file === undefined) throw new HtvmError('truncated', 'there is no file to restore from');
    const state: StateSection[] = [];
    const own = file.sectionsUnder(MACHINE_PREFIX);
    await file.readInOrder(
      own.map(({ name }) => name),
      (index, contents) => {
        const { name, version } = own[index]!;
        state.push({ name: name.slice(MACHINE_PREFIX.length), version, bytes: contents.slice() });
      },
    );
    // Opening a drive may take its overlay back: not for a file that turns out to be damaged later.
    if (!source.warm && file.manifest.drives.some(({ kept }) => kept === 'overlay'))
      for (const layer of chain) await layer.verify();
    const drives: DriveRestore[] = [];
    for (const [drive, { kept, memories }] of file.manifest.drives.entries()) {
      const contents = [];
      for (let index = 0; index < memories; index++)
        contents.push(await unpackMemory(file, `drive/${drive}/${index}`));
      const { id } = file.manifest;
      if (kept !== 'overlay') drives.push({ memories: contents });
      else if (source.warm) drives.push({ memories: contents, unmovedSince: warmMoment(id) });
      else drives.push({ memories: contents, overlaySnapshot: id });
    }
    const trees: (TreeImage | undefined)[] = [];
    for (const [index, { kept }] of file.manifest.shares.entries()) {
      trees.push(kept === 'inside' ? await unpackTree(file, treeSection(index)) : undefined);
    }
    return new MachineRestorer(
      file.manifest.id,
      drives,
      file.manifest.drives,
      trees,
      state,
      async (machine) => {
        const written = (offset: number, length: number) => machine.ramWritten(offset, length);
        for (const layer of chain) await unpackRam(layer, machine.ram, written);
      },
    );
  }

  /**
   * Checks that opened drives are those that the machine had.
   * @throws {StorageError} corrupt, naming the drive
   */
  checkDrives(parts: OpenedParts, setups: readonly DriveSetup[]): void {
    const extra = setups[this.#saved.length];
    if (extra !== undefined) {
      throw new StorageError(
        'io',
        `${describeSource(extra.drive)}: the machine was saved without it; leave it out`,
      );
    }
    for (const [index, saved] of this.#saved.entries()) {
      const drive = parts.drives?.[index]?.backend;
      if (drive === undefined) {
        throw new StorageError(
          'io',
          `drive ${index + 1} (${saved.name}) is missing; give it as it was given before`,
        );
      }
      const name = describeSource(setups[index]!.drive);
      if (drive.bytes !== saved.bytes) {
        throw new StorageError(
          'corrupt',
          `${name} has ${drive.bytes} bytes, and the machine was saved with ${saved.name} of ${saved.bytes} bytes`,
        );
      }
      const { identity } = layersOf(drive).base;
      if (saved.identity !== undefined && identity !== undefined && identity !== saved.identity) {
        throw new StorageError(
          'corrupt',
          `${name} has changed since the machine was saved (it was ${saved.identity}, it is ${identity}); ` +
            'the guest would find another disk than it knows',
        );
      }
    }
  }

  /**
   * Puts the files that were in memory into shares that have just been opened.
   * @throws {HtvmError} damaged, when they cannot be
   */
  fillShares({ shares = [] }: OpenedParts): void {
    for (const [index, image] of this.#trees.entries()) {
      if (image === undefined) continue;
      const tree = shares[index]?.tree;
      if (!(tree instanceof MemoryTree)) throw new HtvmError('damaged', `share ${index} is not in memory`);
      try {
        fillTree(tree, image);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new HtvmError('damaged', `the files of share ${shares[index]!.tag} are damaged: ${reason}`, {
          cause: error,
        });
      }
    }
  }

  /**
   * Puts the state into a machine that has not run; it is of no use when this fails.
   * @throws {HtvmError} {MachineStateError}
   */
  async apply(machine: StatefulMachine): Promise<void> {
    await this.#putRam(machine);
    machine.restoreState(this.#state);
  }
}
