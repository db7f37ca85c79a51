// What a VM may take of its host: read from options, checked, kept.
import type { DriveRates } from '../virtio/block/block-device.ts';
import type { NetworkRates } from '../virtio/net/net-device.ts';
import { OptionError } from './errors.ts';
import { parseSize } from './size.ts';

/** What a VM may take of its host. Each can be set when it is made, and changed while it runs (vm.update). */
export interface VmLimits {
  /** Cores of the host, 0.01 to 1, enforced over 100 ms; 0 or 1: as much as one core gives. Default: 1. */
  cpus?: number;
  /** Its part when the VMs of a hypervisor want more cores than there are, 1 to 10,000. Default: 100. */
  weight?: number;
  /**
   * Memory that the guest may use, bytes or a size: it is asked to give up the rest (virtio-balloon), which needs its
   * driver. 0: all it has.
   */
  memoryLimit?: number | string;
  /** How long it may run from now on, milliseconds or a duration like 30m; then it is saved and stopped. 0: for ever. */
  lease?: number | string;
  /** Rates of drives, by their places: 0 is /dev/vda. An empty object ends them. */
  driveRates?: Readonly<Record<number, DriveRates>>;
  /** Rates of network interfaces, by their places: 0 is eth0. An empty object ends them. */
  networkRates?: Readonly<Record<number, NetworkRates>>;
}

/** Limits that have been understood: numbers in the units of the machine. */
export interface CheckedLimits {
  cpus?: number;
  weight?: number;
  memoryLimit?: number;
  leaseMs?: number;
  driveRates: readonly (readonly [number, DriveRates])[];
  networkRates: readonly (readonly [number, NetworkRates])[];
}

export const DEFAULT_WEIGHT = 100;
const WEIGHT_MAX = 10_000;
const CPUS_MIN = 0.01;
/** The shortest lease, and the longest that a timer can hold. */
const LEASE_MIN_MS = 1000;
const LEASE_MAX_MS = 24 * 86_400_000;
const LEASE_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DRIVE_RATES = ['bps', 'bpsRead', 'bpsWrite', 'iops', 'iopsRead', 'iopsWrite'] as const;
const NETWORK_RATES = ['bpsReceive', 'ppsReceive', 'bpsTransmit', 'ppsTransmit'] as const;

/** A VM's parts that limits are about. */
export interface LimitedParts {
  /** Bytes. */
  memory: number;
  drives: number;
  interfaces: number;
}

/**
 * Reads limits.
 * @throws {OptionError} for a value that cannot be, or a drive or interface that the VM has not
 */
export function checkLimits(limits: VmLimits, parts: LimitedParts): CheckedLimits {
  const { cpus, weight, memoryLimit, lease } = limits;
  if (cpus !== undefined && cpus !== 0 && !(cpus >= CPUS_MIN && cpus <= 1)) {
    throw new OptionError(
      `cpus: ${cpus} is no share of a core; a machine has one hart: give ${CPUS_MIN} to 1, or 0 for no limit`,
    );
  }
  if (weight !== undefined && !(Number.isInteger(weight) && weight >= 1 && weight <= WEIGHT_MAX)) {
    throw new OptionError(`weight: ${weight} is none; give a whole number from 1 to ${WEIGHT_MAX}`);
  }
  return {
    cpus: cpus === 0 ? 1 : cpus,
    weight,
    memoryLimit: memoryLimit === undefined ? undefined : parseLimit(memoryLimit, parts.memory),
    leaseMs: lease === undefined ? undefined : parseLease(lease),
    driveRates: checkRates('driveRates', limits.driveRates, DRIVE_RATES, parts.drives, 'drive'),
    networkRates: checkRates(
      'networkRates',
      limits.networkRates,
      NETWORK_RATES,
      parts.interfaces,
      'interface',
    ),
  };
}

/**
 * Reads a duration: `30m`, `1.5h`, `90s`, `2d`, or milliseconds; 0 is none.
 * @returns milliseconds
 * @throws {OptionError}
 */
export function parseLease(lease: number | string): number {
  const match = typeof lease === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*$/.exec(lease) : undefined;
  const unit = match?.[2] === undefined ? (match?.[1] === '0' ? 1 : undefined) : LEASE_UNITS[match[2]];
  const ms = typeof lease === 'number' ? lease : Number(match?.[1]) * (unit ?? Number.NaN);
  if (ms === 0 || (ms >= LEASE_MIN_MS && ms <= LEASE_MAX_MS)) return ms;
  throw new OptionError(
    `lease: '${lease}' is none; give a duration from 1s to 24d, like 30m or 1.5h, or 0 for ever`,
  );
}

function parseLimit(limit: number | string, memory: number): number {
  let bytes: number;
  try {
    bytes = typeof limit === 'number' ? limit : parseSize(limit);
  } catch (error) {
    throw error instanceof OptionError ? new OptionError(`memoryLimit: ${error.message}`) : error;
  }
  if (bytes === 0) return memory;
  if (Number.isSafeInteger(bytes) && bytes >= 1024 ** 2 && bytes <= memory) return bytes;
  throw new OptionError(
    `memoryLimit: ${limit} is no part of the machine's ${memory / 1024 ** 2} MiB; give 1M to that, or 0 for all`,
  );
}

function checkRates<T extends object>(
  option: string,
  rates: Readonly<Record<number, T>> | undefined,
  names: readonly string[],
  count: number,
  what: string,
): (readonly [number, T])[] {
  return Object.entries(rates ?? {}).map(([key, value]) => {
    const index = Number(key);
    if (!(Number.isInteger(index) && index >= 0 && index < count)) {
      throw new OptionError(
        `${option}: there is no ${what} ${key}; the machine has ${count}, counted from 0`,
      );
    }
    for (const [name, rate] of Object.entries(value)) {
      if (!names.includes(name)) {
        throw new OptionError(`${option}: '${name}' is no rate; there are ${names.join(', ')}`);
      }
      if (rate !== undefined && !(Number.isFinite(rate) && rate >= 0)) {
        throw new OptionError(`${option}: ${name} of ${rate} a second cannot be; give 0 (none) or more`);
      }
    }
    return [index, value] as const;
  });
}
