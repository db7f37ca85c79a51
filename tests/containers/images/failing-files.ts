// A store's files that fail from some change on, as a full disk does, or a process that is killed.
import type { FileHandle } from 'node:fs/promises';
import { ImageStoreError } from '../../../src/containers/images/image-store-error.ts';
import type { Draft, Sign, StoreFiles } from '../../../src/containers/images/store-files.ts';
import { NodeStoreFiles } from '../../../src/containers/images/store-files-node.ts';

export class Killed extends Error {}

/** Counts changes; the one of number `failAt` and what comes after it fails. */
export class FailingFiles extends NodeStoreFiles implements StoreFiles {
  changes = 0;
  private readonly failAt: number;
  private readonly how: 'full' | 'killed';

  constructor(folder: string, failAt: number, how: 'full' | 'killed') {
    super(folder);
    this.failAt = failAt;
    this.how = how;
  }

  /** A full disk still lets files be removed; whoever is killed does nothing any more. */
  private change(isRemoval: boolean): void {
    if (this.how === 'full' && isRemoval) return;
    if (this.changes++ < this.failAt) return;
    throw this.how === 'killed'
      ? new Killed()
      : new ImageStoreError('full', 'write x: no space left on device');
  }

  override async write(path: string, bytes: Uint8Array, passing?: boolean): Promise<void> {
    this.change(false);
    await super.write(path, bytes, passing);
  }

  override async remove(path: string): Promise<void> {
    this.change(true);
    await super.remove(path);
  }

  override async draft(sign: Sign, name: string): Promise<Draft> {
    this.change(false);
    const draft = await super.draft(sign, name);
    const giveUp = async (): Promise<void> => {
      try {
        this.change(true);
      } catch (error) {
        // What the kernel does for a process that is gone.
        await (draft as unknown as { file: FileHandle }).file.close();
        throw error;
      }
    };
    return {
      resumed: draft.resumed,
      earlier: () => draft.earlier(),
      write: async (bytes) => {
        this.change(false);
        await draft.write(bytes);
      },
      commit: async (path) => {
        this.change(false);
        await draft.commit(path);
      },
      keep: async () => {
        await giveUp();
        await draft.keep();
      },
      discard: async () => {
        await giveUp();
        await draft.discard();
      },
    };
  }

  /** Of a process that is gone, once it has been killed. */
  override async sign(): Promise<Sign> {
    const own = await super.sign();
    if (this.how === 'full') return own;
    const id = own.id.replace(/^\d+/, '999999999');
    return { id, release: () => this.remove(`leases/${id}`) };
  }
}
