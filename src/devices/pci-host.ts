// A generic PCI host: configuration space by ECAM, one window of memory space, four interrupt wires.
// PCI Express Base 4.0, section 7.2.2 (ECAM); PCI Local Bus 3.0, section 2.2.6 (interrupts).
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import type { InterruptWire, MmioDevice } from './device.ts';
import { PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_MEMORY, type PciBar, PciConfigSpace } from './pci-config.ts';

/** Bytes of configuration space a function has in ECAM, and functions a slot has. */
const ECAM_FUNCTION_BITS = 12;
const FUNCTIONS = 8;
export const PCI_SLOTS = 32;
export const PCI_INTERRUPT_WIRES = 4;

/** A card in a slot: its registers, and what its memory ranges hold. */
export interface PciFunction {
  readonly name: string;
  readonly config: PciConfigSpace;
  /** Software reads or writes configuration; absent: `config` answers. */
  readConfig?(offset: number, size: 1 | 2 | 4): number;
  writeConfig?(offset: number, size: 1 | 2 | 4, value: number): void;
  /** [offset, offset + size) lies within the range of base address register `bar`. */
  readBar(bar: number, offset: number, size: 1 | 2 | 4): number;
  writeBar(bar: number, offset: number, size: 1 | 2 | 4, value: number): void;
  reset(): void;
}

/** The host bridge, which software finds in slot 0: QEMU's generic one. */
const HOST_BRIDGE = {
  vendor: 0x1b36,
  device: 0x0008,
  revision: 0,
  classCode: 0x06_0000,
  subsystemVendor: 0x1af4,
  subsystem: 0x1100,
};

/** Bus 0 with up to 31 cards. */
export class PciHost implements Stateful {
  /** Configuration space, 4 KiB a function. */
  readonly ecam: MmioDevice;
  /** Memory space, as far as the processor reaches it. */
  readonly window: MmioDevice;
  readonly #functions: (PciFunction | undefined)[] = new Array(PCI_SLOTS).fill(undefined);
  readonly #wires: readonly InterruptWire[];
  /** Slots that assert each wire, a bit each. */
  readonly #asserted = new Uint32Array(PCI_INTERRUPT_WIRES);
  /** Slots whose card wants an interrupt, whether or not its command register lets it. */
  #levels = 0;
  readonly stateVersion = 1;

  /**
   * @param ecamBytes size of the configuration window
   * @param window memory space that is passed on: software places base address registers in it
   * @param wires interrupts of the host; pin P (1 to 4) of slot S drives wire (S + P - 1) mod 4
   */
  constructor(ecamBytes: number, window: { base: number; size: number }, wires: readonly InterruptWire[]) {
    this.#wires = wires;
    this.ecam = {
      name: 'pci-ecam',
      size: ecamBytes,
      read: (offset, size) => this.#readEcam(offset, size),
      write: (offset, size, value) => this.#writeEcam(offset, size, value),
      reset: () => this.#reset(),
    };
    this.window = {
      name: 'pci-mmio',
      size: window.size,
      read: (offset, size) => {
        const hit = this.#find(window.base + offset, size);
        return hit ? hit.card.readBar(hit.bar.index, hit.offset, size) : ones(size);
      },
      write: (offset, size, value) => {
        const hit = this.#find(window.base + offset, size);
        hit?.card.writeBar(hit.bar.index, hit.offset, size, value);
      },
      reset: () => {},
    };
    this.#functions[0] = new HostBridge();
  }

  /** Puts a card into a slot, 1 to 31. Throws RangeError when there is one. */
  plug(slot: number, card: PciFunction): void {
    if (!(slot > 0 && slot < PCI_SLOTS) || this.#functions[slot]) {
      throw new RangeError(`PCI slot ${slot} for ${card.name} is taken, or there is none`);
    }
    this.#functions[slot] = card;
    card.config.onCommand = () => this.#drive(slot);
  }

  /** The wire of the card in a slot: INTA. */
  interruptWire(slot: number): InterruptWire {
    return (level) => {
      const bit = 1 << slot;
      if (((this.#levels & bit) !== 0) === level) return;
      this.#levels ^= bit;
      this.#functions[slot]?.config.setInterruptStatus(level);
      this.#drive(slot);
    };
  }

  /** Configuration of all functions and the wires; what is behind the functions saves itself. */
  saveState(writer: StateWriter): void {
    writer.u32(this.#occupied);
    for (const card of this.#functions) card?.config.saveState(writer);
    writer.u32(this.#levels >>> 0);
    for (const slots of this.#asserted) writer.u32(slots);
  }

  loadState(reader: StateReader): () => void {
    reader.match(reader.u32(), this.#occupied, 'PCI slots');
    const configs = this.#functions.map((card) => card?.config.loadState(reader));
    const slots = () => {
      const value = reader.u32();
      reader.check((value & ~this.#occupied) === 0, 'an interrupt of an empty PCI slot');
      return value;
    };
    const levels = slots();
    const asserted = Array.from(this.#asserted, slots);
    return () => {
      for (const takeOver of configs) takeOver?.();
      this.#levels = levels | 0;
      this.#asserted.set(asserted);
    };
  }

  /** Slots with a card in them, a bit each. */
  get #occupied(): number {
    let slots = 0;
    for (const [slot, card] of this.#functions.entries()) if (card) slots |= 1 << slot;
    return slots >>> 0;
  }

  #drive(slot: number): void {
    const wire = slot % PCI_INTERRUPT_WIRES;
    const enabled = ((this.#functions[slot]?.config.command ?? 0) & PCI_COMMAND_INTX_DISABLE) === 0;
    const bit = 1 << slot;
    if ((this.#levels & bit) !== 0 && enabled) this.#asserted[wire]! |= bit;
    else this.#asserted[wire]! &= ~bit;
    this.#wires[wire]!(this.#asserted[wire] !== 0);
  }

  #functionAt(offset: number): PciFunction | undefined {
    const number = offset >>> ECAM_FUNCTION_BITS;
    // One function a card, and one bus: no bridges.
    return number % FUNCTIONS === 0 ? this.#functions[number / FUNCTIONS] : undefined;
  }

  #readEcam(offset: number, size: 1 | 2 | 4): number {
    const card = this.#functionAt(offset);
    if (!card) return ones(size);
    const register = offset & 0xfff;
    return card.readConfig ? card.readConfig(register, size) : card.config.read(register, size);
  }

  #writeEcam(offset: number, size: 1 | 2 | 4, value: number): void {
    const card = this.#functionAt(offset);
    const register = offset & 0xfff;
    if (card?.writeConfig) card.writeConfig(register, size, value);
    else card?.config.write(register, size, value);
  }

  #find(address: number, size: number): { card: PciFunction; bar: PciBar; offset: number } | undefined {
    for (const card of this.#functions) {
      if (!card || (card.config.command & PCI_COMMAND_MEMORY) === 0) continue;
      for (const bar of card.config.bars) {
        const offset = address - card.config.barAddress(bar.index);
        if (offset >= 0 && offset + size <= bar.size) return { card, bar, offset };
      }
    }
    return undefined;
  }

  #reset(): void {
    for (const card of this.#functions) {
      card?.config.reset();
      card?.reset();
    }
    this.#levels = 0;
    this.#asserted.fill(0);
    for (const wire of this.#wires) wire(false);
  }
}

class HostBridge implements PciFunction {
  readonly name = 'pci-host-bridge';
  readonly config = new PciConfigSpace(HOST_BRIDGE, [], 0);

  readBar(): number {
    return 0;
  }
  writeBar(): void {}
  reset(): void {}
}

/** What a read finds where nobody answers (PCI Local Bus 3.0, section 6.1). */
function ones(size: 1 | 2 | 4): number {
  return size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
}
