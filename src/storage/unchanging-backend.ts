import type { BlockBackend, MaybeLater } from './block-backend.ts';
import { refuseChange } from './extent.ts';

/** What all stores that are only read have in common: they refuse changes. */
export abstract class UnchangingBackend implements BlockBackend {
  abstract readonly bytes: number;
  readonly readonly = true;
  /** What it is called in errors. */
  protected readonly label: string;

  constructor(label: string) {
    this.label = label;
  }

  abstract read(offset: number, target: Uint8Array): MaybeLater;
  abstract close(): MaybeLater;

  write(): MaybeLater {
    return refuseChange(this.label);
  }

  flush(): MaybeLater {
    return undefined;
  }

  discard(): MaybeLater {
    return refuseChange(this.label);
  }

  writeZeroes(): MaybeLater {
    return refuseChange(this.label);
  }
}
