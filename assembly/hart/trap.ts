// Taking traps, returning from them, and choosing interrupts. Privileged architecture 1.12, sections 3.1.6 to
// 3.1.9, 3.3.2 and 4.1.
import {
  COUNT_INTERRUPT,
  COUNT_TRAP,
  EXIT_DOUBLE_FAULT,
  IRQ_LINES,
  MCAUSE,
  MEDELEG,
  MENVCFG,
  MEPC,
  MIDELEG,
  MIE,
  MIP,
  MSTATUS,
  MTVAL,
  MTVEC,
  PC,
  PRIVILEGE,
  SCAUSE,
  SEPC,
  STOP_CAUSE,
  STOP_VALUE,
  STVAL,
  STVEC,
} from '../layout';
import {
  attend,
  count,
  get64,
  mstatus,
  PRIVILEGE_M,
  PRIVILEGE_S,
  PRIVILEGE_U,
  privilege,
  sbiMode,
  set32,
  set64,
  setExit,
  TRAPPED,
} from './state';
import {
  CAUSE_FETCH_ACCESS,
  CAUSE_FETCH_PAGE,
  CAUSE_ILLEGAL,
  MENVCFG_STCE,
  MIP_STIP,
  MSTATUS_MIE,
  MSTATUS_MPIE,
  MSTATUS_MPP,
  MSTATUS_MPP_SHIFT,
  MSTATUS_MPRV,
  MSTATUS_SIE,
  MSTATUS_SPIE,
  MSTATUS_SPP,
} from './status';

/** mip as software reads it: what devices drive, what software wrote, what timers say. */
export function pendingInterrupts(): u64 {
  let software = get64(MIP);
  // With Sstc, STIP shows the comparison alone and is not writable (Sstc 1.0).
  if (get64(MENVCFG) & MENVCFG_STCE) software &= ~MIP_STIP;
  return software | get64(IRQ_LINES);
}

/** True when the exception would be raised again by its own handler for ever: no progress is possible. */
function repeatsForEver(cause: u64, pc: u64, target: u64, toPrivilege: u32): bool {
  if (cause != CAUSE_FETCH_ACCESS && cause != CAUSE_FETCH_PAGE && cause != CAUSE_ILLEGAL) return false;
  if (pc != target || privilege() != toPrivilege) return false;
  // S-mode could still be rescued by a machine-mode interrupt, unless there is no machine-mode software.
  return toPrivilege == PRIVILEGE_M || sbiMode();
}

function enter(cause: u64, value: u64, pc: u64, interrupt: bool): void {
  const from = privilege();
  const delegated = interrupt ? get64(MIDELEG) : get64(MEDELEG);
  const code = interrupt ? cause | ((<u64>1) << 63) : cause;
  const toS = from <= PRIVILEGE_S && ((delegated >> cause) & 1) != 0;
  const vector = get64(toS ? STVEC : MTVEC);
  let target = vector & ~(<u64>3);
  if (interrupt && (vector & 1) != 0) target += cause << 2;
  if (!interrupt && repeatsForEver(cause, pc, target, toS ? PRIVILEGE_S : PRIVILEGE_M)) {
    set64(STOP_CAUSE, cause);
    set64(STOP_VALUE, value);
    set64(PC, pc);
    setExit(EXIT_DOUBLE_FAULT);
    return;
  }
  let status = mstatus();
  if (toS) {
    set64(SCAUSE, code);
    set64(SEPC, pc);
    set64(STVAL, value);
    status &= ~(MSTATUS_SPP | MSTATUS_SPIE);
    if (status & MSTATUS_SIE) status |= MSTATUS_SPIE;
    if (from == PRIVILEGE_S) status |= MSTATUS_SPP;
    status &= ~MSTATUS_SIE;
    set32(PRIVILEGE, PRIVILEGE_S);
  } else {
    set64(MCAUSE, code);
    set64(MEPC, pc);
    set64(MTVAL, value);
    status &= ~(MSTATUS_MPP | MSTATUS_MPIE);
    if (status & MSTATUS_MIE) status |= MSTATUS_MPIE;
    status |= (<u64>from) << MSTATUS_MPP_SHIFT;
    status &= ~MSTATUS_MIE;
    set32(PRIVILEGE, PRIVILEGE_M);
  }
  set64(MSTATUS, status);
  set64(PC, target);
}

/** Takes the exception `cause` raised by the instruction at `pc`; `value` goes to xtval. */
export function raise(cause: u64, value: u64, pc: u64): i32 {
  count(COUNT_TRAP);
  enter(cause, value, pc, false);
  return TRAPPED;
}

/** Takes the highest-priority enabled interrupt, if there is one, before the instruction at PC. */
export function takeInterrupt(): bool {
  const pending = pendingInterrupts() & get64(MIE);
  if (!pending) return false;
  const delegated = get64(MIDELEG);
  const mode = privilege();
  const status = mstatus();
  let chosen: u64 = 0;
  if (mode < PRIVILEGE_M || (status & MSTATUS_MIE) != 0) chosen = pending & ~delegated;
  if (!chosen) {
    if (mode < PRIVILEGE_S || (mode == PRIVILEGE_S && (status & MSTATUS_SIE) != 0))
      chosen = pending & delegated;
  }
  if (!chosen) return false;
  // Section 3.1.9: MEI, MSI, MTI, SEI, SSI, STI.
  let cause: u64;
  if (chosen & (1 << 11)) cause = 11;
  else if (chosen & (1 << 3)) cause = 3;
  else if (chosen & (1 << 7)) cause = 7;
  else if (chosen & (1 << 9)) cause = 9;
  else if (chosen & (1 << 1)) cause = 1;
  else cause = 5;
  count(COUNT_INTERRUPT);
  enter(cause, 0, get64(PC), true);
  return true;
}

/** mret; PC is where it goes on. */
export function returnFromM(): void {
  let status = mstatus();
  const to = <u32>((status & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT);
  status &= ~(MSTATUS_MIE | MSTATUS_MPP);
  if (status & MSTATUS_MPIE) status |= MSTATUS_MIE;
  status |= MSTATUS_MPIE;
  if (to != PRIVILEGE_M) status &= ~MSTATUS_MPRV;
  set64(MSTATUS, status);
  set32(PRIVILEGE, to);
  set64(PC, get64(MEPC));
  attend();
}

/** sret; PC is where it goes on. */
export function returnFromS(): void {
  let status = mstatus();
  const to = status & MSTATUS_SPP ? PRIVILEGE_S : PRIVILEGE_U;
  status &= ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV);
  if (status & MSTATUS_SPIE) status |= MSTATUS_SIE;
  status |= MSTATUS_SPIE;
  set64(MSTATUS, status);
  set32(PRIVILEGE, to);
  set64(PC, get64(SEPC));
  attend();
}
