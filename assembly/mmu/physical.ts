// Guest physical memory: RAM, and the pages of it that hold decoded code.

import { get64, RAM_START, ramBytes, set64, setExit } from '../hart/state';
import { codeWritten } from '../interpreter/pages';
import {
  EXIT_WATCH,
  HART_BASE,
  PAGE_CODE,
  PAGE_FLAGS,
  PAGE_SLOT,
  PAGE_WATCHED,
  RAM_BASE,
  RESERVATION,
  WATCH_ADDRESS,
} from '../layout';
import { markDirty } from './dirty';

/** True when [physical, physical + size) lies in RAM. */
// @ts-ignore: decorator
@inline
export function isRam(physical: u64, size: u64): bool {
  const offset = physical - RAM_START;
  return offset < ramBytes() && offset + size <= ramBytes();
}

/** Where a RAM address lies in linear memory. */
// @ts-ignore: decorator
@inline
export function hostAddress(physical: u64): usize {
  return <usize>(physical - RAM_START) + RAM_BASE;
}

/** The guest physical address of a RAM byte in linear memory. */
// @ts-ignore: decorator
@inline
export function physicalOf(host: usize): u64 {
  return <u64>(host - RAM_BASE) + RAM_START;
}

/** Index of the 4 KiB page of RAM. */
// @ts-ignore: decorator
@inline
export function ramPage(physical: u64): u32 {
  return <u32>((physical - RAM_START) >> 12);
}

// @ts-ignore: decorator
@inline
export function pageFlags(page: u32): u32 {
  return load<u8>(PAGE_FLAGS + page);
}
export function setPageFlag(page: u32, flag: u32): void {
  store<u8>(PAGE_FLAGS + page, <u8>(pageFlags(page) | flag));
}
export function clearPageFlag(page: u32, flag: u32): void {
  store<u8>(PAGE_FLAGS + page, <u8>(pageFlags(page) & ~flag));
}
/** The decoded slot of a page, plus one; 0 for none. */
// @ts-ignore: decorator
@inline
export function pageSlot(page: u32): u32 {
  return load<u16>(PAGE_SLOT + (page << 1));
}
export function setPageSlot(page: u32, slot: u32): void {
  store<u16>(PAGE_SLOT + (page << 1), <u16>slot);
}

/** To be called after every store that did not go through a write TLB entry. Within one page. */
export function noteStore(physical: u64, size: u32): void {
  const page = ramPage(physical);
  markDirty(page);
  const flags = pageFlags(page);
  if (!flags) return;
  if (flags & PAGE_CODE) codeWritten(page, <u32>physical & 0xfff, size);
  if (flags & PAGE_WATCHED) {
    const watched = load<u64>(HART_BASE + WATCH_ADDRESS);
    if (physical <= watched && watched < physical + size) setExit(EXIT_WATCH);
  }
}

/** The host wrote RAM: what was decoded there is dropped, and a reservation there ends. */
export function noteHostWrite(physical: u64, length: u64): void {
  if (!length || !isRam(physical, length)) return;
  const end = physical + length;
  const reserved = get64(RESERVATION);
  if (reserved + 8 > physical && reserved < end) set64(RESERVATION, -1);
  let at = physical;
  while (at < end) {
    const stop = min((at & ~(<u64>0xfff)) + 4096, end);
    const page = ramPage(at);
    markDirty(page);
    if (pageFlags(page) & PAGE_CODE) codeWritten(page, <u32>at & 0xfff, <u32>(stop - at));
    at = stop;
  }
}
