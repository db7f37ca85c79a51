// Accrued exception flags and rounding modes. RISC-V unprivileged ISA, section 11.2 (tables 11.1 and fcsr).
import { FFLAGS, HART_BASE } from '../layout.ts';

/** Inexact. */
export const NX: u32 = 1;
/** Underflow: tiny after rounding, and inexact. */
export const UF: u32 = 2;
/** Overflow. */
export const OF: u32 = 4;
/** Division of a finite number by zero. */
export const DZ: u32 = 8;
/** Invalid operation. */
export const NV: u32 = 16;

/** To nearest, ties to even. */
export const RNE: u32 = 0;
/** Towards zero. */
export const RTZ: u32 = 1;
/** Down, towards minus infinity. */
export const RDN: u32 = 2;
/** Up, towards plus infinity. */
export const RUP: u32 = 3;
/** To nearest, ties to the larger magnitude. */
export const RMM: u32 = 4;

/** ORs flags into the hart's fflags. */
@inline
export function raise(flags: u32): void {
  store<u32>(HART_BASE + FFLAGS, load<u32>(HART_BASE + FFLAGS) | flags);
}

/**
 * True when rounding is to nearest even and NX is already set: then a result in the normal range can change no
 * flag, and the hardware's result is final. An exact NX costs about twice as much (tests/bench/float.mjs).
 */
@inline
export function nearestAndInexact(rm: u32): bool {
  return (rm | (~load<u32>(HART_BASE + FFLAGS) & NX)) == 0;
}
