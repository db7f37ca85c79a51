// SBI system reset extension. RISC-V SBI 2.0, chapter 10.
import {
  failure,
  SBI_ERR_INVALID_PARAM,
  SBI_ERR_NOT_SUPPORTED,
  type SbiCall,
  type SbiReturn,
  success,
} from './sbi-types.ts';

export const SRST_EXTENSION = 0x53525354;
const SHUTDOWN = 0n;
const COLD_REBOOT = 1n;
const WARM_REBOOT = 2n;
const REASON_NONE = 0n;
const REASON_SYSTEM_FAILURE = 1n;

export function systemReset({ function: id, args, host }: SbiCall): SbiReturn {
  if (id !== 0) return failure(SBI_ERR_NOT_SUPPORTED);
  // Both are 32-bit values.
  const type = args[0]! & 0xffffffffn;
  const reason = args[1]! & 0xffffffffn;
  if (reason !== REASON_NONE && reason !== REASON_SYSTEM_FAILURE) return failure(SBI_ERR_INVALID_PARAM);
  if (type === SHUTDOWN) host.requestStop('poweroff');
  else if (type === COLD_REBOOT || type === WARM_REBOOT) host.requestStop('reboot');
  else return failure(SBI_ERR_INVALID_PARAM);
  return success();
}
