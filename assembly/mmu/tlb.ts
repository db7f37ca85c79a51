// Software TLBs: for each mode a read, a write and a fetch table (layout.ts). An entry's tag is the virtual page
// with zero low bits, so one compare answers for page, alignment and validity at once.

import { PRIVILEGE_M, PRIVILEGE_S } from '../hart/state';
import { MSTATUS_MPP, MSTATUS_MPP_SHIFT, MSTATUS_MPRV, MSTATUS_SUM } from '../hart/status';
import {
  HART_BASE,
  MSTATUS,
  PRIVILEGE,
  TLB_BASE,
  TLB_BYTES,
  TLB_ENTRIES,
  TLB_ENTRY_GLOBAL,
  TLB_ENTRY_PAYLOAD,
  TLB_FETCH,
  TLB_INDEX,
  TLB_LOG,
  TLB_LOG_BYTES,
  TLB_LOG_ENTRIES,
  TLB_MODE_M,
  TLB_MODE_S,
  TLB_MODE_S_SUM,
  TLB_MODE_STRIDE,
  TLB_WRITE,
} from '../layout';

export const PAGE_MASK: u64 = ~(<u64>0xfff);
const INVALID: u64 = -1;

// Which regions hold entries cut from a larger page: sfence.vma for one address must end them all.
// The halves of an address space have bits of their own: a kernel's large pages make no program's small ones dear.
const superRegions = memory.data(512); // a bit for each 2 MiB region, hashed
let hugeRegions: u64 = 0; // a bit for each 1 GiB region, hashed

// @ts-ignore: decorator
@inline
function superBit(address: u64): u32 {
  return ((<u32>(address >> 21)) & 2047) | (<u32>(address >> 63) << 11);
}
// @ts-ignore: decorator
@inline
function hugeBit(address: u64): u64 {
  return ((address >> 30) & 31) | ((address >> 63) << 5);
}

// @ts-ignore: decorator
@inline
function modeOf(privilege: u32, status: u64): usize {
  if (privilege == PRIVILEGE_M) return TLB_MODE_M;
  if (privilege == PRIVILEGE_S) return status & MSTATUS_SUM ? TLB_MODE_S_SUM : TLB_MODE_S;
  return 0;
}

/** Privilege that loads and stores have now: MPRV lends M-mode that of MPP. */
export function dataPrivilege(): u32 {
  const status = load<u64>(HART_BASE + MSTATUS);
  if ((status & MSTATUS_MPRV) != 0) return <u32>((status & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT);
  return load<u32>(HART_BASE + PRIVILEGE);
}

/** The read table that loads use now; the write table lies TLB_WRITE behind it. */
export function dataTable(): usize {
  const status = load<u64>(HART_BASE + MSTATUS);
  return TLB_BASE + modeOf(dataPrivilege(), status) * TLB_MODE_STRIDE;
}

/** The fetch table in use now. SUM does not concern fetches: S-mode has one table. */
export function fetchTable(): usize {
  const privilege = load<u32>(HART_BASE + PRIVILEGE);
  return TLB_BASE + modeOf(privilege, 0) * TLB_MODE_STRIDE + TLB_FETCH;
}

// @ts-ignore: decorator
@inline
export function entryOf(table: usize, address: u64): usize {
  return table + (<usize>(address >> 8) & TLB_INDEX);
}

/** Notes that an entry of a mode is in use, for the next flush. */
function log(entry: usize): void {
  const mode = (entry - TLB_BASE) / TLB_MODE_STRIDE;
  const list = TLB_BASE + TLB_LOG + mode * TLB_LOG_BYTES;
  const length = load<u32>(list);
  if (length < <u32>TLB_LOG_ENTRIES) store<u32>(list + 4 + (<usize>length << 2), <u32>entry);
  store<u32>(list, length + 1);
}

/**
 * Enters a page. `level` is that of the leaf PTE (0: 4 KiB; also for bare addresses), for sfence.vma by address.
 * `payload` is the addend of a data entry or the slot of a fetch entry; `global` is not zero where the mapping is one of
 * every address space.
 */
export function fillTlb(table: usize, address: u64, payload: u32, level: i32, global: u32): void {
  const entry = entryOf(table, address);
  if (load<u64>(entry) == INVALID) log(entry);
  store<u64>(entry, address & PAGE_MASK);
  store<u32>(entry, payload, TLB_ENTRY_PAYLOAD);
  store<u32>(entry, global, TLB_ENTRY_GLOBAL);
  if (level == 1) {
    const bit = superBit(address);
    const at = superRegions + (bit >> 3);
    store<u8>(at, <u8>(<u32>load<u8>(at) | (<u32>1 << (bit & 7))));
  } else if (level > 1) {
    hugeRegions |= <u64>1 << hugeBit(address);
  }
}

function flushMode(mode: usize): void {
  const list = TLB_BASE + TLB_LOG + mode * TLB_LOG_BYTES;
  const length = load<u32>(list);
  if (length > <u32>TLB_LOG_ENTRIES) {
    memory.fill(TLB_BASE + mode * TLB_MODE_STRIDE, 0xff, TLB_MODE_STRIDE);
  } else {
    for (let i: u32 = 0; i < length; i++) {
      store<u64>(<usize>load<u32>(list + 4 + (<usize>i << 2)), INVALID);
    }
  }
  store<u32>(list, 0);
}

/** Ends a mode's translations that are not of every address space. */
function flushModeOfSpace(mode: usize): void {
  const list = TLB_BASE + TLB_LOG + mode * TLB_LOG_BYTES;
  const length = load<u32>(list);
  if (length > <u32>TLB_LOG_ENTRIES) {
    flushMode(mode);
    return;
  }
  let kept: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const entry = <usize>load<u32>(list + 4 + (<usize>i << 2));
    if (load<u64>(entry) == INVALID) continue;
    if (load<u32>(entry, TLB_ENTRY_GLOBAL)) {
      kept++;
      store<u32>(list + (<usize>kept << 2), <u32>entry);
    } else store<u64>(entry, INVALID);
  }
  store<u32>(list, kept);
}

/** Ends every translation, of M-mode's too (PMP has changed, or the machine is reset). */
export function flushAll(): void {
  for (let mode: usize = 0; mode <= <usize>TLB_MODE_M; mode++) flushMode(mode);
  memory.fill(superRegions, 0, 512);
  hugeRegions = 0;
}

/** Ends what was made from page tables; M-mode's own entries are bare addresses and stay. */
export function flushTranslations(): void {
  for (let mode: usize = 0; mode < <usize>TLB_MODE_M; mode++) flushMode(mode);
  memory.fill(superRegions, 0, 512);
  hugeRegions = 0;
}

/** Ends the translations of one address space; those of all of them stay (section 4.2.1). */
export function flushSpace(): void {
  for (let mode: usize = 0; mode < <usize>TLB_MODE_M; mode++) flushModeOfSpace(mode);
}

/** Ends the translations of one address: of its page, or of all pages cut from the larger page it may lie in. */
export function flushAddress(address: u64): void {
  if ((hugeRegions >> hugeBit(address)) & 1) {
    flushTranslations();
    return;
  }
  const bit = superBit(address);
  const cut = (<u32>load<u8>(superRegions + (bit >> 3)) >> (bit & 7)) & 1;
  for (let mode: usize = 0; mode < <usize>TLB_MODE_M; mode++) {
    for (let table: usize = 0; table <= <usize>TLB_FETCH; table += TLB_WRITE) {
      const base = TLB_BASE + mode * TLB_MODE_STRIDE + table;
      if (cut) {
        // A 2 MiB region is 512 neighbouring entries.
        memory.fill(base + (<usize>((address >> 21) & (TLB_ENTRIES / 512 - 1)) << 13), 0xff, 512 * 16);
      } else {
        const entry = entryOf(base, address);
        if (load<u64>(entry) == (address & PAGE_MASK)) store<u64>(entry, INVALID);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function endWrite(entry: usize, hostPage: u32): void {
  const tag = load<u64>(entry);
  if (tag != INVALID && <u32>tag + load<u32>(entry, TLB_ENTRY_PAYLOAD) == hostPage) store<u64>(entry, INVALID);
}

/** Ends write entries whose page lies at this host address: its stores must be seen from now on. */
export function flushWritesTo(hostPage: u32): void {
  for (let mode: usize = 0; mode <= <usize>TLB_MODE_M; mode++) {
    const base: usize = TLB_BASE + mode * TLB_MODE_STRIDE + TLB_WRITE;
    const list = TLB_BASE + TLB_LOG + mode * TLB_LOG_BYTES;
    const length = load<u32>(list);
    if (length > <u32>TLB_LOG_ENTRIES) {
      for (let entry = base; entry < base + TLB_BYTES; entry += 16) endWrite(entry, hostPage);
      continue;
    }
    for (let i: u32 = 0; i < length; i++) {
      const entry = <usize>load<u32>(list + 4 + (<usize>i << 2));
      if (entry - base < <usize>TLB_BYTES) endWrite(entry, hostPage);
    }
  }
}

/** Ends all write entries: the next store to each page goes the slow way, where it is seen. */
export function flushWrites(): void {
  for (let mode: usize = 0; mode <= <usize>TLB_MODE_M; mode++) {
    const base: usize = TLB_BASE + mode * TLB_MODE_STRIDE + TLB_WRITE;
    const list = TLB_BASE + TLB_LOG + mode * TLB_LOG_BYTES;
    const length = load<u32>(list);
    if (length > <u32>TLB_LOG_ENTRIES) {
      memory.fill(base, 0xff, TLB_BYTES);
      continue;
    }
    for (let i: u32 = 0; i < length; i++) {
      const entry = <usize>load<u32>(list + 4 + (<usize>i << 2));
      if (entry - base < <usize>TLB_BYTES) store<u64>(entry, INVALID);
    }
  }
}

/** Ends fetch entries that lead to a decoded page. */
export function flushFetchesOf(slot: u32): void {
  for (let mode: usize = 0; mode <= <usize>TLB_MODE_M; mode++) {
    const base = TLB_BASE + mode * TLB_MODE_STRIDE + TLB_FETCH;
    for (let entry = base; entry < base + TLB_BYTES; entry += 16) {
      if (load<u64>(entry) != INVALID && load<u32>(entry, TLB_ENTRY_PAYLOAD) == slot) store<u64>(entry, INVALID);
    }
  }
}

/** The state after power-on, whatever was there before. */
export function resetTlb(): void {
  for (let mode: usize = 0; mode <= <usize>TLB_MODE_M; mode++) {
    memory.fill(TLB_BASE + mode * TLB_MODE_STRIDE, 0xff, TLB_MODE_STRIDE);
    store<u32>(TLB_BASE + TLB_LOG + mode * TLB_LOG_BYTES, 0);
  }
  memory.fill(superRegions, 0, 512);
  hugeRegions = 0;
}
