import { checkLimits, parseLease, type VmLimits } from '../hypervisor/limits.ts';
import { parseSize } from '../hypervisor/size.ts';
import type { DriveRates } from '../virtio/block/block-device.ts';
import { parseCount } from './options.ts';
import { UsageError } from './usage-error.ts';

/** Options of `run` and `update` that are limits, as parseOptions() takes them. */
export const LIMIT_OPTIONS = {
  cpus: 'value',
  weight: 'value',
  'memory-limit': 'value',
  lease: 'value',
} as const;

/** QEMU's words for the rates of a drive, and ours. */
const RATES: Record<string, keyof DriveRates> = {
  bps: 'bps',
  bps_rd: 'bpsRead',
  bps_wr: 'bpsWrite',
  iops: 'iops',
  iops_rd: 'iopsRead',
  iops_wr: 'iopsWrite',
};
export const RATE_PATTERN = /,(bps|bps_rd|bps_wr|iops|iops_rd|iops_wr)=([^,=]*)$/;

/**
 * Reads a rate of a drive: bytes in QEMU's units, or a number of requests.
 * @throws {UsageError} {OptionError}
 */
export function parseRate(name: string, text: string): DriveRates {
  const key = RATES[name];
  if (key === undefined)
    throw new UsageError(`'${name}' is no rate; there are ${Object.keys(RATES).join(', ')}`);
  return { [key]: name.startsWith('bps') ? parseSize(text) : parseCount(name, text) };
}

/**
 * Reads the limits among the values of an invocation.
 * @throws {UsageError} {OptionError}
 */
export function parseLimits(values: Partial<Record<keyof typeof LIMIT_OPTIONS, string>>): VmLimits {
  const limits: VmLimits = {};
  if (values.cpus !== undefined) {
    if (!/^\d*\.?\d+$/.test(values.cpus)) {
      throw new UsageError(
        `--cpus: '${values.cpus}' is no number of cores; give one like 0.25, or 0 for no limit`,
      );
    }
    limits.cpus = Number(values.cpus);
  }
  if (values.weight !== undefined) limits.weight = parseCount('--weight', values.weight);
  if (values['memory-limit'] !== undefined) limits.memoryLimit = parseSize(values['memory-limit']);
  if (values.lease !== undefined) limits.lease = parseLease(values.lease);
  // What is wrong whatever the machine is said before there is one.
  checkLimits({ cpus: limits.cpus, weight: limits.weight }, { memory: 0, drives: 0, interfaces: 0 });
  return limits;
}

/**
 * Reads `INDEX,bps=10M,iops=100`: rates of a drive that is there; without any, none.
 * @throws {UsageError} {OptionError}
 */
export function parseDriveRates(text: string): readonly [number, DriveRates] {
  const [index = '', ...words] = text.split(',');
  if (!/^\d+$/.test(index)) {
    throw new UsageError(
      `--drive: '${index}' is no drive of a running machine; give its number, 0 for /dev/vda`,
    );
  }
  let rates: DriveRates = {};
  for (const word of words) {
    const match = RATE_PATTERN.exec(`,${word}`);
    if (match === null)
      throw new UsageError(`--drive: '${word}' is no rate; give one like bps=10M or iops=100`);
    rates = { ...rates, ...parseRate(match[1]!, match[2]!) };
  }
  return [Number(index), rates];
}
