// SBI IPI and RFENCE extensions, for a machine of one hart. RISC-V SBI 2.0, chapters 7 and 8.
import { raiseSupervisorSoftware } from './sbi-interrupts.ts';
import {
  failure,
  SBI_ERR_INVALID_PARAM,
  SBI_ERR_NOT_SUPPORTED,
  type SbiCall,
  type SbiReturn,
  selectsHart0,
  success,
} from './sbi-types.ts';

export const IPI_EXTENSION = 0x735049;
export const RFENCE_EXTENSION = 0x52464e43;
const REMOTE_FENCE_I = 0;
const REMOTE_SFENCE_VMA = 1;
const REMOTE_SFENCE_VMA_ASID = 2;

export function sendIpi({ function: id, args, hart }: SbiCall): SbiReturn {
  if (id !== 0) return failure(SBI_ERR_NOT_SUPPORTED);
  const selected = selectsHart0(args[0]!, args[1]!);
  if (selected === undefined) return failure(SBI_ERR_INVALID_PARAM);
  if (selected) raiseSupervisorSoftware(hart);
  return success();
}

/** Fences of the hypervisor extension (3 to 6) are not supported: the harts have none. */
export function remoteFence({ function: id, args, host }: SbiCall): SbiReturn {
  if (id !== REMOTE_FENCE_I && id !== REMOTE_SFENCE_VMA && id !== REMOTE_SFENCE_VMA_ASID) {
    return failure(SBI_ERR_NOT_SUPPORTED);
  }
  const selected = selectsHart0(args[0]!, args[1]!);
  if (selected === undefined) return failure(SBI_ERR_INVALID_PARAM);
  // Instruction fetch follows stores by itself in this machine: fence.i needs nothing. All translations go,
  // whatever the range: more than was asked for is allowed.
  if (selected && id !== REMOTE_FENCE_I) host.flushTranslations();
  return success();
}
