import type { SetFile, TreeFile, VirtualMachine, VmFolder, VmShare } from 'hypertab';
import { strings } from '../strings/strings.ts';
import { patch, Store } from './store.ts';

/** The share of each machine of the page, /mnt/drop in the guest, and its directory for what the guest hands out. */
const TAG = 'drop';
const OUT = 'out';
/** Files sent to the machine's worker at a time. */
const BATCH = 100;

/** What went into the folder, and what may be taken out. */
export interface DropView {
  /** Files of the last drop that the guest has, or that wait for it, and their bytes; undefined before the first. */
  added?: { files: number; bytes: number };
  /** More are being added. */
  adding: boolean;
  /** There is no machine yet to have them. */
  waiting: boolean;
  error?: string;
  /** In the guest's `out`; paths below it, in their order. */
  offers: readonly TreeFile[];
}

/** Files in and out of one machine. */
export class DropFolder {
  readonly share: VmShare = { tag: TAG, kind: 'memory', shared: true };
  readonly view = new Store<DropView>({ adding: false, waiting: false, offers: [] });
  #folder: VmFolder | undefined;
  #waiting: SetFile[] = [];
  #listing = false;
  #stale = false;
  #adding = Promise.resolve();

  /** Joins it with a machine made with its share; returns a function that parts them. Never rejects. */
  async attach(vm: VirtualMachine): Promise<() => void> {
    const folder = vm.shares.get(TAG);
    this.#folder = folder;
    const detach = vm.on('share', ({ tag }) => {
      if (tag === TAG) void this.#list();
    });
    const waiting = this.#waiting.splice(0);
    patch(this.view, { offers: [], waiting: false });
    try {
      await folder?.makeDirectory(OUT);
      if (waiting.length > 0) await folder?.add(waiting);
    } catch (error) {
      this.#fail(error);
    }
    return () => {
      detach();
      this.#folder = undefined;
    };
  }

  /** Gives files to the guest, one drop after the other. Never rejects: the view says what failed. */
  add(files: AsyncIterable<SetFile>): Promise<void> {
    this.#adding = this.#adding.then(() => this.#addAll(files));
    return this.#adding;
  }

  /** The contents of an offer; undefined when it is gone, which the view then says. */
  async read(offer: TreeFile): Promise<Blob | undefined> {
    try {
      return await this.#folder?.read(`${OUT}/${offer.path}`);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  async #addAll(files: AsyncIterable<SetFile>): Promise<void> {
    const added = { files: 0, bytes: 0 };
    let batch: SetFile[] = [];
    const flush = async () => {
      const full = batch;
      batch = [];
      if (this.#folder === undefined) this.#waiting.push(...full);
      else await this.#folder.add(full);
      added.files += full.length;
      for (const { contents } of full)
        added.bytes += contents instanceof Blob ? contents.size : contents.length;
      patch(this.view, { added: { ...added }, waiting: this.#folder === undefined });
    };
    patch(this.view, { adding: true, added, error: undefined });
    try {
      for await (const file of files) {
        batch.push(file);
        if (batch.length >= BATCH) await flush();
      }
      await flush();
    } catch (error) {
      this.#fail(error);
    } finally {
      patch(this.view, { adding: false });
    }
  }

  /** Looks what there is to take; changes meanwhile are looked at afterwards. */
  async #list(): Promise<void> {
    this.#stale = true;
    if (this.#listing) return;
    this.#listing = true;
    while (this.#stale) {
      this.#stale = false;
      const folder = this.#folder;
      // A guest may have removed the directory; then there is nothing.
      const offers = (await folder?.list(OUT).catch(() => [])) ?? [];
      offers.sort((a, b) => (a.path < b.path ? -1 : 1));
      if (this.#folder === folder) patch(this.view, { offers });
    }
    this.#listing = false;
  }

  #fail(error: unknown): void {
    patch(this.view, { error: strings.filesFailed(error instanceof Error ? error.message : String(error)) });
  }
}
