// The clock and the two timers of a hart: CLINT's mtimecmp and Sstc's stimecmp.

import { hostCall } from '../host';
import {
  EXIT_TIMER,
  HOST_TIME,
  INSTRET,
  IRQ_LINES,
  IRQ_MTI,
  IRQ_STI,
  MENVCFG,
  MTIMECMP,
  STIMECMP,
  TIME,
  TIME_DIVISOR,
  TIME_OFFSET,
} from '../layout';
import { attend, exitReason, get32, get64, set64, setExit } from './state';
import { MENVCFG_STCE } from './status';

/** The time in ticks now. With a divisor it depends on INSTRET alone, which the caller has brought up to date. */
export function readTime(): u64 {
  const divisor = get32(TIME_DIVISOR);
  let now: u64;
  if (divisor) now = get64(TIME_OFFSET) + get64(INSTRET) / divisor;
  else now = <u64>hostCall(HOST_TIME);
  set64(TIME, now);
  return now;
}

/** Sets MTIP and STIP to what the comparisons say. */
export function updateTimers(): void {
  const now = readTime();
  let lines = get64(IRQ_LINES) & ~(((<u64>1) << IRQ_MTI) | ((<u64>1) << IRQ_STI));
  if (now >= get64(MTIMECMP)) lines |= (<u64>1) << IRQ_MTI;
  if ((get64(MENVCFG) & MENVCFG_STCE) != 0 && now >= get64(STIMECMP)) lines |= (<u64>1) << IRQ_STI;
  set64(IRQ_LINES, lines);
}

/**
 * A compare register was written, perhaps in the middle of a run whose length took no account of it: the run is cut
 * here, so that the interrupt comes when it is due and not at the run's end.
 */
export function timerSet(): void {
  updateTimers();
  attend();
  if (!exitReason) setExit(EXIT_TIMER);
}

/**
 * Instructions until the next timer fires under the instruction clock, so that a run can end exactly there and
 * an interrupt comes at the same instruction however the run is sliced; -1 where no timer limits the run.
 */
export function instructionsToTimer(): i64 {
  const divisor = <u64>get32(TIME_DIVISOR);
  if (!divisor) return -1;
  const now = get64(TIME_OFFSET) + get64(INSTRET) / divisor;
  let next: u64 = -1;
  const machine = get64(MTIMECMP);
  if (machine > now) next = machine;
  if (get64(MENVCFG) & MENVCFG_STCE) {
    const supervisor = get64(STIMECMP);
    if (supervisor > now && supervisor < next) next = supervisor;
  }
  if (next - now > 0x3fffffff) return -1;
  return <i64>((next - now) * divisor - (get64(INSTRET) % divisor));
}
