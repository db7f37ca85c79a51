// SBI timer extension. RISC-V SBI 2.0, chapter 6.
import { failure, SBI_ERR_NOT_SUPPORTED, type SbiCall, type SbiReturn, success } from './sbi-types.ts';

export const TIME_EXTENSION = 0x54494d45;

/** Sstc's compare register does what the call asks for: a time in the future also clears the pending bit. */
export function setTimer({ function: id, args, hart }: SbiCall): SbiReturn {
  if (id !== 0) return failure(SBI_ERR_NOT_SUPPORTED);
  hart.stimecmp = args[0]!;
  return success();
}
