// The SBI as the machine answers it for an S-mode kernel: RISC-V Supervisor Binary Interface 2.0. This file has
// the calling convention (chapter 3) and the base extension (chapter 4); a file for each other group.
import type { HartView } from '../core/core-types.ts';
import { MARCHID, MIMPID, MVENDORID } from './csr.ts';
import { DBCN_EXTENSION, debugConsole } from './sbi-console.ts';
import { HSM_EXTENSION, hartState } from './sbi-hart.ts';
import { legacyCall } from './sbi-legacy.ts';
import { IPI_EXTENSION, RFENCE_EXTENSION, remoteFence, sendIpi } from './sbi-remote.ts';
import { SRST_EXTENSION, systemReset } from './sbi-reset.ts';
import { setTimer, TIME_EXTENSION } from './sbi-timer.ts';
import {
  failure,
  SBI_ERR_NOT_SUPPORTED,
  type SbiCall,
  type SbiHandler,
  type SbiHost,
  type SbiReturn,
  success,
} from './sbi-types.ts';

export const BASE_EXTENSION = 0x10;
/** Section 4.1: major version in bits 30..24. */
const SPECIFICATION_VERSION = 2n << 24n;
/** Not one of the registered implementations: "HTAB". */
const IMPLEMENTATION_ID = 0x48544142n;
const IMPLEMENTATION_VERSION = 1n;
/** Chapter 5: extensions 0 to 15 are the legacy calls, each its own extension. */
const LAST_LEGACY_EXTENSION = 0x0f;

const HANDLERS: ReadonlyMap<number, SbiHandler> = new Map([
  [BASE_EXTENSION, base],
  [TIME_EXTENSION, setTimer],
  [IPI_EXTENSION, sendIpi],
  [RFENCE_EXTENSION, remoteFence],
  [HSM_EXTENSION, hartState],
  [SRST_EXTENSION, systemReset],
  [DBCN_EXTENSION, debugConsole],
]);

const A0 = 10;
const A1 = 11;
const A6 = 16;
const A7 = 17;
const ECALL_BYTES = 4n;

/** Answers the ecall at which the hart stands, and moves it behind. */
export function handleSbiCall(hart: HartView, host: SbiHost): void {
  const args = Array.from({ length: 6 }, (_, index) => hart.getX(A0 + index));
  // EID and FID are 32-bit values whatever XLEN is (chapter 3).
  const extension = Number(hart.getX(A7) & 0xffffffffn);
  const call: SbiCall = { function: Number(hart.getX(A6) & 0xffffffffn), args, hart, host };
  hart.pc = hart.pc + ECALL_BYTES;
  if (extension <= LAST_LEGACY_EXTENSION) {
    // Legacy calls answer in a0 alone and keep a1.
    const value = legacyCall(extension, call);
    if (value !== undefined) hart.setX(A0, BigInt.asUintN(64, value));
    return;
  }
  const handler = HANDLERS.get(extension);
  const { error, value } = handler ? handler(call) : failure(SBI_ERR_NOT_SUPPORTED);
  hart.setX(A0, BigInt.asUintN(64, BigInt(error)));
  hart.setX(A1, BigInt.asUintN(64, value));
}

/** Chapter 4. */
function base({ function: id, args, hart }: SbiCall): SbiReturn {
  switch (id) {
    case 0:
      return success(SPECIFICATION_VERSION);
    case 1:
      return success(IMPLEMENTATION_ID);
    case 2:
      return success(IMPLEMENTATION_VERSION);
    case 3:
      return success(isSupported(args[0]!) ? 1n : 0n);
    case 4:
      return success(hart.readCsr(MVENDORID) ?? 0n);
    case 5:
      return success(hart.readCsr(MARCHID) ?? 0n);
    case 6:
      return success(hart.readCsr(MIMPID) ?? 0n);
    default:
      return failure(SBI_ERR_NOT_SUPPORTED);
  }
}

function isSupported(extension: bigint): boolean {
  const id = Number(extension & 0xffffffffn);
  return HANDLERS.has(id) || LEGACY_SUPPORTED.includes(id);
}

/** set_timer, console_putchar, console_getchar, clear_ipi, shutdown. */
const LEGACY_SUPPORTED = [0, 1, 2, 3, 8];
