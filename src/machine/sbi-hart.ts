// SBI hart state management extension, for a machine of one hart. RISC-V SBI 2.0, chapter 9.
import {
  failure,
  SBI_ERR_ALREADY_AVAILABLE,
  SBI_ERR_FAILED,
  SBI_ERR_INVALID_PARAM,
  SBI_ERR_NOT_SUPPORTED,
  type SbiCall,
  type SbiReturn,
  success,
} from './sbi-types.ts';

export const HSM_EXTENSION = 0x48534d;
const START = 0;
const STOP = 1;
const STATUS = 2;
const SUSPEND = 3;
const STATUS_STARTED = 0n;
const SUSPEND_RETENTIVE_DEFAULT = 0n;

export function hartState({ function: id, args }: SbiCall): SbiReturn {
  const target = args[0]!;
  switch (id) {
    case START:
      return failure(target === 0n ? SBI_ERR_ALREADY_AVAILABLE : SBI_ERR_INVALID_PARAM);
    case STOP:
      // Nobody could start the only hart again.
      return failure(SBI_ERR_FAILED);
    case STATUS:
      return target === 0n ? success(STATUS_STARTED) : failure(SBI_ERR_INVALID_PARAM);
    case SUSPEND:
      // A retentive suspend may end at any time, so at once; the caller's own WFI does the waiting.
      if ((target & 0xffffffffn) === SUSPEND_RETENTIVE_DEFAULT) return success();
      return failure(SBI_ERR_NOT_SUPPORTED);
    default:
      return failure(SBI_ERR_NOT_SUPPORTED);
  }
}
