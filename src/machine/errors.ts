// Errors of a machine's making: what was wrong, where, and what to do, in one line.

/** An option of the machine cannot be met (memory size, missing kernel, …). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A kernel, firmware or initrd cannot be loaded. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}

/** A gzipped file that is damaged or cut off. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError';
}

/** Bytes as MiB, rounded up, for messages. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / (1 << 20))} MiB`;
}
