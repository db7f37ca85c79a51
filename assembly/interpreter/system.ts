// System instructions: CSR accesses, environment calls, returns, fences, cache-block operations.

import { csrAllowed, csrExists, csrForModify, readCsr, writeCsr } from '../hart/csr';
import {
  attend,
  count,
  get64,
  mstatus,
  NEXT,
  PRIVILEGE_M,
  PRIVILEGE_S,
  PRIVILEGE_U,
  privilege,
  REENTER,
  sbiMode,
  set32,
  set64,
  setExit,
  TRAPPED,
} from '../hart/state';
import {
  CAUSE_ECALL_U,
  ENVCFG_CBCFE,
  ENVCFG_CBIE,
  ENVCFG_CBZE,
  MSTATUS_TSR,
  MSTATUS_TVM,
  MSTATUS_TW,
} from '../hart/status';
import { updateTimers } from '../hart/time';
import { pendingInterrupts, raise, returnFromM, returnFromS } from '../hart/trap';
import {
  OP_CBO_CLEAN,
  OP_CBO_FLUSH,
  OP_CBO_INVAL,
  OP_CBO_ZERO,
  OP_CSRRC,
  OP_CSRRCI,
  OP_CSRRS,
  OP_CSRRSI,
  OP_CSRRW,
  OP_CSRRWI,
} from '../isa/generated/opcodes';
import {
  COUNT_FENCE_I,
  COUNT_SFENCE,
  EXIT_SBI,
  EXIT_WFI,
  MENVCFG,
  MIE,
  PC,
  SENVCFG,
  WAITING,
} from '../layout';
import { ramOperand, translateData } from '../mmu/access';
import { noteStore, physicalOf } from '../mmu/physical';
import { ACCESS_READ, ACCESS_WRITE } from '../mmu/pmp';
import { dataPrivilege, flushAddress, flushSpace, flushTranslations } from '../mmu/tlb';
import { NO_TRANSLATION, translate } from '../mmu/walk';
import { advance, imm32, rs1, setRd } from './entry';
import { illegal } from './illegal';

/** zimm of the immediate forms is the number of the rs1 field, which the entry holds as an offset of x registers. */
// @ts-ignore: decorator
@inline
function zimm(ip: usize): u64 {
  return load<u16>(ip, 4) >> 3;
}

export function executeCsr(op: u32, ip: usize, pc: u64): i32 {
  const csr = <u32>imm32(ip);
  const immediate = op == OP_CSRRWI || op == OP_CSRRSI || op == OP_CSRRCI;
  const source = zimm(ip);
  const operand = immediate ? source : rs1(ip);
  const swap = op == OP_CSRRW || op == OP_CSRRWI;
  // Set and clear with x0 (or zero) do not write; the test is on the register number, not its value.
  const writes = swap || source != 0;
  if (!csrAllowed(csr, writes, privilege())) return illegal(pc);
  const old = readCsr(csr);
  if (!csrExists) return illegal(pc);
  if (writes) {
    let value = operand;
    if (op == OP_CSRRS || op == OP_CSRRSI) value = csrForModify(csr, old) | operand;
    else if (op == OP_CSRRC || op == OP_CSRRCI) value = csrForModify(csr, old) & ~operand;
    writeCsr(csr, value);
  }
  setRd(ip, old);
  return NEXT;
}

export function executeEcall(pc: u64): i32 {
  const mode = privilege();
  if (mode == PRIVILEGE_S && sbiMode()) {
    // The machine answers: PC stays at the ecall, and the machine moves it on.
    set64(PC, pc);
    setExit(EXIT_SBI);
    return REENTER;
  }
  return raise(CAUSE_ECALL_U + mode, 0, pc);
}

export function executeMret(pc: u64): i32 {
  if (privilege() != PRIVILEGE_M) return illegal(pc);
  returnFromM();
  return REENTER;
}

export function executeSret(pc: u64): i32 {
  const mode = privilege();
  if (mode == PRIVILEGE_U || (mode == PRIVILEGE_S && (mstatus() & MSTATUS_TSR) != 0)) return illegal(pc);
  returnFromS();
  return REENTER;
}

export function executeWfi(ip: usize, pc: u64): i32 {
  const mode = privilege();
  if (mode == PRIVILEGE_U || (mode == PRIVILEGE_S && (mstatus() & MSTATUS_TW) != 0)) return illegal(pc);
  updateTimers();
  if (pendingInterrupts() & get64(MIE)) {
    attend();
    return NEXT;
  }
  set64(PC, pc + <u64>(advance(ip) >> 3));
  set32(WAITING, 1);
  setExit(EXIT_WFI);
  return REENTER;
}

/** fence.i: decoded code is kept true by the stores themselves, so there is nothing to drop. */
export function executeFenceI(): i32 {
  count(COUNT_FENCE_I);
  return NEXT;
}

/** sfence.vma and sinval.vma: rs1 an address or x0, rs2 an address space (not told apart: one is cached at a time). */
export function executeSfence(ip: usize, pc: u64): i32 {
  const mode = privilege();
  if (mode == PRIVILEGE_U || (mode == PRIVILEGE_S && (mstatus() & MSTATUS_TVM) != 0)) return illegal(pc);
  count(COUNT_SFENCE);
  if (load<u16>(ip, 4)) flushAddress(rs1(ip));
  else if (load<u16>(ip, 6)) flushSpace();
  else flushTranslations();
  // The page under execution may be mapped elsewhere now.
  attend();
  return NEXT;
}

/** sfence.w.inval and sfence.inval.ir order what is done at once here. */
export function executeSvinvalFence(pc: u64): i32 {
  return privilege() == PRIVILEGE_U ? illegal(pc) : NEXT;
}

/** A mode below M needs the bits in menvcfg, U-mode those in senvcfg as well (CMO 1.0, section 2.3). */
function environmentGrants(bits: u64): bool {
  const mode = privilege();
  if (mode < PRIVILEGE_M && !(get64(MENVCFG) & bits)) return false;
  return mode >= PRIVILEGE_S || (get64(SENVCFG) & bits) != 0;
}

export const CACHE_BLOCK: u64 = 64;

export function executeCacheBlock(op: u32, ip: usize, pc: u64): i32 {
  const address = rs1(ip) & ~(CACHE_BLOCK - 1);
  if (op == OP_CBO_ZERO) {
    if (!environmentGrants(ENVCFG_CBZE)) return illegal(pc);
    const host = ramOperand(address, <u32>CACHE_BLOCK, ACCESS_WRITE, pc);
    if (!host) return TRAPPED;
    memory.fill(host, 0, <usize>CACHE_BLOCK);
    noteStore(physicalOf(host), <u32>CACHE_BLOCK);
    return NEXT;
  }
  if (op == OP_CBO_INVAL) {
    if (!environmentGrants(ENVCFG_CBIE)) return illegal(pc);
  } else if (op == OP_CBO_CLEAN || op == OP_CBO_FLUSH) {
    if (!environmentGrants(ENVCFG_CBCFE)) return illegal(pc);
  }
  // There is no cache to manage; the access must be one that a load or a store may do. Faults are a store's.
  if (translate(address, CACHE_BLOCK, ACCESS_READ, dataPrivilege()) == NO_TRANSLATION) {
    if (translateData(address, CACHE_BLOCK, ACCESS_WRITE, pc) == NO_TRANSLATION) return TRAPPED;
  }
  return NEXT;
}
