import type { DriveRates } from '../virtio/block/block-device.ts';
import type { NetworkRates } from '../virtio/net/net-device.ts';
import {
  type CheckedLimits,
  checkLimits,
  DEFAULT_WEIGHT,
  type LimitedParts,
  type VmLimits,
} from './limits.ts';

/** How limits reach the machine. */
export interface LimitedMachine {
  setBalloon(bytes: number): Promise<void>;
  setDriveRates(index: number, rates: DriveRates): Promise<void>;
  setNetworkRates(index: number, rates: NetworkRates): Promise<void>;
  setLease(milliseconds: number): void;
}

/** The limits of one VM: what they are now, and how they come to hold. */
export class VmResources {
  readonly #parts: LimitedParts;
  readonly #machine: LimitedMachine;
  #cpus = 1;
  #weight = DEFAULT_WEIGHT;
  #memoryLimit: number;
  /** Granted at start. */
  #leaseMs = 0;
  readonly #driveRates: Record<number, DriveRates> = {};
  readonly #networkRates: Record<number, NetworkRates> = {};

  constructor(parts: LimitedParts, machine: LimitedMachine) {
    this.#parts = parts;
    this.#machine = machine;
    this.#memoryLimit = parts.memory;
  }

  get cpus(): number {
    return this.#cpus;
  }

  get weight(): number {
    return this.#weight;
  }

  get leaseMs(): number {
    return this.#leaseMs;
  }

  /** The limits as update() would take them. */
  get current(): Required<VmLimits> {
    return {
      cpus: this.#cpus,
      weight: this.#weight,
      memoryLimit: this.#memoryLimit,
      lease: this.#leaseMs,
      driveRates: { ...this.#driveRates },
      networkRates: { ...this.#networkRates },
    };
  }

  /**
   * Checks all limits, then takes them over and lets them hold.
   * @throws {OptionError} and nothing is changed
   */
  async update(limits: VmLimits): Promise<void> {
    const checked: CheckedLimits = checkLimits(limits, this.#parts);
    this.#cpus = checked.cpus ?? this.#cpus;
    this.#weight = checked.weight ?? this.#weight;
    const answers: Promise<void>[] = [];
    if (checked.memoryLimit !== undefined && checked.memoryLimit !== this.#memoryLimit) {
      this.#memoryLimit = checked.memoryLimit;
      answers.push(this.#machine.setBalloon(this.#parts.memory - checked.memoryLimit));
    }
    for (const [index, rates] of checked.driveRates) {
      this.#driveRates[index] = rates;
      answers.push(this.#machine.setDriveRates(index, rates));
    }
    for (const [index, rates] of checked.networkRates) {
      this.#networkRates[index] = rates;
      answers.push(this.#machine.setNetworkRates(index, rates));
    }
    if (checked.leaseMs !== undefined) {
      this.#leaseMs = checked.leaseMs;
      this.#machine.setLease(checked.leaseMs);
    }
    await Promise.all(answers);
  }
}
