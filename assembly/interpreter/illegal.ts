// The illegal-instruction exception: xtval holds the instruction as it stands in memory.
import { privilege } from '../hart/state';
import { CAUSE_ILLEGAL } from '../hart/status';
import { raise } from '../hart/trap';
import { hostAddress, isRam } from '../mmu/physical';
import { ACCESS_FETCH } from '../mmu/pmp';
import { NO_TRANSLATION, translate } from '../mmu/walk';

/** A halfword of code, or 0 when it cannot be fetched (it was a moment ago, when the instruction was decoded). */
function halfword(address: u64): u32 {
  const physical = translate(address, 2, ACCESS_FETCH, privilege());
  if (physical == NO_TRANSLATION || !isRam(physical, 2)) return 0;
  return load<u16>(hostAddress(physical));
}

export function illegal(pc: u64): i32 {
  let raw = halfword(pc);
  if ((raw & 3) == 3) raw |= halfword(pc + 2) << 16;
  return raise(CAUSE_ILLEGAL, raw, pc);
}
