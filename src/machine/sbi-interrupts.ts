// Supervisor software interrupts that the SBI raises.
import type { HartView } from '../core/core-types.ts';
import { MIP } from './csr.ts';

const SSIP = 1n << 1n;

// Of mip's writable bits the SBI's machine uses SSIP alone: STIP is stimecmp's, SEIP the PLIC's.
export function raiseSupervisorSoftware(hart: HartView): void {
  hart.writeCsr(MIP, SSIP);
}

export function clearSupervisorSoftware(hart: HartView): void {
  hart.writeCsr(MIP, 0n);
}
