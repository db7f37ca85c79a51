// COPY and ADD: from paths of a tree to a layer on top of another.
import { StorageError } from '../../../storage/storage-error.ts';
import { MemorySource } from '../../../storage/tree/byte-source.ts';
import { openLayer } from '../../../storage/tree/layer-tree.ts';
import type { ContentStore } from '../content-store.ts';
import { ImageStoreError } from '../image-store-error.ts';
import { concat, type TarHeaderFields, tarEnd, tarHeader, tarPad } from '../tar-writer.ts';
import { packingOf, unpacked } from '../unpack-layer.ts';
import { type Ignores, patternRegExp } from './dockerignore.ts';
import { cleanPath, partsOf, type TreeNode, TreeView } from './tree-view.ts';

export interface CopyOptions {
  /** As they stand, variables expanded. */
  sources: readonly string[];
  target: string;
  workingDir: string;
  owner: { uid: number; gid: number } | undefined;
  /** Files of a context belong to root. */
  keepOwners: boolean;
  mode: number | undefined;
  ignores: Ignores;
  /** ADD: archives of the context are unpacked. */
  unpacks: boolean;
  /** Files that stand in the Dockerfile, or were fetched. */
  inline: readonly { name: string; bytes: Uint8Array }[];
}

type LayerEntry = Omit<TarHeaderFields, 'path'> & { contents?: () => AsyncIterable<Uint8Array> };

/** Most bytes of an archive that ADD unpacks. */
const ADDED_MAX = 2 ** 30;

/** Entries of a layer by path, in the order in which they come. */
export class CopiedFiles {
  private readonly entries = new Map<string, LayerEntry>();
  private readonly below: TreeView;
  private readonly store: ContentStore;

  /** @param below what the layer will lie on */
  constructor(store: ContentStore, below: TreeView) {
    this.store = store;
    this.below = below;
  }

  get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  /** Makes a folder with those above it, where they are not there. */
  async folder(path: string): Promise<void> {
    const { path: resolved, node } = await this.below.resolve(path);
    if (node?.kind === 'directory') return;
    if (node !== undefined)
      throw new ImageStoreError('invalid', `cannot make /${path}: it is not a directory`);
    await this.parents(resolved, undefined);
    this.entries.set(resolved, { type: 'directory', mode: 0o755 });
  }

  /**
   * Adds what one COPY or ADD names.
   * @throws {ImageStoreError} invalid, in docker's words
   */
  async copy(from: TreeView, options: CopyOptions): Promise<void> {
    const found: TreeNode[] = [];
    for (const source of options.sources) found.push(...(await matching(from, source, options.ignores)));
    const count = found.length + options.inline.length;
    const namesFolder = /(?:^|\/)\.{0,2}$/.test(options.target);
    if (count > 1 && !namesFolder) {
      throw new ImageStoreError(
        'invalid',
        'When using COPY with more than one source file, the destination must be a directory and end with a /',
      );
    }
    const wanted = options.target.startsWith('/')
      ? options.target
      : `${options.workingDir}/${options.target}`;
    const { path: target, node } = await this.below.resolve(wanted);
    const isDirectory = namesFolder || node?.kind === 'directory';
    for (const { name, bytes } of options.inline) {
      const contents = async function* () {
        yield bytes;
      };
      const entry: LayerEntry = {
        type: 'file',
        mode: options.mode ?? 0o644,
        size: bytes.length,
        contents,
        ...options.owner,
      };
      await this.place(isDirectory ? join(target, name) : target, entry, options);
    }
    for (const source of found) {
      if (source.kind === 'directory') {
        await this.intoDirectory(from, source, target, options);
        continue;
      }
      if (options.unpacks && source.kind === 'file' && (await this.unpack(from, source, target, options)))
        continue;
      const name = partsOf(source.path).at(-1)!;
      await this.place(
        isDirectory ? join(target, name) : target,
        await this.entryOf(from, source, options),
        options,
      );
    }
  }

  /** What the layer is made of, for recognizing it: equal when the layers do the same, whatever their times. */
  async fingerprint(): Promise<string> {
    const hash = this.store.files.newHash();
    const encoder = new TextEncoder();
    for (const [path, { contents, mtime: _, ...entry }] of this.sorted()) {
      hash.update(encoder.encode(JSON.stringify([path, entry])));
      if (contents !== undefined) for await (const bytes of contents()) hash.update(bytes);
    }
    return hash.hex();
  }

  /** The layer. */
  async *archive(): AsyncGenerator<Uint8Array> {
    for (const [path, { contents, ...entry }] of this.sorted()) {
      yield tarHeader({ ...entry, path });
      if (contents === undefined) continue;
      yield* contents();
      yield tarPad(entry.size ?? 0);
    }
    yield tarEnd();
  }

  /** By path: folders come before what is in them. */
  private sorted(): [string, LayerEntry][] {
    return [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  private async intoDirectory(
    from: TreeView,
    source: TreeNode,
    target: string,
    options: CopyOptions,
  ): Promise<void> {
    await this.folderEntry(target, options);
    for (const name of await from.names(source)) {
      const node = await from.child(source, name);
      if (node === undefined) continue;
      const path = join(target, name);
      const ignored = options.ignores(node.path);
      if (node.kind === 'directory') {
        // Something below may be taken back by a later rule.
        if (ignored) await this.intoIgnored(from, node, path, options);
        else {
          this.entries.set(path, await this.entryOf(from, node, options));
          await this.intoDirectory(from, node, path, options);
        }
      } else if (!ignored) await this.place(path, await this.entryOf(from, node, options), options);
    }
  }

  private async intoIgnored(
    from: TreeView,
    source: TreeNode,
    target: string,
    options: CopyOptions,
  ): Promise<void> {
    for (const name of await from.names(source)) {
      const node = await from.child(source, name);
      if (node === undefined) continue;
      const path = join(target, name);
      if (node.kind === 'directory') await this.intoIgnored(from, node, path, options);
      else if (!options.ignores(node.path))
        await this.place(path, await this.entryOf(from, node, options), options);
    }
  }

  private async entryOf(from: TreeView, node: TreeNode, options: CopyOptions): Promise<LayerEntry> {
    const { attributes, kind } = node;
    const owner = options.owner ?? (options.keepOwners ? { uid: attributes.uid, gid: attributes.gid } : {});
    const mode = kind === 'symlink' ? 0o777 : (options.mode ?? attributes.mode & 0o7777);
    const common = { mode, mtime: Number(attributes.mtime / 1_000_000_000n), ...owner };
    switch (kind) {
      case 'file':
        return { ...common, type: 'file', size: attributes.size, contents: () => from.bytes(node) };
      case 'directory':
        return { ...common, type: 'directory' };
      case 'symlink':
        return { ...common, type: 'symlink', target: await from.targetOf(node) };
      default:
        throw new ImageStoreError('invalid', `cannot copy ${node.path}: it is a device, a pipe or a socket`);
    }
  }

  private async place(path: string, entry: LayerEntry, options: CopyOptions): Promise<void> {
    // In a layer such a name would take a file away.
    if (partsOf(path).some((part) => part.startsWith('.wh.'))) {
      throw new ImageStoreError(
        'invalid',
        `cannot copy to /${path}: names with .wh. mean that a file is removed`,
      );
    }
    const below = await this.below.find(path, false);
    if (below?.kind === 'directory' || this.entries.get(path)?.type === 'directory') {
      throw new ImageStoreError('invalid', `cannot copy to non-directory: /${path} is a directory`);
    }
    await this.parents(path, options);
    this.entries.set(path, entry);
  }

  /** The folder that something is copied into: as it is below, or a new one. */
  private async folderEntry(path: string, options: CopyOptions): Promise<void> {
    await this.parents(`${path}/x`, options);
  }

  /** Folders above a path. Those that are there keep their modes and owners, which a layer's own entry would change. */
  private async parents(path: string, options: CopyOptions | undefined): Promise<void> {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const folder = parts.slice(0, depth).join('/');
      const there = this.entries.get(folder);
      if (there?.type === 'directory') continue;
      if (there !== undefined)
        throw new ImageStoreError('invalid', `cannot copy to /${path}: /${folder} is not a directory`);
      const below = await this.below.find(folder, false);
      if (below !== undefined && below.kind !== 'directory') {
        throw new ImageStoreError('invalid', `cannot copy to /${path}: /${folder} is not a directory`);
      }
      this.entries.set(
        folder,
        below === undefined
          ? { type: 'directory', mode: 0o755, ...options?.owner }
          : {
              type: 'directory',
              mode: below.attributes.mode & 0o7777,
              uid: below.attributes.uid,
              gid: below.attributes.gid,
              mtime: Number(below.attributes.mtime / 1_000_000_000n),
            },
      );
    }
  }

  /** Unpacks an archive into a folder; false when the file is none. */
  private async unpack(
    from: TreeView,
    source: TreeNode,
    target: string,
    options: CopyOptions,
  ): Promise<boolean> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const bytes of from.bytes(source)) {
      parts.push(bytes);
      // Neither packed nor with the mark of tar at its place.
      if (
        size === 0 &&
        packingOf(bytes) === 'none' &&
        new TextDecoder('latin1').decode(bytes.subarray(257, 262)) !== 'ustar'
      ) {
        return false;
      }
      size += bytes.length;
      if (size > ADDED_MAX)
        throw new ImageStoreError('invalid', `${source.path} is too large to be unpacked`);
    }
    const packed = async function* () {
      yield* parts;
    };
    const whole: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const bytes of unpacked(this.store.files, packed(), source.path)) {
        length += bytes.length;
        if (length > ADDED_MAX)
          throw new ImageStoreError('invalid', `${source.path} unpacks to more than ${ADDED_MAX} bytes`);
        whole.push(bytes);
      }
      const view = new TreeView(await openLayer(new MemorySource(concat(whole)), { name: source.path }));
      const root = (await view.find('/'))!;
      await this.intoDirectory(view, root, target, { ...options, keepOwners: true, ignores: () => false });
      return true;
    } catch (error) {
      // What is packed need not be an archive: then it is copied as it is.
      if (error instanceof StorageError && error.kind === 'corrupt') return false;
      throw error;
    }
  }
}

const join = (folder: string, name: string) => (folder === '' ? name : `${folder}/${name}`);

/** What a source names: itself, or all that fit its pattern. */
async function matching(from: TreeView, source: string, ignores: Ignores): Promise<TreeNode[]> {
  const path = cleanPath(source);
  if (!/[*?[]/.test(path)) {
    const node = await from.find(path);
    if (node === undefined || (path !== '' && node.kind !== 'directory' && ignores(path)))
      throw notFound(source);
    return [node];
  }
  const parts = path.split('/');
  let nodes = [(await from.find('/'))!];
  for (const [index, part] of parts.entries()) {
    const fits = patternRegExp(part);
    const next: TreeNode[] = [];
    for (const node of nodes) {
      if (node.kind !== 'directory') continue;
      for (const name of await from.names(node)) {
        if (!fits.test(name)) continue;
        const child = await from.child(node, name);
        if (child === undefined) continue;
        if (index < parts.length - 1 || child.kind === 'directory' || !ignores(child.path)) next.push(child);
      }
    }
    nodes = next;
  }
  if (nodes.length === 0) throw notFound(source);
  return nodes;
}

function notFound(source: string): ImageStoreError {
  return new ImageStoreError(
    'invalid',
    `COPY failed: file not found in build context or excluded by .dockerignore: stat ${source}: file does not exist`,
  );
}
