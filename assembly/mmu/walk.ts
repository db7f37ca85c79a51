// Address translation: Bare, Sv39, Sv48, Sv57 with Svadu, Svpbmt and Svnapot. Privileged architecture 1.12,
// sections 4.3 to 4.6 and 5 to 7.

import { count, get64, PRIVILEGE_M, PRIVILEGE_S, PRIVILEGE_U } from '../hart/state';
import {
  CAUSE_FETCH_ACCESS,
  CAUSE_FETCH_PAGE,
  CAUSE_LOAD_ACCESS,
  CAUSE_LOAD_PAGE,
  CAUSE_STORE_ACCESS,
  CAUSE_STORE_PAGE,
  MENVCFG_ADUE,
  MENVCFG_PBMTE,
  MSTATUS_MXR,
  MSTATUS_SUM,
} from '../hart/status';
import { COUNT_PAGE_WALK, MENVCFG, MSTATUS, SATP } from '../layout';
import { hostAddress, isRam, noteStore } from './physical';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE, pmpAllows } from './pmp';

const PTE_V: u64 = 1;
const PTE_R: u64 = 2;
const PTE_W: u64 = 4;
const PTE_X: u64 = 8;
const PTE_U: u64 = 16;
const PTE_G: u64 = 32;
const PTE_A: u64 = 64;
const PTE_D: u64 = 128;
const PTE_PPN_MASK: u64 = ((<u64>1) << 44) - 1;
const PTE_PBMT: u64 = (<u64>3) << 61;
const PTE_N: u64 = (<u64>1) << 63;
const PTE_RESERVED: u64 = (<u64>0x7f) << 54;

export const NO_TRANSLATION: u64 = -1;
/** Cause of the exception, after NO_TRANSLATION. */
export let walkFault: u64 = 0;
/** Level of the leaf, after a success (0 for bare addresses too). */
export let walkLevel: i32 = 0;
/** Whether the mapping is of every address space, after a success: PTE_G, where any PTE on the way has it; else 0. */
export let walkGlobal: u32 = 0;

export function accessFault(access: u32): u64 {
  if (access == ACCESS_READ) return CAUSE_LOAD_ACCESS;
  return access == ACCESS_WRITE ? CAUSE_STORE_ACCESS : CAUSE_FETCH_ACCESS;
}

function pageFault(access: u32): u64 {
  if (access == ACCESS_READ) walkFault = CAUSE_LOAD_PAGE;
  else walkFault = access == ACCESS_WRITE ? CAUSE_STORE_PAGE : CAUSE_FETCH_PAGE;
  return NO_TRANSLATION;
}

/**
 * Physical address of `address` for an access of `size` bytes that does not cross a page, or NO_TRANSLATION with
 * walkFault set. PMP has been checked for the walk and for the access itself.
 */
export function translate(address: u64, size: u64, access: u32, mode: u32): u64 {
  const satp = get64(SATP);
  const scheme = <u32>(satp >> 60);
  walkLevel = 0;
  walkGlobal = 0;
  let physical = address;
  if (mode != PRIVILEGE_M && scheme != 0) {
    physical = walk(address, access, mode, satp, <i32>scheme - 5);
    if (physical == NO_TRANSLATION) return NO_TRANSLATION;
  }
  if (!pmpAllows(physical, size, access, mode)) {
    walkFault = accessFault(access);
    return NO_TRANSLATION;
  }
  return physical;
}

/** `levels`: 3, 4 or 5. */
function walk(address: u64, access: u32, mode: u32, satp: u64, levels: i32): u64 {
  count(COUNT_PAGE_WALK);
  // Bits above the top one of the address must equal it.
  const bits = 12 + 9 * levels;
  const spare = <u64>(64 - bits);
  if (<u64>(<i64>(address << spare) >> spare) != address) return pageFault(access);

  const environment = get64(MENVCFG);
  const status = get64(MSTATUS);
  let table = (satp & PTE_PPN_MASK) << 12;
  let global: u64 = 0;
  for (let level = levels - 1; level >= 0; level--) {
    const shift = <u64>(12 + 9 * level);
    const slot = table + (((address >> shift) & 0x1ff) << 3);
    if (!isRam(slot, 8) || !pmpAllows(slot, 8, ACCESS_READ, PRIVILEGE_S)) {
      walkFault = accessFault(access);
      return NO_TRANSLATION;
    }
    const pte = load<u64>(hostAddress(slot));
    if (!(pte & PTE_V) || (pte & (PTE_R | PTE_W)) == PTE_W) return pageFault(access);
    if (pte & PTE_RESERVED) return pageFault(access);
    global |= pte & PTE_G;
    const ppn = (pte >> 10) & PTE_PPN_MASK;
    if (!(pte & (PTE_R | PTE_X))) {
      if (pte & (PTE_D | PTE_A | PTE_U | PTE_N | PTE_PBMT)) return pageFault(access);
      table = ppn << 12;
      continue;
    }
    // A leaf.
    if (pte & PTE_PBMT) {
      if (!(environment & MENVCFG_PBMTE) || (pte & PTE_PBMT) == PTE_PBMT) return pageFault(access);
    }
    if (mode == PRIVILEGE_U) {
      if (!(pte & PTE_U)) return pageFault(access);
    } else if (pte & PTE_U) {
      if (access == ACCESS_FETCH || !(status & MSTATUS_SUM)) return pageFault(access);
    }
    let granted = false;
    if (access == ACCESS_READ) {
      granted = (pte & PTE_R) != 0 || ((pte & PTE_X) != 0 && (status & MSTATUS_MXR) != 0);
    } else if (access == ACCESS_WRITE) granted = (pte & PTE_W) != 0;
    else granted = (pte & PTE_X) != 0;
    if (!granted) return pageFault(access);
    const below = ((<u64>1) << (<u64>(9 * level))) - 1;
    if (ppn & below) return pageFault(access);
    let frame = ppn;
    let leafLevel = level;
    if (pte & PTE_N) {
      // Svnapot: 64 KiB is the one size that is defined.
      if (level != 0 || (ppn & 0xf) != 8) return pageFault(access);
      frame = (ppn & ~(<u64>0xf)) | ((address >> 12) & 0xf);
      leafLevel = 1;
    }
    const marks = access == ACCESS_WRITE ? PTE_A | PTE_D : PTE_A;
    if ((pte & marks) != marks) {
      if (!(environment & MENVCFG_ADUE)) return pageFault(access);
      if (!pmpAllows(slot, 8, ACCESS_WRITE, PRIVILEGE_S)) {
        walkFault = accessFault(access);
        return NO_TRANSLATION;
      }
      store<u64>(hostAddress(slot), pte | marks);
      noteStore(slot, 8);
    }
    walkLevel = leafLevel;
    walkGlobal = <u32>global;
    return ((frame | ((address >> 12) & below)) << 12) | (address & 0xfff);
  }
  return pageFault(access);
}
