import { type CpuPlan, PERIOD_MS, WHOLE_CORE } from '../worker/cpu-share.ts';
import type { StatsSample } from '../worker/stats-channel.ts';
import { type CoreClaim, planCores, plansDiffer } from './core-plan.ts';

/** A machine as the scheduler sees it. */
export interface Schedulable {
  readonly running: boolean;
  readonly weight: number;
  /** Cores that it may have at most, to 1. */
  readonly quota: number;
  /** Its last figures. */
  sample(): StatsSample | undefined;
  setPlan(plan: CpuPlan): void;
}

/** A machine's limits, which may change, and its worker. */
export function schedulableOf(
  limits: { readonly weight: number; readonly cpus: number },
  worker: { running(): boolean } & Pick<Schedulable, 'sample' | 'setPlan'>,
): Schedulable {
  return {
    get running() {
      return worker.running();
    },
    get weight() {
      return limits.weight;
    },
    get quota() {
      return limits.cpus;
    },
    sample: worker.sample,
    setPlan: worker.setPlan,
  };
}

/** Milliseconds after which figures that do not change are those of a machine that idles. */
const STALE_MS = 1200;
/** A machine that uses so much of what it may have would use more. */
const WANTS_MORE = 0.8;

/** Milliseconds of a machine's life that are looked at, at least: the end of a slot, where it is throttled, is among them. */
const LEAST_LOOK_MS = 1.2 * PERIOD_MS;

interface Entry {
  machine: Schedulable;
  plan: CpuPlan;
  last: StatsSample | undefined;
  /** When `last` was new. */
  lastAt: number;
  used: number;
  wants: boolean;
}

/**
 * Divides the host's cores among the machines of one hypervisor while more of them run than there are cores: workers
 * cannot see each other. It looks at what each uses, ten times a second; what one leaves, others get, and it has its
 * share again within a tick of wanting it.
 */
export class HostScheduler {
  readonly #cores: number;
  readonly #entries = new Set<Entry>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param cores of the host, at least 1 */
  constructor(cores: number) {
    this.#cores = cores;
  }

  /** Takes a machine in; returns how to tell that its state or limits have changed, and how to take it out. */
  add(machine: Schedulable): { changed(): void; remove(): void } {
    const entry: Entry = {
      machine,
      plan: WHOLE_CORE,
      last: undefined,
      lastAt: 0,
      used: 0,
      // Until it is seen to idle it counts as one that wants a core: it is about to boot.
      wants: true,
    };
    this.#entries.add(entry);
    return {
      changed: () => this.#tick(),
      remove: () => {
        this.#entries.delete(entry);
        this.#tick();
      },
    };
  }

  #tick(): void {
    const running = [...this.#entries].filter(({ machine }) => machine.running);
    if (running.length > this.#cores) {
      if (this.#timer === undefined) {
        this.#timer = setInterval(() => this.#tick(), PERIOD_MS);
        // Node: it must not keep the process.
        (this.#timer as { unref?(): void }).unref?.();
      }
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    const claims = running.map((entry) => claim(entry));
    const plans = planCores(this.#cores, claims);
    // Slots of different plans may overlap: it is all or none.
    if (!plans.some((plan, index) => plansDiffer(plan, running[index]!.plan))) return;
    for (const [index, entry] of running.entries()) {
      entry.plan = plans[index]!;
      entry.machine.setPlan(entry.plan);
    }
  }
}

function claim(entry: Entry): CoreClaim {
  const { machine } = entry;
  const sample = machine.sample();
  const now = performance.now();
  const since = (sample?.at ?? 0) - (entry.last?.at ?? -Infinity);
  // A part of a period says nothing: a machine may have been throttled just before it.
  if (sample !== undefined && (since >= LEAST_LOOK_MS || since < 0)) {
    const { last } = entry;
    const elapsed = last === undefined ? 0 : sample.at - last.at;
    const busy = last === undefined ? 0 : sample.stats.hostMs - last.stats.hostMs;
    if (elapsed > 0) {
      entry.used = Math.min(1, busy / elapsed);
      entry.wants =
        sample.stats.throttled > last!.stats.throttled ||
        entry.used >= WANTS_MORE * Math.min(1, machine.quota);
    }
    entry.last = sample;
    entry.lastAt = now;
  } else if (now - entry.lastAt > STALE_MS && entry.last !== undefined) {
    entry.used = 0;
    entry.wants = false;
  }
  return { weight: machine.weight, quota: machine.quota, used: entry.used, wants: entry.wants };
}
