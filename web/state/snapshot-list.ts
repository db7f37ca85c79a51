import type { Hypervisor, Snapshot } from 'hypertab';
import { strings } from '../strings/strings.ts';
import { patch, Store } from './store.ts';

/** The saved machines of this browser. */
export interface SnapshotListView {
  snapshots: readonly Snapshot[];
  /** What was done last, or is under way, in words. */
  news?: string;
  /** Something is under way. */
  busy?: boolean;
  error?: string;
}

/** Lists saved machines, takes files in and hands them out. */
export class SnapshotList {
  readonly view = new Store<SnapshotListView>({ snapshots: [] });
  readonly #hypervisor: Hypervisor;

  constructor(hypervisor: Hypervisor) {
    this.#hypervisor = hypervisor;
  }

  /** Looks again. Never rejects, as the others: the view says what failed. */
  async load(): Promise<void> {
    await this.#attempt(async () => {});
  }

  async remove(snapshot: Snapshot): Promise<void> {
    await this.#attempt(
      () => this.#hypervisor.snapshots.remove(snapshot.id),
      strings.snapshotRemoved(snapshot.name),
    );
  }

  /** The whole of it as a file; undefined when that failed. */
  async export(snapshot: Snapshot): Promise<Blob | undefined> {
    let blob: Blob | undefined;
    patch(this.view, { news: strings.snapshotExporting(snapshot.name) });
    await this.#attempt(async () => {
      blob = await this.#hypervisor.snapshots.export(snapshot.id);
    });
    return blob;
  }

  async import(files: readonly File[]): Promise<void> {
    for (const file of files) {
      patch(this.view, { news: strings.snapshotImporting(file.name) });
      await this.#attempt(() => this.#hypervisor.snapshots.import(file), strings.snapshotImported(file.name));
    }
  }

  async #attempt(action: () => Promise<unknown>, news?: string): Promise<void> {
    patch(this.view, { busy: true });
    try {
      await action();
      patch(this.view, { snapshots: await this.#hypervisor.snapshots.list(), news, error: undefined });
    } catch (error) {
      patch(this.view, { news: undefined, error: error instanceof Error ? error.message : String(error) });
    } finally {
      patch(this.view, { busy: false });
    }
  }
}
