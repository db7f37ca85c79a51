import type { VmStats } from '../hypervisor/types.ts';
import type { StopReason } from '../machine/machine-types.ts';

/** The figures of a run as `--stats` prints them. */
export interface RunFigures {
  stats: VmStats;
  /** Why it ended, or 'timeout', 'quit' or 'exec' when it was ended. */
  reason: StopReason['kind'] | 'timeout' | 'quit' | 'exec';
  /** Milliseconds from start to prompt; undefined when no prompt was seen. */
  bootMs: number | undefined;
}

/** One JSON object on one line; names in snake case, times in the unit their name ends with. */
export function formatStats({ stats, reason, bootMs }: RunFigures): string {
  const {
    instructions,
    engine,
    elapsedMs,
    busyMs,
    memory,
    mips: _mips,
    cpu: _cpu,
    driveReadRate: _driveReadRate,
    driveWriteRate: _driveWriteRate,
    receiveRate: _receiveRate,
    transmitRate: _transmitRate,
    state: _state,
    ...counters
  } = stats;
  const figures: Record<string, number | string | null> = {
    instructions,
    seconds: round(elapsedMs / 1000, 6),
    // Of the time the guest had work: what it idled says nothing about speed.
    mips: busyMs > 0 ? round(instructions / busyMs / 1000, 2) : 0,
    boot_ms: bootMs === undefined ? null : round(bootMs, 1),
    engine,
    reason,
    busy_seconds: round(busyMs / 1000, 6),
    memory,
  };
  for (const [name, value] of Object.entries(counters)) {
    figures[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = value;
  }
  return JSON.stringify(figures);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
