// The configuration space of one PCI function: identity, base address registers, interrupt pin, capabilities.
// PCI Local Bus 3.0, chapter 6; sections below are its.
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';

// Section 6.1, figure 6-1.
export const PCI_VENDOR_ID = 0x00;
export const PCI_DEVICE_ID = 0x02;
export const PCI_COMMAND = 0x04;
export const PCI_STATUS = 0x06;
export const PCI_REVISION_ID = 0x08;
export const PCI_CLASS = 0x09;
export const PCI_CACHE_LINE_SIZE = 0x0c;
export const PCI_HEADER_TYPE = 0x0e;
export const PCI_BAR0 = 0x10;
export const PCI_SUBSYSTEM_VENDOR_ID = 0x2c;
export const PCI_SUBSYSTEM_ID = 0x2e;
export const PCI_CAPABILITIES = 0x34;
export const PCI_INTERRUPT_LINE = 0x3c;
export const PCI_INTERRUPT_PIN = 0x3d;
export const PCI_HEADER_BYTES = 0x40;
/** Section 6.2.2. */
export const PCI_COMMAND_MEMORY = 1 << 1;
export const PCI_COMMAND_MASTER = 1 << 2;
export const PCI_COMMAND_INTX_DISABLE = 1 << 10;
/** Section 6.2.3. */
export const PCI_STATUS_INTERRUPT = 1 << 3;
export const PCI_STATUS_CAPABILITIES = 1 << 4;

const CONFIG_BYTES = 256;
const BARS = 6;
const WRITABLE_COMMAND =
  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | (1 << 6) | (1 << 8) | PCI_COMMAND_INTX_DISABLE;

export interface PciIdentity {
  vendor: number;
  device: number;
  revision: number;
  /** Base class, sub-class and programming interface: 0xCCSSPP. */
  classCode: number;
  subsystemVendor: number;
  subsystem: number;
}

/** A range of 32-bit memory space that a function answers in. */
export interface PciBar {
  index: number;
  /** Bytes, a power of two, 16 or more. */
  size: number;
}

/** Configuration registers as software sees them: sized and masked as the standard says. */
export class PciConfigSpace implements Stateful {
  /** Called after a write to the command register. */
  onCommand: () => void = () => {};
  readonly bars: readonly PciBar[];
  readonly #bytes = new Uint8Array(CONFIG_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  /** A set bit can be written. */
  readonly #writable = new Uint8Array(CONFIG_BYTES);
  readonly #initial: Uint8Array;
  #end = PCI_HEADER_BYTES;
  readonly stateVersion = 1;

  /**
   * @param capabilities each without its first two bytes (the chain is made here), beginning with what follows them
   * @param pin 1 for INTA to 4 for INTD, 0 for none
   */
  constructor(
    identity: PciIdentity,
    bars: readonly PciBar[],
    pin: number,
    capabilities: readonly { id: number; body: Uint8Array }[] = [],
  ) {
    const view = this.#view;
    view.setUint16(PCI_VENDOR_ID, identity.vendor, true);
    view.setUint16(PCI_DEVICE_ID, identity.device, true);
    view.setUint8(PCI_REVISION_ID, identity.revision);
    view.setUint8(PCI_CLASS, identity.classCode & 0xff);
    view.setUint16(PCI_CLASS + 1, identity.classCode >>> 8, true);
    view.setUint16(PCI_SUBSYSTEM_VENDOR_ID, identity.subsystemVendor, true);
    view.setUint16(PCI_SUBSYSTEM_ID, identity.subsystem, true);
    view.setUint8(PCI_INTERRUPT_PIN, pin);
    this.bars = bars;
    this.#addCapabilities(capabilities);
    this.#allow(PCI_COMMAND, 2, WRITABLE_COMMAND);
    this.#allow(PCI_CACHE_LINE_SIZE, 1, 0xff);
    this.#allow(PCI_INTERRUPT_LINE, 1, 0xff);
    // Section 6.2.5.1: address bits below the size read as zero, which tells software the size.
    for (const { index, size } of bars) {
      if (index >= BARS || size < 16 || (size & (size - 1)) !== 0) {
        throw new RangeError(`PCI base address register ${index} of ${size} bytes cannot be`);
      }
      this.#allow(PCI_BAR0 + index * 4, 4, -size);
    }
    this.#initial = this.#bytes.slice();
  }

  /** Offset of a capability's first byte; capabilities are numbered as they were given. */
  readonly capabilityOffsets: number[] = [];

  get command(): number {
    return this.#view.getUint16(PCI_COMMAND, true);
  }

  /** Where software has put a base address register. */
  barAddress(index: number): number {
    return this.#view.getUint32(PCI_BAR0 + index * 4, true);
  }

  /** The state of the function's interrupt, which software sees in the status register. */
  setInterruptStatus(level: boolean): void {
    const status = this.#bytes[PCI_STATUS]!;
    this.#bytes[PCI_STATUS] = level ? status | PCI_STATUS_INTERRUPT : status & ~PCI_STATUS_INTERRUPT;
  }

  /** Lets software write `length` bytes. */
  allowWrites(offset: number, length: number): void {
    this.#writable.fill(0xff, offset, offset + length);
  }

  /** A register's bytes as they are. */
  peek(offset: number, size: 1 | 2 | 4): number {
    if (size === 1) return this.#view.getUint8(offset);
    return size === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint32(offset, true);
  }

  read(offset: number, size: 1 | 2 | 4): number {
    // Beyond the first 256 bytes lies PCI Express' extended space: no capability there, an empty header.
    return offset + size <= CONFIG_BYTES ? this.peek(offset, size) : 0;
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset + size > CONFIG_BYTES) return;
    for (let index = 0; index < size; index++) {
      const mask = this.#writable[offset + index]!;
      const byte = (value >>> (index * 8)) & 0xff;
      this.#bytes[offset + index] = (this.#bytes[offset + index]! & ~mask) | (byte & mask);
    }
    if (offset < PCI_STATUS && offset + size > PCI_COMMAND) this.onCommand();
  }

  reset(): void {
    this.#bytes.set(this.#initial);
  }

  saveState(writer: StateWriter): void {
    writer.raw(this.#bytes);
  }

  /** Another device in the saved machine's slot is another configuration. */
  loadState(reader: StateReader): () => void {
    const saved = reader.raw(CONFIG_BYTES);
    for (const [index, byte] of saved.entries()) {
      const changes = this.#writable[index]! | (index === PCI_STATUS ? PCI_STATUS_INTERRUPT : 0);
      reader.match(byte & ~changes, this.#initial[index]! & ~changes, `PCI configuration byte ${index}`);
    }
    return () => this.#bytes.set(saved);
  }

  #allow(offset: number, size: 1 | 2 | 4, mask: number): void {
    for (let index = 0; index < size; index++) this.#writable[offset + index] = (mask >>> (index * 8)) & 0xff;
  }

  /** Section 6.7: a list that begins behind the header. */
  #addCapabilities(capabilities: readonly { id: number; body: Uint8Array }[]): void {
    let link = PCI_CAPABILITIES;
    for (const { id, body } of capabilities) {
      const at = this.#end;
      if (at + 2 + body.length > CONFIG_BYTES) throw new RangeError('too many PCI capabilities');
      this.#bytes[link] = at;
      this.#bytes[at] = id;
      this.#bytes.set(body, at + 2);
      this.capabilityOffsets.push(at);
      link = at + 1;
      this.#end = (at + 2 + body.length + 3) & ~3;
    }
    if (capabilities.length > 0) this.#bytes[PCI_STATUS] = PCI_STATUS_CAPABILITIES;
  }
}
