import type { MachineShare } from '../machine/machine-types.ts';
import { addDirectory, addFiles, type SetFile } from '../storage/tree/file-set.ts';
import { MemoryTree } from '../storage/tree/memory-tree.ts';
import { listFiles, readFile, type TreeFile } from '../storage/tree/tree-files.ts';

/** Milliseconds between two tellings of changes in a folder. */
const TELL_MS = 200;

/** The shares of one machine as its owner uses them: files go in and come out while the guest runs. */
export class SharedFolders {
  readonly #shares: readonly MachineShare[];
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  /** @param onChange told of a tag some time after something changed; trees in memory know of it, others do not */
  constructor(shares: readonly MachineShare[], onChange: (tag: string) => void) {
    this.#shares = shares;
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
