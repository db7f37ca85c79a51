import type { SetFile } from '../storage/tree/file-set.ts';
import type { TreeFile } from '../storage/tree/tree-files.ts';
import type { TreeSpec } from '../storage/tree/tree-spec.ts';
import type { MachineControl } from '../worker/machine-control.ts';
import type { VmFolder } from './types.ts';

/** What a folder asks of its VM's worker. */
export type FolderCalls = Pick<
  MachineControl,
  'addFiles' | 'makeDirectory' | 'listFiles' | 'readFile' | 'attachTree' | 'detachTree'
>;
/** Calls the worker, with the errors that a user of the library knows. */
export type FolderCaller = <T>(action: (control: PromisedCalls) => Promise<T>) => Promise<T>;

type PromisedCalls = {
  [K in keyof FolderCalls]: (
    ...args: Parameters<FolderCalls[K]>
  ) => Promise<Awaited<ReturnType<FolderCalls[K]>>>;
};

/** One share of a VM, this side of its worker. */
export class GuestFolder implements VmFolder {
  readonly tag: string;
  readonly #call: FolderCaller;

  constructor(tag: string, call: FolderCaller) {
    this.tag = tag;
    this.#call = call;
  }

  add(files: readonly SetFile[]): Promise<void> {
    return this.#call((control) => control.addFiles(this.tag, files));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#call((control) => control.makeDirectory(this.tag, path));
  }

  list(path = ''): Promise<TreeFile[]> {
    return this.#call((control) => control.listFiles(this.tag, path));
  }

  read(path: string): Promise<Blob> {
    return this.#call((control) => control.readFile(this.tag, path));
  }

  attach(name: string, tree: TreeSpec): Promise<void> {
    return this.#call((control) => control.attachTree(this.tag, name, tree));
  }

  detach(name: string): Promise<void> {
    return this.#call((control) => control.detachTree(this.tag, name));
  }
}
