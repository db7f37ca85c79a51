import { OptionError } from './errors.ts';

const UNITS: Record<string, number> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
const MIB = 1024 ** 2;
/** What a machine can be given (machine-types.ts: MachineConfig.memory). */
const SMALLEST_MEMORY = 16 * MIB;
const LARGEST_MEMORY = 3 * 1024 * MIB;

/**
 * Reads a size in QEMU's and Docker's units, all powers of 1024: `256M`, `1G`, `512m`, `1.5g`, `64KiB`, plain bytes.
 * @returns bytes, a whole number
 * @throws {OptionError} when it is no size
 */
export function parseSize(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?\s*$/i.exec(text);
  const unit = match === null ? undefined : UNITS[match[2]!.toLowerCase()];
  const bytes = match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit;
  if (!Number.isSafeInteger(bytes)) {
    throw new OptionError(`'${text}' is not a size; write one like 256M, 1G or a number of bytes`);
  }
  return bytes;
}

/** Writes bytes in the largest unit that keeps it whole: 268435456 is `256M`. */
export function formatSize(bytes: number): string {
  for (const unit of ['G', 'M', 'K'] as const) {
    const size = UNITS[unit.toLowerCase()]!;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

/**
 * Checks the RAM asked for.
 * @returns bytes, a multiple of 1 MiB between 16M and 3G
 * @throws {OptionError} when it is no size or not one that a machine can have
 */
export function parseMemory(memory: number | string): number {
  let bytes: number;
  try {
    bytes = typeof memory === 'number' ? memory : parseSize(memory);
  } catch (error) {
    throw error instanceof OptionError ? new OptionError(`memory: ${error.message}`) : error;
  }
  if (Number.isInteger(bytes) && bytes >= SMALLEST_MEMORY && bytes <= LARGEST_MEMORY && bytes % MIB === 0) {
    return bytes;
  }
  const hint = /^\s*\d+\s*$/.test(String(memory)) && bytes < 65536 ? `; did you mean ${bytes}M?` : '';
  throw new OptionError(
    `memory: ${memory} cannot be given to a machine; it takes 16M to 3G in whole MiB${hint}`,
  );
}
