// Loads and stores that miss the TLB: translation, MMIO, misaligned accesses, pages that are watched.

import { count } from '../hart/state';
import { raise } from '../hart/trap';
import { mmioRead, mmioWrite } from '../host';
import { COUNT_MMIO, COUNT_TLB_MISS, HART_BASE, SCRATCH, TLB_WRITE } from '../layout';
import { markDirty } from './dirty';
import { hostAddress, isRam, noteStore, pageFlags, ramPage } from './physical';
import { ACCESS_READ, ACCESS_WRITE, pmpUniform } from './pmp';
import { dataPrivilege, dataTable, entryOf, fillTlb, PAGE_MASK } from './tlb';
import { accessFault, NO_TRANSLATION, translate, walkFault, walkGlobal, walkLevel } from './walk';

/** Where a slow load leaves its bytes (zero-extended to 64 bits). */
export const LOADED: usize = HART_BASE + SCRATCH;

function keep(table: usize, address: u64, physical: u64): void {
  if (pmpUniform(physical & PAGE_MASK)) {
    fillTlb(table, address, <u32>hostAddress(physical) - <u32>address, walkLevel, walkGlobal);
  }
}

/** Physical address for a data access within one page, or NO_TRANSLATION after taking the trap. */
export function translateData(address: u64, size: u64, access: u32, pc: u64): u64 {
  const physical = translate(address, size, access, dataPrivilege());
  if (physical == NO_TRANSLATION) raise(walkFault, address, pc);
  return physical;
}

/** Loads into LOADED; false when a trap was taken. */
export function slowLoad(address: u64, size: u32, pc: u64): bool {
  count(COUNT_TLB_MISS);
  const inPage: u32 = 4096 - (<u32>address & 0xfff);
  if (size > inPage) return loadAcross(address, size, inPage, pc);
  const physical = translateData(address, size, ACCESS_READ, pc);
  if (physical == NO_TRANSLATION) return false;
  if (isRam(physical, size)) {
    keep(dataTable(), address, physical);
    const host = hostAddress(physical);
    if (size == 8) store<u64>(LOADED, load<u64>(host));
    else if (size == 4) store<u64>(LOADED, load<u32>(host));
    else if (size == 2) store<u64>(LOADED, load<u16>(host));
    else store<u64>(LOADED, load<u8>(host));
    return true;
  }
  count(COUNT_MMIO);
  // Devices have no misaligned registers: such an access is an access fault.
  if ((physical & (size - 1)) != 0 || !mmioRead(<f64>physical, size)) {
    raise(accessFault(ACCESS_READ), address, pc);
    return false;
  }
  if (size < 8) store<u64>(LOADED, load<u64>(LOADED) & (((<u64>1) << ((<u64>size) << 3)) - 1));
  return true;
}

/** A load over two pages. Both are translated before anything is read. */
function loadAcross(address: u64, size: u32, inPage: u32, pc: u64): bool {
  const second = (address + inPage) & PAGE_MASK;
  const low = translateData(address, inPage, ACCESS_READ, pc);
  if (low == NO_TRANSLATION) return false;
  const high = translateData(second, size - inPage, ACCESS_READ, pc);
  if (high == NO_TRANSLATION) return false;
  if (!isRam(low, inPage) || !isRam(high, size - inPage)) {
    raise(accessFault(ACCESS_READ), isRam(low, inPage) ? second : address, pc);
    return false;
  }
  store<u64>(LOADED, 0);
  memory.copy(LOADED, hostAddress(low), inPage);
  memory.copy(LOADED + inPage, hostAddress(high), size - inPage);
  return true;
}

/** Stores the low `size` bytes of `value`; false when a trap was taken. */
export function slowStore(address: u64, size: u32, value: u64, pc: u64): bool {
  count(COUNT_TLB_MISS);
  const inPage: u32 = 4096 - (<u32>address & 0xfff);
  if (size > inPage) return storeAcross(address, size, inPage, value, pc);
  const physical = translateData(address, size, ACCESS_WRITE, pc);
  if (physical == NO_TRANSLATION) return false;
  if (isRam(physical, size)) {
    // A page with code or a watch on it never enters the write table.
    if (!pageFlags(ramPage(physical))) keep(dataTable() + TLB_WRITE, address, physical);
    const host = hostAddress(physical);
    if (size == 8) store<u64>(host, value);
    else if (size == 4) store<u32>(host, <u32>value);
    else if (size == 2) store<u16>(host, <u16>value);
    else store<u8>(host, <u8>value);
    noteStore(physical, size);
    return true;
  }
  count(COUNT_MMIO);
  if (size < 8) value &= ((<u64>1) << ((<u64>size) << 3)) - 1;
  const aligned = (physical & (size - 1)) == 0;
  if (!aligned || !mmioWrite(<f64>physical, size, <u32>value, <u32>(value >> 32))) {
    raise(accessFault(ACCESS_WRITE), address, pc);
    return false;
  }
  return true;
}

/** A store over two pages. Both are translated before anything is written. */
function storeAcross(address: u64, size: u32, inPage: u32, value: u64, pc: u64): bool {
  const second = (address + inPage) & PAGE_MASK;
  const low = translateData(address, inPage, ACCESS_WRITE, pc);
  if (low == NO_TRANSLATION) return false;
  const high = translateData(second, size - inPage, ACCESS_WRITE, pc);
  if (high == NO_TRANSLATION) return false;
  if (!isRam(low, inPage) || !isRam(high, size - inPage)) {
    raise(accessFault(ACCESS_WRITE), isRam(low, inPage) ? second : address, pc);
    return false;
  }
  store<u64>(LOADED, value);
  memory.copy(hostAddress(low), LOADED, inPage);
  memory.copy(hostAddress(high), LOADED + inPage, size - inPage);
  noteStore(low, inPage);
  noteStore(high, size - inPage);
  return true;
}

/**
 * Host address of an aligned operand in RAM, for instructions that read and write it in one go; 0 after a trap
 * (atomics on devices are access faults). After writing, call noteStore(physicalOf(host), size).
 */
export function ramOperand(address: u64, size: u32, access: u32, pc: u64): usize {
  const table = access == ACCESS_WRITE ? dataTable() + TLB_WRITE : dataTable();
  const entry = entryOf(table, address);
  if (load<u64>(entry) == (address & PAGE_MASK)) return <usize>(<u32>address + load<u32>(entry, 8));
  count(COUNT_TLB_MISS);
  const physical = translateData(address, size, access, pc);
  if (physical == NO_TRANSLATION) return 0;
  if (!isRam(physical, size)) {
    raise(accessFault(access), address, pc);
    return 0;
  }
  if (access == ACCESS_WRITE) markDirty(ramPage(physical));
  if (access == ACCESS_READ || !pageFlags(ramPage(physical))) keep(table, address, physical);
  return hostAddress(physical);
}
