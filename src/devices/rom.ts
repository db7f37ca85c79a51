// Read-only memory on the device bus.
import type { MmioDevice } from './device.ts';

export class Rom implements MmioDevice {
  readonly name: string;
  readonly size: number;
  private readonly view: DataView;

  /** @param contents placed at offset 0; the rest reads as zero. Throws RangeError when it does not fit. */
  constructor(name: string, size: number, contents: Uint8Array) {
    if (contents.length > size) {
      throw new RangeError(`${name}: ${contents.length} bytes do not fit a ROM of ${size}`);
    }
    this.name = name;
    this.size = size;
    const bytes = new Uint8Array(size);
    bytes.set(contents);
    this.view = new DataView(bytes.buffer);
  }

  read(offset: number, size: 1 | 2 | 4): number {
    if (size === 1) return this.view.getUint8(offset);
    return size === 2 ? this.view.getUint16(offset, true) : this.view.getUint32(offset, true);
  }

  write(): void {}

  reset(): void {}
}
