import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { TreeSpec } from '../../storage/tree/tree-spec.ts';
import { EngineError } from './engine-error.ts';
import type { VolumeSummary } from './engine-types.ts';
import { type BindResolver, type VolumeStore, volumeSummary } from './volume-store.ts';

/** Where volumes are kept: HYPERTAB_VOLUMES, else the platform's folder for data. */
export function volumesFolder(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (env.HYPERTAB_VOLUMES) return resolve(env.HYPERTAB_VOLUMES);
  if (env.XDG_DATA_HOME?.startsWith('/')) return join(env.XDG_DATA_HOME, 'hypertab', 'volumes');
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'hypertab', 'volumes');
  return platform === 'darwin'
    ? join(homedir(), 'Library', 'Application Support', 'hypertab', 'volumes')
    : join(homedir(), '.local', 'share', 'hypertab', 'volumes');
}

interface VolumeRecord {
  created: string;
  labels: Record<string, string>;
}

/** Volumes as directories of the host: NAME/volume.json, and NAME/_data with the files. */
export class FolderVolumes implements VolumeStore {
  readonly #folder: string;

  constructor(folder: string = volumesFolder()) {
    this.#folder = folder;
  }

  async list(): Promise<VolumeSummary[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const found = await Promise.all(names.sort().map((name) => this.find(name)));
    return found.filter((volume) => volume !== undefined);
  }

  async find(name: string): Promise<VolumeSummary | undefined> {
    const text = await readFile(this.#record(name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw new EngineError(500, `cannot read volume ${name}: ${error.message}`, { cause: error });
    });
    if (text === undefined) return undefined;
    const { created, labels } = JSON.parse(text) as VolumeRecord;
    return volumeSummary(name, this.#data(name), new Date(created), labels);
  }

  async create(name: string, labels: Record<string, string>): Promise<VolumeSummary> {
    const created = new Date();
    const record: VolumeRecord = { created: created.toISOString(), labels };
    // With its record in place it is there, whole.
    const draft = `${this.#record(name)}.${process.pid}`;
    try {
      await mkdir(this.#data(name), { recursive: true });
      await writeFile(draft, JSON.stringify(record));
      await rename(draft, this.#record(name));
    } catch (error) {
      throw new EngineError(500, `cannot create volume ${name}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    return volumeSummary(name, this.#data(name), created, labels);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#record(name), { force: true });
    await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  async tree(name: string): Promise<TreeSpec> {
    return { kind: 'directory', path: this.#data(name) };
  }

  #data(name: string): string {
    return join(this.#folder, name, '_data');
  }

  #record(name: string): string {
    return join(this.#folder, name, 'volume.json');
  }
}

/** Directories and files of the host; one that is not there is made as a directory. */
export const hostBinds: BindResolver = async (path) => {
  try {
    const info = await lstat(path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      await mkdir(path, { recursive: true });
      return lstat(path);
    });
    if (info.isDirectory() || info.isSymbolicLink()) return { tree: { kind: 'directory', path }, file: '' };
    if (info.isFile()) return { tree: { kind: 'directory', path: dirname(path) }, file: basename(path) };
  } catch (error) {
    throw new EngineError(400, `cannot bind ${path}: ${(error as Error).message}`, { cause: error });
  }
  throw new EngineError(400, `cannot bind ${path}: it is neither a directory nor a file`);
};
