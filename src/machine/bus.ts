// Routes physical addresses outside RAM to devices, with every check before a device sees an access.
import type { MmioDevice } from '../devices/device.ts';
import type { Region } from './memory-map.ts';

interface Mapping {
  readonly base: number;
  readonly end: number;
  readonly device: MmioDevice;
}

export class Bus {
  private readonly mappings: Mapping[] = [];
  private last: Mapping | undefined;

  /** Places a device. Throws RangeError when regions overlap or the device has another size than its region. */
  attach(region: Region, device: MmioDevice): void {
    if (device.size !== region.size) {
      throw new RangeError(`${device.name}: ${device.size} bytes, but its region has ${region.size}`);
    }
    const mapping = { base: region.base, end: region.base + region.size, device };
    const other = this.mappings.find(({ base, end }) => mapping.base < end && base < mapping.end);
    if (other) throw new RangeError(`${device.name} overlaps ${other.device.name} on the bus`);
    this.mappings.push(mapping);
  }

  /** The CoreHost contract: undefined where nothing answers, for a misaligned access too. */
  read(address: number, size: number): number | bigint | undefined {
    const mapping = this.find(address, size);
    if (!mapping) return undefined;
    const offset = address - mapping.base;
    const { device } = mapping;
    if (size !== 8) return device.read(offset, size as 1 | 2 | 4);
    if (device.read64) return device.read64(offset);
    const low = device.read(offset, 4) >>> 0;
    return (BigInt(device.read(offset + 4, 4) >>> 0) << 32n) | BigInt(low);
  }

  /** The CoreHost contract: false where nothing answers, for a misaligned access too. */
  write(address: number, size: number, low: number, high: number): boolean {
    const mapping = this.find(address, size);
    if (!mapping) return false;
    const offset = address - mapping.base;
    const { device } = mapping;
    if (size !== 8) {
      device.write(offset, size as 1 | 2 | 4, size === 4 ? low >>> 0 : low & (size === 2 ? 0xffff : 0xff));
    } else if (device.write64) {
      device.write64(offset, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
    } else {
      device.write(offset, 4, low >>> 0);
      device.write(offset + 4, 4, high >>> 0);
    }
    return true;
  }

  /** Every device back to its state after power-on. */
  reset(): void {
    for (const { device } of this.mappings) device.reset();
  }

  private find(address: number, size: number): Mapping | undefined {
    if (size !== 1 && size !== 2 && size !== 4 && size !== 8) return undefined;
    if (address % size !== 0) return undefined;
    let mapping = this.last;
    if (!mapping || address < mapping.base || address >= mapping.end) {
      mapping = this.mappings.find(({ base, end }) => address >= base && address < end);
      if (!mapping) return undefined;
      this.last = mapping;
    }
    return address + size <= mapping.end ? mapping : undefined;
  }
}
