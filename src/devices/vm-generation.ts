// The generation of a virtual machine: a number that is another one whenever the guest goes on from a saved state, so
// that it does not repeat random numbers or pass for the machine that it is a copy of. The interface is Microsoft's
// "Virtual Machine Generation ID"; in a device tree it is "microsoft,vmgenid" (16 bytes of memory, one interrupt).
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import type { InterruptWire, MmioDevice } from './device.ts';

export const GENERATION_SIZE = 0x1000;
const ID_BYTES = 16;

export class VmGeneration implements MmioDevice, Stateful {
  readonly name = 'vm-generation';
  readonly size = GENERATION_SIZE;
  readonly stateVersion = 1;
  private readonly random: (bytes: number) => Uint8Array;
  private readonly wire: InterruptWire;
  private id: Uint8Array;

  constructor(random: (bytes: number) => Uint8Array, wire: InterruptWire) {
    this.random = random;
    this.wire = wire;
    this.id = random(ID_BYTES);
  }

  /** Another generation, and the guest is told. */
  renew(): void {
    this.id = this.random(ID_BYTES);
    // An edge: nothing says that the guest has seen it.
    this.wire(true);
    this.wire(false);
  }

  read(offset: number, size: 1 | 2 | 4): number {
    let value = 0;
    for (let index = size - 1; index >= 0; index--) value = value * 256 + (this.id[offset + index] ?? 0);
    return value;
  }

  write(): void {}

  reset(): void {}

  /** The same one: that it is to be another is for renew() to say, and the guest to be told. */
  saveState(writer: StateWriter): void {
    writer.raw(this.id);
  }

  loadState(reader: StateReader): () => void {
    const id = reader.raw(ID_BYTES);
    return () => {
      this.id = id;
    };
  }
}
