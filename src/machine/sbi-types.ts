// What the SBI's extensions share. RISC-V SBI 2.0, chapter 3.
import type { HartView } from '../core/core-types.ts';

/** What the machine does on the SBI's behalf. */
export interface SbiHost {
  /** Writes to the console. */
  writeConsole(bytes: Uint8Array): void;
  /** Takes one byte typed into the console; undefined when there is none. */
  readConsole(): number | undefined;
  /** `length` bytes of RAM at a physical address, as a view; undefined unless all of it is RAM. */
  ramView(address: bigint, length: bigint): Uint8Array | undefined;
  /** RAM at this physical address was written by readConsole's caller. */
  noteRamWritten(address: bigint, length: number): void;
  /** Ends every cached translation of the hart. */
  flushTranslations(): void;
  /** Ends the run: the guest wants to be off, or to start again. */
  requestStop(kind: 'poweroff' | 'reboot'): void;
}

export interface SbiCall {
  function: number;
  /** a0 to a5, unsigned. */
  args: readonly bigint[];
  hart: HartView;
  host: SbiHost;
}

export interface SbiReturn {
  error: number;
  value: bigint;
}

export type SbiHandler = (call: SbiCall) => SbiReturn;

// Table 1 of chapter 3
export const SBI_SUCCESS = 0;
export const SBI_ERR_FAILED = -1;
export const SBI_ERR_NOT_SUPPORTED = -2;
export const SBI_ERR_INVALID_PARAM = -3;
export const SBI_ERR_DENIED = -4;
export const SBI_ERR_INVALID_ADDRESS = -5;
export const SBI_ERR_ALREADY_AVAILABLE = -6;

export function success(value = 0n): SbiReturn {
  return { error: SBI_SUCCESS, value };
}

export function failure(error: number): SbiReturn {
  return { error, value: 0n };
}

const ALL_HARTS = 0xffffffffffffffffn;

/**
 * Whether a hart mask (chapter 3.1) selects hart 0, the only one; undefined when it names a hart that is not there.
 */
export function selectsHart0(mask: bigint, base: bigint): boolean | undefined {
  if (base === ALL_HARTS) return true;
  if (base !== 0n) return mask === 0n ? false : undefined;
  if ((mask & ~1n) !== 0n) return undefined;
  return mask === 1n;
}
