import type { StopReason } from '../machine/machine-types.ts';
import type { VirtualMachine } from './types.ts';

/** The part of a lease before whose end its holder is warned, and the longest such time in milliseconds. */
const WARNING_PART = 0.1;
const WARNING_MS = 60_000;

/** What happens in the course of a lease. */
export interface LeaseEvents {
  onWarning(remainingMs: number): void;
  onEnd(leaseMs: number): void;
}

/** The time that a VM may run, whatever it does with it. */
export class Lease {
  readonly #events: LeaseEvents;
  #endsAt: number | undefined;
  #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(events: LeaseEvents) {
    this.#events = events;
  }

  /** Milliseconds left; undefined without a lease. */
  get remainingMs(): number | undefined {
    return this.#endsAt === undefined ? undefined : Math.max(0, this.#endsAt - performance.now());
  }

  /** A lease from now on, in the place of an earlier one; 0 for none. */
  grant(milliseconds: number): void {
    this.end();
    if (milliseconds === 0) return;
    this.#endsAt = performance.now() + milliseconds;
    const warning = Math.min(WARNING_MS, milliseconds * WARNING_PART);
    this.#timers = [
      setTimeout(() => this.#events.onWarning(warning), milliseconds - warning),
      setTimeout(() => {
        this.end();
        this.#events.onEnd(milliseconds);
      }, milliseconds),
    ];
    // Node: a lease alone must not keep the process.
    for (const timer of this.#timers) (timer as { unref?(): void }).unref?.();
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#endsAt = undefined;
  }
}

/**
 * Saves a VM whose lease is over.
 * @param save default: a snapshot in the store
 * @returns what it is to be stopped for; a warning instead when it could not be saved, and is not to be lost
 */
export async function saveAtEnd(
  vm: VirtualMachine,
  leaseMs: number,
  save: ((vm: VirtualMachine) => Promise<void>) | undefined,
): Promise<{ reason?: StopReason; warning?: string }> {
  const over = `its lease of ${leaseMs / 1000} s is over`;
  try {
    if (save !== undefined) {
      await save(vm);
      return { reason: { kind: 'limit', message: over } };
    }
    const { name, id } = await vm.snapshot();
    return {
      reason: { kind: 'limit', message: `${over}; it was saved as snapshot ${name} (${id.slice(0, 12)})` },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { warning: `${over} and it could not be saved: ${why}; it is paused` };
  }
}
