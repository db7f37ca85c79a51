import type { TreeSpec } from '../../storage/tree/tree-spec.ts';
import { badParameter, EngineError } from './engine-error.ts';
import type { VolumeSummary } from './engine-types.ts';

/** Where named volumes are kept: not in the container host, which may end at any time. */
export interface VolumeStore {
  list(): Promise<VolumeSummary[]>;
  /** The volume of that name, or undefined. */
  find(name: string): Promise<VolumeSummary | undefined>;
  create(name: string, labels: Record<string, string>): Promise<VolumeSummary>;
  remove(name: string): Promise<void>;
  /** Its files, for the container host. */
  tree(name: string): Promise<TreeSpec>;
}

/** What of the host is bound into a container. */
export interface BoundPath {
  tree: TreeSpec;
  /** Path of a file below the tree; empty for the whole of it. */
  file: string;
}

/** Finds what `-v /PATH:…` names on the host; a directory that is not there is made, as Docker does. */
export type BindResolver = (path: string) => Promise<BoundPath>;

export const noBinds: BindResolver = (path) => {
  return Promise.reject(new EngineError(400, `${path}: directories of the host can be bound from Node only`));
};

/**
 * Volumes whose names are in memory, and whose files are where `open` says: by default in the container host's worker,
 * and gone with it.
 */
export class MemoryVolumes implements VolumeStore {
  readonly #volumes = new Map<string, VolumeSummary>();
  readonly #open: (name: string) => Promise<TreeSpec>;

  /** @param open gives the files of a volume; the same for the same name */
  constructor(open: (name: string) => Promise<TreeSpec> = async () => ({ kind: 'memory' })) {
    this.#open = open;
  }

  async list(): Promise<VolumeSummary[]> {
    return [...this.#volumes.values()];
  }

  async find(name: string): Promise<VolumeSummary | undefined> {
    return this.#volumes.get(name);
  }

  async create(name: string, labels: Record<string, string>): Promise<VolumeSummary> {
    const volume = volumeSummary(name, `volume:${name}`, new Date(), labels);
    this.#volumes.set(name, volume);
    return volume;
  }

  async remove(name: string): Promise<void> {
    this.#volumes.delete(name);
  }

  tree(name: string): Promise<TreeSpec> {
    return this.#open(name);
  }
}

export function volumeSummary(
  name: string,
  mountpoint: string,
  created: Date,
  labels: Record<string, string>,
): VolumeSummary {
  return {
    ...{ Name: name, Driver: 'local', Mountpoint: mountpoint, CreatedAt: created.toISOString() },
    ...{ Labels: labels, Scope: 'local', Options: null },
  };
}

/** A part of `-v`: what is bound where. */
export interface ParsedBind {
  /** A volume's name, an absolute path, or nothing: a volume without a name. */
  source: string;
  target: string;
  readonly: boolean;
}

/** @throws {EngineError} 400 */
export function parseBind(text: string): ParsedBind {
  const parts = text.split(':');
  const [source, target, mode = ''] = parts.length === 1 ? ['', text] : parts;
  const options = mode.split(',').filter((option) => option !== '');
  const known = ['ro', 'rw', 'z', 'Z', 'nocopy', 'rprivate', 'private', 'cached', 'delegated', 'consistent'];
  if (parts.length > 3 || target === undefined || target === '' || (parts.length > 1 && source === '')) {
    throw badParameter(`invalid volume specification: '${text}'`);
  }
  const bad = options.find((option) => !known.includes(option));
  if (bad !== undefined) throw badParameter(`invalid mode: ${mode}`);
  if (!target.startsWith('/')) {
    throw badParameter(
      `invalid volume specification: '${text}': invalid mount config for type "volume": invalid mount path: '${target}' mount path must be absolute`,
    );
  }
  const path = normalize(target);
  if (path === '/') throw badParameter(`invalid volume specification: '${text}': destination can't be '/'`);
  return { source: source ?? '', target: path, readonly: options.includes('ro') };
}

/** An absolute path without `.`, `..` and doubled slashes. */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
