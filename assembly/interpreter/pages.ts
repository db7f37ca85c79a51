// Decoded pages: a slot of 16-byte entries, one for each halfword, for a physical page of code. A page with a slot
// carries PAGE_CODE, so its stores take the slow path and drop the entries they touch: fence.i has nothing to do.
//
// Entry: u16 operation, u16 rd, u16 rs1, u16 rs2 (byte offsets into the hart's state), i32 immediate,
//        u8 advance (bytes to the next entry), u8 jumps to it (translator/regions.ts), u16 rs3 | rounding mode << 12.

import { attend, count } from '../hart/state';
import {
  COUNT_CODE_WRITE,
  COUNT_DECODE,
  COUNT_SLOT_EVICT,
  PAGE_CODE,
  RAM_BASE,
  SINGLE_SLOT,
  SLOT_BASE,
  SLOT_BYTES,
  SLOT_COUNT,
  SLOT_PAGE,
  SLOT_WRITES,
} from '../layout';
import { clearPageFlag, pageSlot, setPageFlag, setPageSlot } from '../mmu/physical';
import { flushFetchesOf, flushWritesTo } from '../mmu/tlb';
import { dropRegions, resetRegions } from '../translator/regions';
import { I_PAGE_END } from './operations';

const NO_PAGE: u32 = 0xffffffff;
/** Bytes of a slot that are zeroed together: a page of the host's memory. */
const CLEARED_BYTES: u32 = 4096;
/** A page written this often since it was decoded is data as much as code: its slot is given up. */
const WRITES_TO_GIVE_UP: u32 = 64;

let used: u32 = 0; // slots handed out since reset, up to SLOT_COUNT
let hand: u32 = 0; // next slot to take away once all are in use
let freeHead: u32 = 0; // slots given up since, linked through their first word; slot + 1

// @ts-ignore: decorator
@inline
export function slotAddress(slot: u32): u32 {
  return SLOT_BASE + slot * SLOT_BYTES;
}
// @ts-ignore: decorator
@inline
export function slotIndex(address: u32): u32 {
  return (address - SLOT_BASE) / SLOT_BYTES;
}
/** Host address of the page of RAM that a slot holds. */
// @ts-ignore: decorator
@inline
export function slotPageHost(slot: u32): usize {
  return RAM_BASE + (<usize>load<u32>(SLOT_PAGE + (slot << 2)) << 12);
}

function endEntries(at: usize): void {
  store<u16>(at, <u16>I_PAGE_END);
  store<u16>(at + 16, <u16>I_PAGE_END);
}

/** After a reset, or for a new machine: no page is decoded. PAGE_CODE flags are cleared by the caller. */
export function resetPages(): void {
  used = 0;
  hand = 0;
  freeHead = 0;
  resetRegions();
  memory.fill(SLOT_PAGE, 0xff, SLOT_COUNT * 4);
  endEntries(SINGLE_SLOT + 16);
}

/** True when the slot holds the code of a page now. */
export function slotHoldsPage(slot: u32): bool {
  return load<u32>(SLOT_PAGE + (slot << 2)) != NO_PAGE;
}

function release(slot: u32): void {
  dropRegions(slot, 0, 4096);
  const page = load<u32>(SLOT_PAGE + (slot << 2));
  setPageSlot(page, 0);
  clearPageFlag(page, PAGE_CODE);
  store<u32>(SLOT_PAGE + (slot << 2), NO_PAGE);
  flushFetchesOf(slotAddress(slot));
}

function takeSlot(): u32 {
  if (freeHead) {
    const slot = freeHead - 1;
    freeHead = load<u32>(slotAddress(slot));
    return slot;
  }
  if (used < <u32>SLOT_COUNT) return used++;
  const slot = hand;
  hand = hand + 1 == SLOT_COUNT ? 0 : hand + 1;
  count(COUNT_SLOT_EVICT);
  release(slot);
  return slot;
}

/**
 * Zeroes a slot's entries, but writes only where something is. Most pages of code are never executed whole: what was
 * never written costs the host no memory (25 MB instead of 39 at the prompt of a Debian kernel).
 */
function clearEntries(address: u32): void {
  for (let block = address; block < address + 2048 * 16; block += CLEARED_BYTES) {
    for (let at = block; at < block + CLEARED_BYTES; at += 16) {
      if (load<u64>(at) | load<u64>(at, 8)) {
        memory.fill(block, 0, CLEARED_BYTES);
        break;
      }
    }
  }
}

/** Address of the decoded slot for a page of RAM, made empty if there is none yet. */
export function slotOf(page: u32): u32 {
  const known = pageSlot(page);
  if (known) return slotAddress(known - 1);
  const slot = takeSlot();
  const address = slotAddress(slot);
  clearEntries(address);
  endEntries(address + 2048 * 16);
  store<u32>(SLOT_PAGE + (slot << 2), page);
  store<u32>(SLOT_WRITES + (slot << 2), 0);
  setPageSlot(page, slot + 1);
  setPageFlag(page, PAGE_CODE);
  flushWritesTo(RAM_BASE + (page << 12));
  count(COUNT_DECODE);
  return address;
}

/** Bytes [offset, offset + size) of a page that holds code were written. */
export function codeWritten(page: u32, offset: u32, size: u32): void {
  const known = pageSlot(page);
  if (!known) return;
  const slot = known - 1;
  // A 4-byte instruction that begins one halfword earlier is touched too.
  const first = offset >= 2 ? (offset - 2) >> 1 : 0;
  const last = (offset + size - 1) >> 1;
  const begin = slotAddress(slot) + (first << 4);
  const end = slotAddress(slot) + ((last + 1) << 4);
  // Data beside code, as small programs have it, is no change of code.
  let hit = false;
  for (let entry = begin; entry < end; entry += 16) {
    if (load<u16>(entry)) {
      hit = true;
      break;
    }
  }
  if (!hit) return;
  count(COUNT_CODE_WRITE);
  dropRegions(slot, offset, offset + size);
  memory.fill(begin, 0, end - begin);
  const writes = load<u32>(SLOT_WRITES + (slot << 2)) + 1;
  store<u32>(SLOT_WRITES + (slot << 2), writes);
  if (writes > WRITES_TO_GIVE_UP) {
    release(slot);
    store<u32>(slotAddress(slot), freeHead);
    freeHead = slot + 1;
    // The running code may be in this very slot.
    attend();
  }
}
