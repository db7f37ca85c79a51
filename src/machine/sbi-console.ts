// SBI debug console extension. RISC-V SBI 2.0, chapter 12.
import {
  failure,
  SBI_ERR_INVALID_PARAM,
  SBI_ERR_NOT_SUPPORTED,
  type SbiCall,
  type SbiReturn,
  success,
} from './sbi-types.ts';

export const DBCN_EXTENSION = 0x4442434e;
const WRITE = 0;
const READ = 1;
const WRITE_BYTE = 2;
/** A call moves at most this many bytes and says how many: one call must not occupy the host. */
const MOST_BYTES = 0x1_0000n;

export function debugConsole({ function: id, args, host }: SbiCall): SbiReturn {
  if (id === WRITE_BYTE) {
    host.writeConsole(Uint8Array.of(Number(args[0]! & 0xffn)));
    return success();
  }
  if (id !== WRITE && id !== READ) return failure(SBI_ERR_NOT_SUPPORTED);
  const [asked, low, high] = args as [bigint, bigint, bigint];
  const length = asked < MOST_BYTES ? asked : MOST_BYTES;
  // Physical addresses are XLEN bits wide: the high half must be zero on RV64.
  const view = high === 0n ? host.ramView(low, asked)?.subarray(0, Number(length)) : undefined;
  if (!view) return failure(SBI_ERR_INVALID_PARAM);
  if (id === WRITE) {
    host.writeConsole(view);
    return success(length);
  }
  let count = 0;
  while (count < view.length) {
    const byte = host.readConsole();
    if (byte === undefined) break;
    view[count++] = byte;
  }
  if (count > 0) host.noteRamWritten(low, count);
  return success(BigInt(count));
}
