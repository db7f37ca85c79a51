import { SERIAL_BYTES } from '../virtio/block/block-config.ts';
import type { DriveSetup } from '../worker/machine-control.ts';
import { OptionError } from './errors.ts';
import type { VmLimits } from './limits.ts';
import type { GuestFiles, VmDrive, VmOptions } from './types.ts';

/**
 * Drives as a worker is told of them.
 * @throws {OptionError} for a serial number that cannot be
 */
export function setUpDrives(drives: readonly VmDrive[]): DriveSetup[] {
  return drives.map(({ serial, werror, rates: _, ...drive }) => {
    if (serial !== undefined && !/^[!-~]+$/.test(serial)) {
      throw new OptionError(`drive: '${serial}' is no serial number; give printable ASCII without spaces`);
    }
    if (serial !== undefined && serial.length > SERIAL_BYTES) {
      throw new OptionError(`drive: the serial number '${serial}' has more than ${SERIAL_BYTES} characters`);
    }
    return { drive, serial, werror };
  });
}

/** The rates that drives were given with, by their places; those of `others` come before them. */
export function ratesOfDrives(
  drives: readonly VmDrive[],
  others: VmLimits['driveRates'] = {},
): NonNullable<VmLimits['driveRates']> {
  const own = drives.flatMap(({ rates }, index) => (rates === undefined ? [] : [[index, rates] as const]));
  return { ...Object.fromEntries(own), ...others };
}

/** A guest's own drives: with the changes that are kept of them, or as they were prepared. */
export function ownDrives(guest: GuestFiles | undefined, { snapshot }: VmOptions): VmDrive[] {
  return (guest?.drives ?? []).map((drive) =>
    snapshot === true ? { ...drive, overlay: undefined, snapshot: true } : drive,
  );
}
