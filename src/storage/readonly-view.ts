import type { BlockBackend, MaybeLater } from './block-backend.ts';
import { refuseChange } from './extent.ts';

/** Lets a store be read and nothing else. */
export class ReadonlyView implements BlockBackend {
  readonly bytes: number;
  readonly readonly = true;
  readonly #inner: BlockBackend;
  readonly #name: string;

  /** @param name what it is called in errors */
  constructor(inner: BlockBackend, name: string) {
    this.bytes = inner.bytes;
    this.#inner = inner;
    this.#name = name;
  }

  get identity(): string | undefined {
    return this.#inner.identity;
  }

  read(offset: number, target: Uint8Array): MaybeLater {
    return this.#inner.read(offset, target);
  }

  write(): MaybeLater {
    return refuseChange(this.#name);
  }

  flush(): MaybeLater {
    return undefined;
  }

  discard(): MaybeLater {
    return refuseChange(this.#name);
  }

  writeZeroes(): MaybeLater {
    return refuseChange(this.#name);
  }

  close(): MaybeLater {
    return this.#inner.close();
  }
}
