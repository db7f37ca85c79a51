import type { MachineShare } from '../machine/machine-types.ts';
import { fromText } from '../storage/tree/byte-name.ts';
import { addDirectory, addFiles, type SetFile } from '../storage/tree/file-set.ts';
import { MemoryTree } from '../storage/tree/memory-tree.ts';
import { MountTree } from '../storage/tree/mount-tree.ts';
import { openTree, type TreeOpener } from '../storage/tree/open-tree.ts';
import { listFiles, readFile, type TreeFile } from '../storage/tree/tree-files.ts';
import type { TreeSpec } from '../storage/tree/tree-spec.ts';

/** Milliseconds between two tellings of changes in a folder. */
const TELL_MS = 200;

/** The shares of one machine as its owner uses them: files go in and come out while the guest runs. */
export class SharedFolders {
  readonly #shares: readonly MachineShare[];
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #openTree: TreeOpener;

  /**
   * @param onChange told of a tag some time after something changed; trees in memory know of it, others do not
   * @param opener opens what is attached later
   */
  constructor(
    shares: readonly MachineShare[],
    onChange: (tag: string) => void,
    opener: TreeOpener = openTree,
  ) {
    this.#shares = shares;
    this.#openTree = opener;
    for (const { tag, tree } of shares) {
      if (!(tree instanceof MemoryTree)) continue;
      tree.onChange = () => {
        if (this.#timers.has(tag)) return;
        const tell = () => {
          this.#timers.delete(tag);
          onChange(tag);
        };
        this.#timers.set(tag, setTimeout(tell, TELL_MS));
      };
    }
  }

  /** Adds files; those before one that cannot be added stay. Rejects with the path and why. */
  add(tag: string, files: readonly SetFile[]): void {
    const tree = this.#writable(tag);
    for (const file of files) named(tag, file.path, () => addFiles(tree, [file]));
  }

  makeDirectory(tag: string, path: string): void {
    const tree = this.#writable(tag);
    named(tag, path, () => addDirectory(tree, path));
  }

  list(tag: string, path: string): Promise<TreeFile[]> {
    return named(tag, path, () => listFiles(this.#tree(tag), path));
  }

  read(tag: string, path: string): Promise<Blob> {
    return named(tag, path, () => readFile(this.#tree(tag), path));
  }

  /** Makes a tree a subdirectory of a share of kind 'mounts'; the name must not have been used there before. */
  attach(tag: string, name: string, spec: TreeSpec): Promise<void> {
    return named(tag, name, async () => {
      const mounts = this.#mounts(tag);
      const tree = await this.#openTree(spec);
      try {
        mounts.attach(fromText(name), tree);
      } catch (error) {
        await tree.close();
        throw error;
      }
    });
  }

  detach(tag: string, name: string): Promise<void> {
    return named(tag, name, async () => this.#mounts(tag).detach(fromText(name)));
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const { tree } of this.#shares) if (tree instanceof MemoryTree) tree.onChange = undefined;
  }

  #tree(tag: string) {
    const share = this.#shares.find((each) => each.tag === tag);
    if (share === undefined) throw new FolderError(`there is no share '${tag}'`);
    return share.tree;
  }

  #mounts(tag: string): MountTree {
    const tree = this.#tree(tag);
    if (tree instanceof MountTree) return tree;
    throw new FolderError(`share ${tag}: trees can be attached to { kind: 'mounts' } only`);
  }

  #writable(tag: string): MemoryTree {
    const tree = this.#tree(tag);
    if (tree instanceof MemoryTree && tree.sharing === 'shared') return tree;
    throw new FolderError(
      `share ${tag}: only its guest can change it from here; make it { kind: 'memory', shared: true }`,
    );
  }
}

/** Runs an operation; its error tells the share and the path. */
function named<T>(tag: string, path: string, operation: () => T): T {
  const explain = (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FolderError(`${path === '' ? `share ${tag}` : `${path} in share ${tag}`}: ${reason}`, {
      cause: error,
    });
  };
  try {
    const result = operation();
    return (result instanceof Promise ? result.catch(explain) : result) as T;
  } catch (error) {
    return explain(error);
  }
}

/** A file cannot be put into a share, or taken out of it. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
}
