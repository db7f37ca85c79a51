// Instruction fetch: from PC to a decoded page, or to the one instruction that no page can hold.

import { privilege } from '../hart/state';
import { CAUSE_FETCH_ACCESS } from '../hart/status';
import { raise } from '../hart/trap';
import { SINGLE_SLOT, TLB_ENTRY_PAYLOAD } from '../layout';
import { hostAddress, isRam, ramPage } from '../mmu/physical';
import { ACCESS_FETCH, pmpUniform } from '../mmu/pmp';
import { entryOf, fetchTable, fillTlb, PAGE_MASK } from '../mmu/tlb';
import { NO_TRANSLATION, translate, walkFault, walkGlobal, walkLevel } from '../mmu/walk';
import { decodeSingle } from './decode';
import { slotIndex, slotOf, slotPageHost } from './pages';

/** No code at PC: the trap has been taken. */
export const NO_CODE: usize = 0;

/** The slot of PC's page, entered in the fetch table; SINGLE_SLOT when the page must be taken instruction by instruction. */
export function fetchPage(pc: u64, table: usize): usize {
  const physical = translate(pc, 2, ACCESS_FETCH, privilege());
  if (physical == NO_TRANSLATION) {
    raise(walkFault, pc, pc);
    return NO_CODE;
  }
  if (!isRam(physical, 2)) {
    raise(CAUSE_FETCH_ACCESS, pc, pc);
    return NO_CODE;
  }
  // PMP may cut the page: then each instruction is checked by itself.
  if (!pmpUniform(physical & PAGE_MASK)) return fetchSingle(pc) ? SINGLE_SLOT : NO_CODE;
  const slot = slotOf(ramPage(physical));
  fillTlb(table, pc, slot, walkLevel, walkGlobal);
  return slot;
}

/** A halfword of code through a translation of its own, or -1 after the trap: xtval is the halfword's address. */
function fetchHalf(address: u64, pc: u64): i32 {
  // What is in the fetch table has passed PMP as a whole page.
  const entry = entryOf(fetchTable(), address);
  if (load<u64>(entry) == (address & PAGE_MASK)) {
    const slot = slotIndex(load<u32>(entry, TLB_ENTRY_PAYLOAD));
    return load<u16>(slotPageHost(slot) + <usize>(address & 0xfff));
  }
  const physical = translate(address, 2, ACCESS_FETCH, privilege());
  if (physical == NO_TRANSLATION) {
    raise(walkFault, address, pc);
    return -1;
  }
  if (!isRam(physical, 2)) {
    raise(CAUSE_FETCH_ACCESS, address, pc);
    return -1;
  }
  return load<u16>(hostAddress(physical));
}

/** Decodes the instruction at `pc` into the single slot, halfword by halfword; false after a trap. */
export function fetchSingle(pc: u64): bool {
  const low = fetchHalf(pc, pc);
  if (low < 0) return false;
  let raw = <u32>low;
  if ((raw & 3) == 3) {
    const high = fetchHalf(pc + 2, pc);
    if (high < 0) return false;
    raw |= (<u32>high) << 16;
  }
  decodeSingle(SINGLE_SLOT, raw);
  return true;
}
