// Names of the integer and floating-point registers. RISC-V psABI 1.0, tables 1 and 2.

const range = (prefix: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${prefix}${from + index}`);

/** ABI names of x0 to x31. */
export const X_NAMES: readonly string[] = [
  ...['zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1'],
  ...[...range('a', 0, 7), ...range('s', 2, 11), ...range('t', 3, 6)],
];

/** ABI names of f0 to f31. */
export const F_NAMES: readonly string[] = [
  ...[...range('ft', 0, 7), 'fs0', 'fs1', ...range('fa', 0, 7), ...range('fs', 2, 11), ...range('ft', 8, 11)],
];

const numbersOf = (names: readonly string[], prefix: string): Map<string, number> =>
  new Map([...names, ...range(prefix, 0, 31)].map((name, index) => [name, index % 32]));

const xNumbers = numbersOf(X_NAMES, 'x').set('fp', 8);
const fNumbers = numbersOf(F_NAMES, 'f');

/** Number of an integer register from its ABI name or xN. */
export const xNumber = (name: string): number | undefined => xNumbers.get(name);
/** Number of a floating-point register from its ABI name or fN. */
export const fNumber = (name: string): number | undefined => fNumbers.get(name);

/** Rounding modes by their encoding; 5 and 6 are reserved. Unprivileged ISA 20240411, table 26. */
export const ROUNDING_MODES: readonly (string | undefined)[] = [
  ...['rne', 'rtz', 'rdn', 'rup', 'rmm', undefined, undefined, 'dyn'],
];
