// The core's only exports. src/core/core.ts is their one caller.

import { csrExists, readCsr, writeCsr } from './hart/csr';
import { attend, exitReason, get32, get64, PRIVILEGE_M, ramBytes, set32, set64, setExit } from './hart/state';
import { MENVCFG_ADUE, MSTATUS_XL } from './hart/status';
import { instructionsToTimer, timerSet, updateTimers } from './hart/time';
import { pendingInterrupts } from './hart/trap';
import { interpret } from './interpreter/interpreter';
import { resetPages } from './interpreter/pages';
import {
  ATTENTION,
  EXIT_BUDGET,
  EXIT_REQUESTED,
  EXIT_TIMER,
  EXIT_WFI,
  HART_BASE,
  HART_ID,
  HART_STRIDE,
  HOT_THRESHOLD,
  MENVCFG,
  MIE,
  MSTATUS,
  MTIMECMP,
  PAGE_CODE,
  PAGE_FLAGS,
  PAGE_SLOT,
  PAGE_WATCHED,
  PC,
  PRIVILEGE,
  RAM_BASE,
  RAM_BYTES,
  RESERVATION,
  SBI_MODE,
  STIMECMP,
  FEATURES,
  TIME_DIVISOR,
  WAITING,
  WATCH_ADDRESS,
} from './layout';
import { translatePending } from './translator/regions';
import { clearPageFlag, isRam, noteHostWrite, ramPage, setPageFlag } from './mmu/physical';
import { updatePmp } from './mmu/pmp';
import { flushAll, flushWrites, flushWritesTo, resetTlb } from './mmu/tlb';

// What translated modules import (translator/imports.ts).
export { div, divu, divuw, divw, mulh, mulhsu, mulhu, rem, remu, remuw, remw } from './interpreter/arithmetic';
export {
  f64AddSlow as f64Add,
  f64SubSlow as f64Sub,
  f64MulSlow as f64Mul,
  f64DivSlow as f64Div,
} from './float/f64';
export { f64Fma } from './float/fma';
export { f64Eq, f64Lt, f64Le } from './float/compare';
export { readTime } from './hart/time';
export { executeFloat } from './interpreter/float-instructions';

/**
 * Longest run between two looks at the clock, in instructions: at most about half a millisecond. The end of a run is
 * interpreted (REGION_SLACK), so shorter ones cost translated code dearly.
 */
const CHUNK: i32 = 100000;
/** The same where everything is to be translated at once (threshold 1, for tests): modules are made between runs. */
const EAGER_CHUNK: i32 = 20000;

/** Power-on state of hart 0 with `bytes` of RAM; RAM itself is the host's to clear. */
export function reset(bytes: u32, sbi: i32, divisor: u32, threshold: u32, features: i32): void {
  memory.fill(HART_BASE, 0, HART_STRIDE);
  set32(RAM_BYTES, bytes);
  set32(SBI_MODE, sbi);
  set32(TIME_DIVISOR, divisor);
  set32(HOT_THRESHOLD, threshold);
  set32(FEATURES, features);
  set64(HART_ID, 0);
  set32(PRIVILEGE, PRIVILEGE_M);
  set64(PC, 0x1000);
  set64(MSTATUS, MSTATUS_XL);
  set64(MENVCFG, MENVCFG_ADUE);
  set64(MTIMECMP, -1);
  set64(STIMECMP, -1);
  set64(RESERVATION, -1);
  memory.fill(PAGE_FLAGS, 0, bytes >> 12);
  memory.fill(PAGE_SLOT, 0, bytes >> 11);
  setExit(0);
  updatePmp();
  resetTlb();
  resetPages();
}

/** Zeroes RAM, but writes only pages where something is: memory that the guest never used costs the host none. */
export function clearRam(): void {
  const end: usize = <usize>RAM_BASE + <usize>ramBytes();
  for (let page: usize = <usize>RAM_BASE; page < end; page += 4096) {
    let bits: u64 = 0;
    // Eight words a turn: twice as fast as one (4 GB/s before the host's optimising compiler has seen it).
    for (let at: usize = page; at < page + 4096; at += 64) {
      bits |= load<u64>(at) | load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24);
      bits |= load<u64>(at, 32) | load<u64>(at, 40) | load<u64>(at, 48) | load<u64>(at, 56);
    }
    if (bits) memory.fill(page, 0, 4096);
  }
}

/** Executes at most `budget` instructions; returns why it came back (layout.ts, EXIT_*). */
export function run(budget: i32): i32 {
  setExit(EXIT_BUDGET);
  let rest = budget;
  while (rest > 0) {
    updateTimers();
    if (get32(WAITING)) {
      if (!(pendingInterrupts() & get64(MIE))) return EXIT_WFI;
      set32(WAITING, 0);
    }
    set32(ATTENTION, 1);
    let chunk = min(rest, get32(HOT_THRESHOLD) == 1 ? EAGER_CHUNK : CHUNK);
    const toTimer = instructionsToTimer();
    if (toTimer > 0 && toTimer < chunk) chunk = <i32>toTimer;
    translatePending();
    const unused = interpret(chunk);
    rest -= chunk - unused;
    if (exitReason == EXIT_TIMER) setExit(EXIT_BUDGET);
    if (exitReason) return exitReason;
  }
  return EXIT_BUDGET;
}

/** Ends the run under way after its instruction; for the host, from within a call of the core's. */
export function requestExit(): void {
  setExit(EXIT_REQUESTED);
  attend();
}

/** The host wrote mtimecmp or stimecmp. */
export function noteTimerSet(): void {
  timerSet();
}

/** A CSR as M-mode reads it; csrFound() tells whether there is one. */
export function getCsr(csr: i32): u64 {
  return readCsr(csr);
}
export function setCsr(csr: i32, value: u64): void {
  writeCsr(csr, value);
}
export function csrFound(): i32 {
  return csrExists;
}

/** mip with the lines and timers as they stand. */
export function interruptsPending(): u64 {
  return pendingInterrupts();
}

/** The host wrote RAM at this offset. */
export function noteRamWritten(offset: u32, length: u32): void {
  noteHostWrite(<u64>offset + 0x80000000, length);
}

/** The host has written hart state as it was saved, after reset(): works out what follows from it. */
export function stateRestored(): void {
  updatePmp();
  flushAll();
}

/** The host is about to take the marks at PAGE_DIRTY away: pages are to be marked anew by their next store. */
export function watchWrites(): void {
  flushWrites();
}

export { findNonZeroPages } from './mmu/dirty';

/** Reports stores to a physical address in RAM (EXIT_WATCH); 0 ends it. */
export function watch(address: u64): void {
  const old = load<u64>(HART_BASE + WATCH_ADDRESS);
  if (old) clearPageFlag(ramPage(old), PAGE_WATCHED);
  set64(WATCH_ADDRESS, address);
  if (!address || !isRam(address, 1)) return;
  setPageFlag(ramPage(address), PAGE_WATCHED);
  flushWritesTo(RAM_BASE + (ramPage(address) << 12));
}

/** Where the core's own data ends: it must lie below HART_BASE (a test holds it there). */
export function dataEnd(): u32 {
  return <u32>heap.alloc(1);
}

/** True when a page of RAM holds decoded code. */
export function pageHasCode(page: u32): i32 {
  return page < <u32>(ramBytes() >> 12) && (load<u8>(PAGE_FLAGS + page) & PAGE_CODE) != 0 ? 1 : 0;
}
