// Saves a VM: its worker packs the machine, what the user's side knows of it is added here.

import * as Comlink from 'comlink';
import type { HtvmManifest } from '../storage/htvm/htvm-manifest.ts';
import { HtvmFile } from '../storage/htvm/htvm-reader.ts';
import { assembleHtvm, type Packing, SectionPacker } from '../storage/htvm/htvm-writer.ts';
import type { MachineControl } from '../worker/machine-control.ts';
import type { MachineCopy, SavedMachine } from '../worker/machine-saver.ts';
import { snapshotError } from './snapshot-error.ts';
import type { CloneOptions, FreshSnapshot, SnapshotOptions } from './snapshot-types.ts';
import { FileSnapshot } from './snapshots.ts';
import type { VirtualMachine } from './types.ts';
import type { GuestConsole } from './vm-console.ts';
import type { VmParts } from './vm-parts.ts';

/** Bytes of each console's output that are saved, so that it can show where the guest stands. */
const CONSOLE_BYTES = 64 * 1024;
const CONSOLE_VERSION = 1;
/** Milliseconds for the last output to arrive. */
const PATIENCE_MS = 1000;
/** ECMA-48 DSR and DA, in all their forms: where is the cursor, what terminal is it? */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const TERMINAL_QUERY = /\x1b\[[?>=]?[\d;]*[nc]/g;

/** Section of a console's last output. */
export const consoleSection = (index: number) => `console/${index}`;

/** What saving needs of its VM. */
export interface SavingVm {
  parts: VmParts;
  consoles: readonly GuestConsole[];
  control: Comlink.Remote<MachineControl>;
  /** Waits for an answer of the worker, which may be lost. */
  call<T>(answer: Promise<T>): Promise<T>;
}

/** A VM's side of snapshots and clones, and of the files that a restored machine was made without. */
export class VmSaving {
  readonly #vm: SavingVm;
  /** It goes on from a saved machine and has not been started. */
  isStandingBy: boolean;
  /** Its machine was made without the files to boot from. */
  #lacksFiles: boolean;
  /** The last snapshot of it that was stored. */
  #lastStored: string | undefined;

  constructor(vm: SavingVm) {
    const { restore, config } = vm.parts;
    this.#vm = vm;
    this.isStandingBy = restore !== undefined;
    this.#lacksFiles = this.isStandingBy && config.bios === undefined;
    this.#lastStored = restore?.stored;
  }

  get lacksFiles(): boolean {
    return this.#lacksFiles;
  }

  /** Gives a machine that was made without them the files to boot from. */
  async provideFiles(): Promise<void> {
    if (!this.#lacksFiles) return;
    const { parts, control, call } = this.#vm;
    const { files, owned } = await parts.bootFiles();
    const { kernel, initrd } = files;
    await call(control.provideFiles(Comlink.transfer({ kernel, initrd }, owned)));
    this.#lacksFiles = false;
  }

  /**
   * @param options `warm`: it is what the guest starts from as long as its drives are as they are now
   * @throws {SnapshotError} when it cannot be kept; what was kept before is as it was
   */
  async save(options: SnapshotOptions & { warm?: boolean }): Promise<FreshSnapshot> {
    const { parts, consoles, control, call } = this.#vm;
    const id = randomId();
    const isStored = options.store !== false;
    const last = this.#lastStored;
    const isIncrement =
      options.incremental === true && isStored && last !== undefined && (await parts.snapshots.has(last));
    try {
      const packing = await this.#choosePacking(options, isStored);
      const saved = await call(
        control.saveMachine({
          id,
          packing,
          parent: isIncrement ? last : undefined,
          standing: options.standing,
          warm: options.warm,
        }),
      );
      const packer = new SectionPacker(packing);
      for (const [index, tail] of (await consoleTails(consoles, saved.consoleBytes)).entries()) {
        await packer.add(consoleSection(index), CONSOLE_VERSION, tail);
      }
      const manifest = describeVm(parts, saved, id, options.name ?? parts.name);
      const blob = await assembleHtvm(manifest, [saved.packed, packer.finish()]);
      const file = await HtvmFile.open(blob, `the snapshot of ${parts.name}`);
      const kept = isStored
        ? await parts.snapshots.add(file, blob)
        : new FileSnapshot(file, async () => blob);
      if (isStored) {
        await call(control.keepSaved(id));
        this.#lastStored = id;
      }
      return Object.assign(kept, { pauseMs: saved.pauseMs });
    } catch (error) {
      await call(control.discardSaved(id)).catch(() => {});
      throw snapshotError(error);
    }
  }

  async #choosePacking({ compression }: SnapshotOptions, isStored: boolean): Promise<Packing> {
    if (compression !== undefined) return compression === 'none' ? 'raw' : compression;
    const { snapshots, config } = this.#vm.parts;
    return isStored && (await snapshots.prefersPlain(config.memory)) ? 'raw-ram' : 'lz4';
  }

  /** A snapshot has been removed: what the machine's overlays keep for it is given up. */
  async forget(id: string): Promise<void> {
    if (this.#lastStored === id) this.#lastStored = undefined;
    await this.#vm.call(this.#vm.control.discardSaved(id)).catch(() => {});
  }

  clone(options: CloneOptions): Promise<VirtualMachine> {
    const { parts, consoles, control, call } = this.#vm;
    return parts.clone(async () => {
      const copy = await call(control.copyMachine());
      return { copy, consoles: await consoleTails(consoles, copy.consoleBytes) };
    }, options);
  }
}

/** The last output of each console before a moment. */
async function consoleTails(
  consoles: readonly GuestConsole[],
  consoleBytes: MachineCopy['consoleBytes'],
): Promise<Uint8Array[]> {
  return Promise.all(
    consoles.map(async (console, index) => {
      const total = consoleBytes[index] ?? 0;
      // Whoever does not read its console need not be waited for.
      await Promise.race([
        console.whenReceived(total),
        new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)),
      ]);
      return withoutQueries(console.backlogUntil(total).slice(-CONSOLE_BYTES));
    }),
  );
}

/** A terminal that is shown the output again must not answer the guest's questions again. */
function withoutQueries(output: Uint8Array): Uint8Array {
  let text = '';
  for (let at = 0; at < output.length; at += 4096)
    text += String.fromCharCode(...output.subarray(at, at + 4096));
  return Uint8Array.from(text.replace(TERMINAL_QUERY, ''), (character) => character.charCodeAt(0));
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
      bios: parts.firmware,
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
    shares: saved.shares,
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
