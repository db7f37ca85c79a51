import { type HtvmBytes, HtvmFile } from '../storage/htvm/htvm-reader.ts';
import { assembleHtvm, SectionPacker } from '../storage/htvm/htvm-writer.ts';
import {
  copyRam,
  findPages,
  isRamPiece,
  isRamSection,
  packRam,
  unpackRam,
} from '../storage/htvm/ram-image.ts';
import type { SnapshotFiles } from '../storage/htvm/snapshot-files.ts';
import { SnapshotError, snapshotError } from './snapshot-error.ts';
import type { Snapshot, SnapshotStore } from './snapshot-types.ts';

/** A snapshot in a file that has been opened. */
export class FileSnapshot implements Snapshot {
  readonly id: string;
  readonly name: string;
  readonly created: Date;
  readonly guest: string | undefined;
  readonly memory: number;
  readonly bytes: number;
  readonly parent: string | undefined;
  readonly drives: Snapshot['drives'];
  readonly shares: readonly string[];
  readonly #blob: () => Promise<Blob>;

  constructor(file: HtvmFile, blob: () => Promise<Blob>) {
    const { manifest } = file;
    this.id = manifest.id;
    this.name = manifest.name;
    this.created = new Date(manifest.created);
    this.guest = manifest.guest?.name;
    this.memory = manifest.machine.memory;
    this.bytes = file.bytes;
    this.parent = manifest.parent;
    this.drives = manifest.drives.map(({ name, kept }) => ({ name, kept }));
    this.shares = manifest.shares.filter(({ kept }) => kept === 'outside').map(({ tag }) => tag);
    this.#blob = blob;
  }

  blob(): Promise<Blob> {
    return this.#blob();
  }
}

/** What the store needs of its platform. */
export interface SnapshotPlatform {
  files: SnapshotFiles;
  readFile(path: string): Promise<HtvmBytes>;
  /** Told of each snapshot that has been removed. */
  onRemoved?(id: string): Promise<void>;
}

/** Snapshots that are kept. */
export class Snapshots implements SnapshotStore {
  readonly #platform: () => Promise<SnapshotPlatform>;

  constructor(platform: () => Promise<SnapshotPlatform>) {
    this.#platform = platform;
  }

  async list(): Promise<Snapshot[]> {
    return this.#inWords(async (files) => {
      const snapshots: Snapshot[] = [];
      for (const id of await files.list()) {
        const file = await this.#peek(files, id);
        if (file !== undefined) snapshots.push(this.#snapshot(file));
      }
      return snapshots.sort((a, b) => b.created.getTime() - a.created.getTime());
    });
  }

  async get(idOrName: string): Promise<Snapshot> {
    const all = await this.list();
    const isPart = /^[0-9a-f]{4,32}$/.test(idOrName);
    const byId = isPart ? all.filter(({ id }) => id.startsWith(idOrName)) : [];
    if (byId.length > 1) {
      throw new SnapshotError(
        'missing',
        `${byId.length} snapshots have ids that begin with ${idOrName}; give more of it`,
      );
    }
    const found = byId[0] ?? all.find(({ name }) => name === idOrName);
    if (found === undefined) throw new SnapshotError('missing', `there is no snapshot '${idOrName}'`);
    return found;
  }

  async remove(idOrName: string): Promise<void> {
    await this.#inWords((files, platform) =>
      files.alone(async () => {
        const all = await this.list();
        const { id, name } = await this.get(idOrName);
        const child = all.find(({ parent }) => parent === id);
        if (child !== undefined) {
          throw new SnapshotError(
            'parent',
            `snapshot ${name} (${id.slice(0, 12)}) cannot be removed: ` +
              `${child.name} (${child.id.slice(0, 12)}) is an increment of it; remove that one first`,
          );
        }
        await files.remove(id);
        await platform.onRemoved?.(id);
      }),
    );
  }

  async export(idOrName: string): Promise<Blob> {
    const { id } = await this.get(idOrName);
    return this.#inWords(async () => {
      const chain = await this.chain(id);
      const last = chain.at(-1)!;
      if (chain.length === 1) return isPlain(last) ? packed(last) : this.blob(id);
      const { parent: _, sections, ...manifest } = last.manifest;
      const ram = new Uint8Array(manifest.machine.memory);
      for (const file of chain) await unpackRam(file, ram, () => {});
      const packer = new SectionPacker('lz4');
      for (const { name, version } of sections) {
        if (!isRamSection(name)) await packer.add(name, version, await last.read(name));
      }
      await packRam(packer, copyRam(ram, findPages(ram)));
      return assembleHtvm(manifest, [packer.finish()]);
    });
  }

  async import(source: Blob | Uint8Array | string): Promise<Snapshot> {
    return this.#inWords(async (files, platform) => {
      const bytes = typeof source === 'string' ? await platform.readFile(source) : source;
      const file = await HtvmFile.open(bytes, typeof source === 'string' ? source : 'the file');
      await file.verify();
      const { parent, id } = file.manifest;
      return files.alone(async () => {
        if (parent !== undefined && !(await files.list()).includes(parent)) throw orphan(file);
        // Files of format 1 are packed with gzip, which takes twice the time to restore.
        const blob = isGzipped(file) ? await packed(file) : blobOf(bytes);
        await files.write(id, blob);
        return this.#snapshot(blob.size === file.bytes ? file : await HtvmFile.open(blob, file.name));
      });
    });
  }

  /** Keeps a file that has just been made. */
  async add(file: HtvmFile, contents: Blob): Promise<Snapshot> {
    return this.#inWords((files) =>
      files.alone(async () => {
        const { parent, id } = file.manifest;
        if (parent !== undefined && !(await files.list()).includes(parent)) throw orphan(file);
        await files.write(id, contents);
        return this.#snapshot(file);
      }),
    );
  }

  /** True where a snapshot of so many bytes of RAM is better kept as it is, to be restored fast. */
  async prefersPlain(ramBytes: number): Promise<boolean> {
    return this.#inWords(async (files) => (await files.hasRoomForRam?.(ramBytes)) ?? false);
  }

  async has(id: string): Promise<boolean> {
    return this.#inWords(async (files) => (await files.list()).includes(id));
  }

  /** A snapshot with all that it stands on, the lowest first; rejects (missing) when it is not there. */
  async chain(id: string, top?: HtvmFile): Promise<HtvmFile[]> {
    const chain = await this.chainOf(id, top);
    if (chain === undefined) throw new SnapshotError('missing', `there is no snapshot ${id}`);
    return chain;
  }

  /** The same; undefined when it is not there. */
  async chainOf(id: string, top?: HtvmFile): Promise<HtvmFile[] | undefined> {
    return this.#inWords(async (files) => {
      const chain: HtvmFile[] = top === undefined ? [] : [top];
      for (let next = top === undefined ? id : top.manifest.parent; next !== undefined; ) {
        const bytes = await files.read(next);
        const above = chain[0];
        if (bytes === undefined) {
          if (above !== undefined) throw orphan(above);
          return undefined;
        }
        const file = await HtvmFile.open(bytes, `snapshot ${next.slice(0, 12)}`);
        if (file.manifest.id !== next || chain.some(({ manifest }) => manifest.id === next)) {
          throw new SnapshotError('damaged', `snapshot ${next} is damaged: it holds another one`);
        }
        if (above !== undefined && above.manifest.machine.memory !== file.manifest.machine.memory) {
          throw new SnapshotError('damaged', `snapshot ${next} is of a machine with other memory`);
        }
        chain.unshift(file);
        next = file.manifest.parent;
      }
      return chain;
    });
  }

  async blob(id: string): Promise<Blob> {
    return this.#inWords(async (files) => {
      const bytes = await files.read(id);
      if (bytes === undefined)
        throw new SnapshotError('missing', `there is no snapshot ${id}; it was removed`);
      return blobOf(bytes);
    });
  }

  #snapshot(file: HtvmFile): Snapshot {
    return new FileSnapshot(file, () => this.blob(file.manifest.id));
  }

  async #peek(files: SnapshotFiles, id: string): Promise<HtvmFile | undefined> {
    try {
      const blob = await files.peek(id);
      return blob && (await HtvmFile.open(blob, `snapshot ${id.slice(0, 12)}`));
    } catch {
      return undefined;
    }
  }

  async #inWords<T>(action: (files: SnapshotFiles, platform: SnapshotPlatform) => Promise<T>): Promise<T> {
    try {
      const platform = await this.#platform();
      return await action(platform.files, platform);
    } catch (error) {
      throw snapshotError(error);
    }
  }
}

const ramPieces = ({ manifest }: HtvmFile) => manifest.sections.filter(({ name }) => isRamPiece(name));

const isPlain = (file: HtvmFile) => ramPieces(file).every(({ encoding }) => encoding === 'raw');

const isGzipped = (file: HtvmFile) => ramPieces(file).some(({ encoding }) => encoding === 'gzip');

const blobOf = (bytes: HtvmBytes): Blob =>
  bytes instanceof Blob
    ? bytes
    : new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/x-htvm' });

/** The same file, its sections packed. */
async function packed(file: HtvmFile): Promise<Blob> {
  const { sections, ...manifest } = file.manifest;
  const packer = new SectionPacker('lz4');
  for (const { name, version } of sections) await packer.add(name, version, await file.read(name));
  return assembleHtvm(manifest, [packer.finish()]);
}

function orphan(file: HtvmFile): SnapshotError {
  return new SnapshotError(
    'parent',
    `${file.name} is an increment of snapshot ${file.manifest.parent}, which is not here; import that one first, or export it whole`,
  );
}
