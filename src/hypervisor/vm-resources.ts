import type { Remote } from 'comlink';
import type { StopReason } from '../machine/machine-types.ts';
import type { DriveRates } from '../virtio/block/block-device.ts';
import type { NetworkRates } from '../virtio/net/net-device.ts';
import type { MachineControl } from '../worker/machine-control.ts';
import { watchBalloon } from './balloon-watch.ts';
import { Lease, saveAtEnd } from './lease.ts';
import { checkLimits, DEFAULT_WEIGHT, type LimitedParts, type VmLimits } from './limits.ts';
import type { VirtualMachine, VmState } from './types.ts';
import type { VmParts } from './vm-parts.ts';

/** What limits want of their VM. */
export interface LimitedVm {
  vm: VirtualMachine;
  parts: VmParts;
  control: Remote<MachineControl>;
  /** Waits for an answer of the worker's, while there is a worker. */
  call<T>(answer: Promise<T>): Promise<T>;
  onLease(remainingMs: number): void;
  onWarning(message: string): void;
  /** Pulls the plug and says why. */
  stop(reason: StopReason): Promise<void>;
}

/** The limits of one VM: what they are now, and how they come to hold. */
export class VmResources {
  readonly #limited: LimitedVm;
  readonly #parts: LimitedParts;
  readonly #lease: Lease;
  #cpus = 1;
  #weight = DEFAULT_WEIGHT;
  #memoryLimit: number;
  /** Granted at start. */
  #leaseMs = 0;
  readonly #driveRates: Record<number, DriveRates> = {};
  readonly #networkRates: Record<number, NetworkRates> = {};

  constructor(limited: LimitedVm) {
    const { parts } = limited;
    this.#limited = limited;
    this.#parts = {
      memory: parts.config.memory,
      drives: parts.drives?.length ?? 0,
      interfaces: parts.networks?.length ?? 0,
    };
    this.#memoryLimit = this.#parts.memory;
    this.#lease = new Lease({
      onWarning: (remainingMs) => limited.onLease(remainingMs),
      onEnd: (leaseMs) => void this.#leaseOver(leaseMs),
    });
  }

  get cpus(): number {
    return this.#cpus;
  }

  get weight(): number {
    return this.#weight;
  }

  /** Milliseconds left of its lease; undefined while it has none. */
  get leaseRemainingMs(): number | undefined {
    return this.#lease.remainingMs;
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

  /** A lease begins when the VM starts, and ends when it stops. */
  entered(state: VmState): void {
    if (state === 'stopped' || state === 'destroyed') this.#lease.end();
    else if (this.#lease.remainingMs === undefined) this.#lease.grant(this.#leaseMs);
  }

  /**
   * Checks all limits, then takes them over and lets them hold.
   * @throws {OptionError} and nothing is changed
   */
  async update(limits: VmLimits): Promise<void> {
    const { vm, control, call } = this.#limited;
    const checked = checkLimits(limits, this.#parts);
    this.#cpus = checked.cpus ?? this.#cpus;
    this.#weight = checked.weight ?? this.#weight;
    const answers: Promise<void>[] = [];
    if (checked.memoryLimit !== undefined && checked.memoryLimit !== this.#memoryLimit) {
      this.#memoryLimit = checked.memoryLimit;
      answers.push(call(control.setBalloon(this.#parts.memory - checked.memoryLimit)));
      watchBalloon(vm, (message) => this.#limited.onWarning(message));
    }
    for (const [index, rates] of checked.driveRates) {
      this.#driveRates[index] = rates;
      answers.push(call(control.setDriveRates(index, rates)));
    }
    for (const [index, rates] of checked.networkRates) {
      this.#networkRates[index] = rates;
      answers.push(call(control.setNetworkRates(index, rates)));
    }
    if (checked.leaseMs !== undefined) {
      this.#leaseMs = checked.leaseMs;
      if (vm.state === 'running' || vm.state === 'paused') this.#lease.grant(checked.leaseMs);
    }
    await Promise.all(answers);
  }

  async #leaseOver(leaseMs: number): Promise<void> {
    const { vm, parts, onWarning, stop } = this.#limited;
    const { reason, warning } = await saveAtEnd(vm, leaseMs, parts.saveAtLeaseEnd);
    if (warning !== undefined) onWarning(warning);
    await (reason === undefined ? vm.pause() : stop(reason)).catch(() => {});
  }
}
