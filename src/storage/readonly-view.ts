import type { BlockBackend, MaybeLater } from './block-backend.ts';
import { UnchangingBackend } from './unchanging-backend.ts';

/** Lets a store be read and nothing else. */
export class ReadonlyView extends UnchangingBackend {
  readonly bytes: number;
  readonly #inner: BlockBackend;

  /** @param name what it is called in errors */
  constructor(inner: BlockBackend, name: string) {
    super(name);
    this.bytes = inner.bytes;
    this.#inner = inner;
  }

  get identity(): string | undefined {
    return this.#inner.identity;
  }

  read(offset: number, target: Uint8Array): MaybeLater {
    return this.#inner.read(offset, target);
  }

  close(): MaybeLater {
    return this.#inner.close();
  }
}
