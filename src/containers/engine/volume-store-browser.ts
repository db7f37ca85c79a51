import type { TreeSpec } from '../../storage/tree/tree-spec.ts';
import { EngineError } from './engine-error.ts';
import type { VolumeSummary } from './engine-types.ts';
import { type VolumeStore, volumeSummary } from './volume-store.ts';

const RECORD = 'volume.json';
const DATA = '_data';
/** A longer record is none of ours. */
const RECORD_MAX = 1 << 20;

/**
 * Volumes in the browser's private files, shared by all tabs of the site: hypertab/volumes/NAME/volume.json, and
 * NAME/_data with the files. They have what such files can have: no links, and owners and modes only until the
 * container host ends.
 */
export class BrowserVolumes implements VolumeStore {
  readonly #folder: string;

  /** @param folder name of the folder within what is ours */
  constructor(folder = 'volumes') {
    this.#folder = folder;
  }

  list(): Promise<VolumeSummary[]> {
    return this.#using('the volumes', async () => {
      const volumes = await this.#place();
      const names: string[] = [];
      for await (const name of volumes.keys()) names.push(name);
      const found = await Promise.all(names.sort().map((name) => this.find(name)));
      return found.filter((volume) => volume !== undefined);
    });
  }

  find(name: string): Promise<VolumeSummary | undefined> {
    return this.#using(name, async () => {
      try {
        const volume = await (await this.#place()).getDirectoryHandle(name);
        const file = await (await volume.getFileHandle(RECORD)).getFile();
        if (file.size > RECORD_MAX) return undefined;
        const { created, labels } = JSON.parse(await file.text()) as {
          created: string;
          labels: Record<string, string>;
        };
        return volumeSummary(name, this.#mountpoint(name), new Date(created), labels);
      } catch (error) {
        // A folder without a record is what a tab that was closed has left of a volume.
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  create(name: string, labels: Record<string, string>): Promise<VolumeSummary> {
    return this.#using(name, async () => {
      const created = new Date();
      const volume = await (await this.#place()).getDirectoryHandle(name, { create: true });
      await volume.getDirectoryHandle(DATA, { create: true });
      // With its record in place it is there; a file has its contents when it is closed, whole.
      const writable = await (await volume.getFileHandle(RECORD, { create: true })).createWritable();
      await writable.write(JSON.stringify({ created: created.toISOString(), labels }));
      await writable.close();
      return volumeSummary(name, this.#mountpoint(name), created, labels);
    });
  }

  remove(name: string): Promise<void> {
    return this.#using(name, async () => {
      const volumes = await this.#place();
      try {
        await (await volumes.getDirectoryHandle(name)).removeEntry(RECORD);
        await volumes.removeEntry(name, { recursive: true });
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  tree(name: string): Promise<TreeSpec> {
    return this.#using(name, async () => {
      const volume = await (await this.#place()).getDirectoryHandle(name);
      return { kind: 'picked', handle: await volume.getDirectoryHandle(DATA, { create: true }) };
    });
  }

  #mountpoint(name: string): string {
    return `opfs:/hypertab/${this.#folder}/${name}/${DATA}`;
  }

  async #place(): Promise<FileSystemDirectoryHandle> {
    const root = await navigator.storage.getDirectory();
    const ours = await root.getDirectoryHandle('hypertab', { create: true });
    return ours.getDirectoryHandle(this.#folder, { create: true });
  }

  async #using<T>(name: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof EngineError) throw error;
      const { name: kind, message } = error as Error;
      const why = kind === 'QuotaExceededError' ? 'no space left on device' : message;
      throw new EngineError(500, `cannot use volume ${name} in this browser: ${why}`, { cause: error });
    }
  }
}

const isMissing = (error: unknown) => error instanceof DOMException && error.name === 'NotFoundError';
