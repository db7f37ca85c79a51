// A machine's state as it is saved: sections by name, each written and read by the part that owns it.

/** The state of one part of a machine: opaque to all but its owner, which reads older versions or refuses them by name. */
export interface StateSection {
  /** Unique within a machine, of lower-case letters, digits and `-./`: `hart`, `plic`, `virtio/drive-0`. */
  name: string;
  /** Of the layout of `bytes`; 1 is the first. */
  version: number;
  bytes: Uint8Array;
}

/** What is wrong with a saved state. */
export type StateFault =
  /** A section of a part that this machine does not have. */
  | 'unknown'
  /** A part of this machine without a section, or two sections of one name. */
  | 'missing'
  /** Cut off, too long, or with a value that no machine can have. */
  | 'damaged'
  /** Written by a newer Hypertab than this one. */
  | 'version'
  /** Saved by a machine with another configuration: memory, devices, clock. */
  | 'configuration';

/** A saved state that this machine cannot take over; nothing of the machine has changed. */
export class MachineStateError extends Error {
  override readonly name = 'MachineStateError';
  readonly fault: StateFault;
  /** Name of the section that is at fault. */
  readonly section: string;

  constructor(fault: StateFault, section: string, message: string) {
    super(`saved state, section ${section}: ${message}`);
    this.fault = fault;
    this.section = section;
  }
}

/** Bytes of a page of RAM, as `takeDirtyPages` counts them. */
export const STATE_PAGE_BYTES = 4096;

/**
 * Saving and restoring one machine. The order of a save: the machine does not run (between two slices), `quiesce()`,
 * then, in one turn of the event loop, `saveState()`, `takeDirtyPages()` and a copy of `ram`; then it may run again.
 * The order of a restore: a machine made with the same MachineConfig and as many parts, which has not run yet (or
 * stands still); all of RAM is written through `ram` and told by `ramWritten()`, pages of zeroes too unless they are
 * zero already; then `restoreState()`.
 */
export interface MachineStateApi {
  /**
   * Resolves when no device has anything under way that would write guest memory or storage: what a device was asked
   * for and has begun is finished, what waits stays in the guest's queues. It takes as long as drives and shares take
   * to answer. Call while the machine does not run. No device begins anything until the machine runs again; a
   * `quiesce()` that nothing follows needs no undoing.
   */
  quiesce(): Promise<void>;
  /** All but RAM, drives and shares' files; synchronous, between slices, after quiesce(). Changes nothing. */
  saveState(): StateSection[];
  /**
   * Checks every section first, then takes it over: the machine goes on with the instruction before which it was
   * saved. RAM must have been written before, through `ram` and `ramWritten()`. Time goes on from the time saved;
   * the host's time of day is as it is.
   * @throws MachineStateError that names the section (unknown, missing, damaged, other version or configuration);
   * nothing is touched then
   */
  restoreState(sections: readonly StateSection[]): void;
  /** Guest RAM as it is now, from physical 0x8000_0000 up. */
  readonly ram: Uint8Array;
  /** The caller wrote [offset, offset + length) of `ram`: code decoded from it is dropped, its pages are dirty. */
  ramWritten(offset: number, length: number): void;
  /**
   * Pages of RAM that were written since the last call, or ever at the first one: bit n % 8 of byte n / 8 is page n
   * (STATE_PAGE_BYTES each). Clears what it returns. A page may be in it that was written with what it held before.
   */
  takeDirtyPages(): Uint8Array;
  /** Pages of RAM that hold anything but zeroes now, in the same form. */
  nonZeroPages(): Uint8Array;
}
