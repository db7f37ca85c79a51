// Control and status registers: which exist, who may touch them, what they hold (WARL). Privileged architecture
// 1.12, chapter 2 and sections 3.1 and 4.1; Sstc 1.0.
import {
  FFLAGS,
  FRM,
  HART_ID,
  INSTRET,
  MCAUSE,
  MCOUNTEREN,
  MCOUNTINHIBIT,
  MCYCLE_OFFSET,
  MEDELEG,
  MENVCFG,
  MEPC,
  MIDELEG,
  MIE,
  MINSTRET_OFFSET,
  MIP,
  MSCRATCH,
  MSTATUS,
  MTVAL,
  MTVEC,
  PMPADDR,
  PMPCFG,
  SATP,
  SCAUSE,
  SCOUNTEREN,
  SENVCFG,
  SEPC,
  SSCRATCH,
  STIMECMP,
  STVAL,
  STVEC,
} from '../layout';
import { updatePmp, writePmpAddress, writePmpConfig } from '../mmu/pmp';
import { flushAll, flushSpace, flushTranslations } from '../mmu/tlb';
import { attend, get32, get64, mstatus, PRIVILEGE_M, PRIVILEGE_S, set32, set64 } from './state';
import {
  COUNTEREN_TM,
  MEDELEG_WRITABLE,
  MENVCFG_STCE,
  MENVCFG_WRITABLE,
  MIP_ALL,
  MIP_SEIP,
  MIP_SSIP,
  MIP_STIP,
  MIP_SUPERVISOR,
  MSTATUS_FS,
  MSTATUS_MPP,
  MSTATUS_MPP_SHIFT,
  MSTATUS_MXR,
  MSTATUS_SD,
  MSTATUS_TVM,
  MSTATUS_WRITABLE,
  MSTATUS_XL,
  SENVCFG_WRITABLE,
  SSTATUS_VISIBLE,
  SSTATUS_WRITABLE,
} from './status';
import { readTime, timerSet, updateTimers } from './time';
import { pendingInterrupts } from './trap';

const COUNTERS: u64 = 0xffffffff;

/** True when a CSR of this address may be read (or written, if `write`) by `mode`. */
export function csrAllowed(csr: u32, write: bool, mode: u32): bool {
  if (write && csr >> 10 == 3) return false;
  if (((csr >> 8) & 3) > mode) return false;
  if (csr <= 3) return (mstatus() & MSTATUS_FS) != 0;
  if (csr >= 0xc00 && csr <= 0xc1f) {
    const bit = <u64>1 << (csr & 31);
    if (mode < PRIVILEGE_M && !(get64(MCOUNTEREN) & bit)) return false;
    return mode >= PRIVILEGE_S || (get64(SCOUNTEREN) & bit) != 0;
  }
  if (csr == 0x180) return !(mode == PRIVILEGE_S && (mstatus() & MSTATUS_TVM) != 0);
  if (csr == 0x14d && mode < PRIVILEGE_M) {
    return (get64(MENVCFG) & MENVCFG_STCE) != 0 && (get64(MCOUNTEREN) & COUNTEREN_TM) != 0;
  }
  return true;
}

/** False after readCsr or writeCsr was given an address where no CSR is. */
export let csrExists: bool = true;

/** RV64 with A, C, D, F, I, M, S and U; read-only. */
export function misa(): u64 {
  return (<u64>2 << 62) | 0x14112d;
}

function fullStatus(): u64 {
  const status = mstatus() | MSTATUS_XL;
  return (status & MSTATUS_FS) == MSTATUS_FS ? status | MSTATUS_SD : status;
}

/** The cycle and instret counters stand still while inhibited: their offset then holds the value itself. */
function counter(offset: usize, inhibit: u64): u64 {
  return get64(MCOUNTINHIBIT) & inhibit ? get64(offset) : get64(INSTRET) + get64(offset);
}
function setCounter(offset: usize, inhibit: u64, value: u64): void {
  // The write's own instruction retires after the value is there: section 3.1.10.
  set64(offset, get64(MCOUNTINHIBIT) & inhibit ? value : value - (get64(INSTRET) + 1));
}
function setInhibit(value: u64): void {
  const old = get64(MCOUNTINHIBIT);
  const now = value & 5;
  const retired = get64(INSTRET) + 1;
  if ((old ^ now) & 1) set64(MCYCLE_OFFSET, now & 1 ? get64(MCYCLE_OFFSET) + retired : get64(MCYCLE_OFFSET) - retired);
  if ((old ^ now) & 4) {
    set64(MINSTRET_OFFSET, now & 4 ? get64(MINSTRET_OFFSET) + retired : get64(MINSTRET_OFFSET) - retired);
  }
  set64(MCOUNTINHIBIT, now);
}

/** Value of a CSR; INSTRET has been brought up to date. */
export function readCsr(csr: u32): u64 {
  csrExists = true;
  switch (csr) {
    case 0x001:
      return get32(FFLAGS);
    case 0x002:
      return get32(FRM);
    case 0x003:
      return get32(FFLAGS) | (get32(FRM) << 5);
    case 0xc00:
    case 0xb00:
      return counter(MCYCLE_OFFSET, 1);
    case 0xc01:
      return readTime();
    case 0xc02:
    case 0xb02:
      return counter(MINSTRET_OFFSET, 4);
    case 0x100:
      return fullStatus() & (SSTATUS_VISIBLE | MSTATUS_SD);
    case 0x104:
      return get64(MIE) & get64(MIDELEG);
    case 0x105:
      return get64(STVEC);
    case 0x106:
      return get64(SCOUNTEREN);
    case 0x10a:
      return get64(SENVCFG);
    case 0x140:
      return get64(SSCRATCH);
    case 0x141:
      return get64(SEPC);
    case 0x142:
      return get64(SCAUSE);
    case 0x143:
      return get64(STVAL);
    case 0x144:
      updateTimers();
      return pendingInterrupts() & get64(MIDELEG);
    case 0x14d:
      return get64(STIMECMP);
    case 0x180:
      return get64(SATP);
    case 0x300:
      return fullStatus();
    case 0x301:
      return misa();
    case 0x302:
      return get64(MEDELEG);
    case 0x303:
      return get64(MIDELEG);
    case 0x304:
      return get64(MIE);
    case 0x305:
      return get64(MTVEC);
    case 0x306:
      return get64(MCOUNTEREN);
    case 0x30a:
      return get64(MENVCFG);
    case 0x320:
      return get64(MCOUNTINHIBIT);
    case 0x340:
      return get64(MSCRATCH);
    case 0x341:
      return get64(MEPC);
    case 0x342:
      return get64(MCAUSE);
    case 0x343:
      return get64(MTVAL);
    case 0x344:
      updateTimers();
      return pendingInterrupts();
    case 0x3a0:
      return get64(PMPCFG);
    case 0x3a2:
      return get64(PMPCFG + 8);
    case 0xf11: // mvendorid, marchid, mimpid, mconfigptr: not assigned
    case 0xf12:
    case 0xf13:
    case 0xf15:
      return 0;
    case 0xf14:
      return get64(HART_ID);
  }
  if (csr >= 0x3b0 && csr <= 0x3bf) return get64(PMPADDR + (<usize>(csr & 15) << 3));
  // Performance counters 3 to 31 and their events: present, read-only zero.
  if ((csr >= 0xc03 && csr <= 0xc1f) || (csr >= 0xb03 && csr <= 0xb1f)) return 0;
  if (csr >= 0x323 && csr <= 0x33f) return 0;
  csrExists = false;
  return 0;
}

function writeStatus(value: u64, mask: u64): void {
  const old = mstatus();
  let status = (old & ~mask) | (value & mask);
  if (mask & MSTATUS_MPP) {
    // MPP holds U, S or M; 2 is not a mode, and keeps the old one.
    const mode = (value & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;
    status &= ~MSTATUS_MPP;
    status |= mode == 2 ? old & MSTATUS_MPP : value & MSTATUS_MPP;
  }
  set64(MSTATUS, status);
  if ((old ^ status) & MSTATUS_MXR) flushTranslations();
  attend();
}

function writeSatp(value: u64): void {
  const scheme = value >> 60;
  // Section 4.1.11: a write with an unsupported mode has no effect at all.
  if (scheme != 0 && scheme != 8 && scheme != 9 && scheme != 10) return;
  const same = scheme == get64(SATP) >> 60;
  set64(SATP, value);
  // Address spaces are told apart by nothing but this flush; what is mapped in all of them stays.
  if (same) flushSpace();
  else flushTranslations();
  attend();
}

// @ts-ignore: decorator
@inline
function tvec(value: u64): u64 {
  return value & ~<u64>2;
}

/** Writes a CSR; what is read-only there stays. */
export function writeCsr(csr: u32, value: u64): void {
  csrExists = true;
  switch (csr) {
    case 0x001:
      set32(FFLAGS, <u32>value & 31);
      touchFloat();
      return;
    case 0x002:
      set32(FRM, <u32>value & 7);
      touchFloat();
      return;
    case 0x003:
      set32(FFLAGS, <u32>value & 31);
      set32(FRM, <u32>(value >> 5) & 7);
      touchFloat();
      return;
    case 0xb00:
      setCounter(MCYCLE_OFFSET, 1, value);
      return;
    case 0xb02:
      setCounter(MINSTRET_OFFSET, 4, value);
      return;
    case 0x100:
      writeStatus(value, SSTATUS_WRITABLE);
      return;
    case 0x104: {
      const mask = get64(MIDELEG);
      set64(MIE, (get64(MIE) & ~mask) | (value & mask & MIP_SUPERVISOR));
      attend();
      return;
    }
    case 0x105:
      set64(STVEC, tvec(value));
      return;
    case 0x106:
      set64(SCOUNTEREN, value & COUNTERS);
      return;
    case 0x10a:
      set64(SENVCFG, warlEnvironment(value & SENVCFG_WRITABLE, get64(SENVCFG)));
      return;
    case 0x140:
      set64(SSCRATCH, value);
      return;
    case 0x141:
      set64(SEPC, value & ~<u64>1);
      return;
    case 0x142:
      set64(SCAUSE, value);
      return;
    case 0x143:
      set64(STVAL, value);
      return;
    case 0x144: {
      const mask = get64(MIDELEG) & MIP_SSIP;
      set64(MIP, (get64(MIP) & ~mask) | (value & mask));
      attend();
      return;
    }
    case 0x14d:
      set64(STIMECMP, value);
      timerSet();
      return;
    case 0x180:
      writeSatp(value);
      return;
    case 0x300:
      writeStatus(value, MSTATUS_WRITABLE | MSTATUS_MPP);
      return;
    case 0x301:
      return;
    case 0x302:
      set64(MEDELEG, value & MEDELEG_WRITABLE);
      return;
    case 0x303:
      set64(MIDELEG, value & MIP_SUPERVISOR);
      attend();
      return;
    case 0x304:
      set64(MIE, value & MIP_ALL);
      attend();
      return;
    case 0x305:
      set64(MTVEC, tvec(value));
      return;
    case 0x306:
      set64(MCOUNTEREN, value & COUNTERS);
      return;
    case 0x30a: {
      const old = get64(MENVCFG);
      set64(MENVCFG, warlEnvironment(value & MENVCFG_WRITABLE, old));
      flushTranslations();
      timerSet();
      return;
    }
    case 0x320:
      setInhibit(value);
      return;
    case 0x340:
      set64(MSCRATCH, value);
      return;
    case 0x341:
      set64(MEPC, value & ~<u64>1);
      return;
    case 0x342:
      set64(MCAUSE, value);
      return;
    case 0x343:
      set64(MTVAL, value);
      return;
    case 0x344: {
      let mask = MIP_SSIP | MIP_SEIP;
      if (!(get64(MENVCFG) & MENVCFG_STCE)) mask |= MIP_STIP;
      set64(MIP, (get64(MIP) & ~mask) | (value & mask));
      attend();
      return;
    }
    case 0x3a0:
    case 0x3a2:
      writePmpConfig(<i32>(csr & 2) >> 1, value);
      updatePmp();
      flushAll();
      attend();
      return;
  }
  if (csr >= 0x3b0 && csr <= 0x3bf) {
    writePmpAddress(csr & 15, value);
    updatePmp();
    flushAll();
    attend();
    return;
  }
  if ((csr >= 0xb03 && csr <= 0xb1f) || (csr >= 0x323 && csr <= 0x33f)) return;
  csrExists = false;
}

/** CBIE = 2 is reserved: the old value stays. */
function warlEnvironment(value: u64, old: u64): u64 {
  return ((value >> 4) & 3) == 2 ? (value & ~<u64>0x30) | (old & 0x30) : value;
}

function touchFloat(): void {
  set64(MSTATUS, mstatus() | MSTATUS_FS);
}

/** What csrrs and csrrc see of mip.SEIP: the software bit alone takes part in read-modify-write (section 3.1.9). */
export function csrForModify(csr: u32, visible: u64): u64 {
  return csr == 0x344 || csr == 0x144 ? (visible & ~MIP_SEIP) | (get64(MIP) & MIP_SEIP) : visible;
}
