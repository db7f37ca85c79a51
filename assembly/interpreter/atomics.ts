// LR/SC and AMO (A extension). One hart executes at a time, so a read and a write with nothing between are atomic.
// rd is written before memory: the store may drop the entry that names rd, if it hits the instruction itself.

import { get64, NEXT, set64, TRAPPED } from '../hart/state';
import { CAUSE_LOAD_MISALIGNED, CAUSE_STORE_MISALIGNED } from '../hart/status';
import { raise } from '../hart/trap';
import {
  OP_AMOADD_D,
  OP_AMOADD_W,
  OP_AMOAND_D,
  OP_AMOAND_W,
  OP_AMOMAX_D,
  OP_AMOMAX_W,
  OP_AMOMAXU_D,
  OP_AMOMAXU_W,
  OP_AMOMIN_D,
  OP_AMOMIN_W,
  OP_AMOMINU_D,
  OP_AMOMINU_W,
  OP_AMOOR_D,
  OP_AMOOR_W,
  OP_AMOSWAP_D,
  OP_AMOSWAP_W,
  OP_AMOXOR_D,
  OP_AMOXOR_W,
} from '../isa/generated/opcodes';
import { RESERVATION } from '../layout';
import { ramOperand } from '../mmu/access';
import { noteStore, physicalOf } from '../mmu/physical';
import { ACCESS_READ, ACCESS_WRITE } from '../mmu/pmp';
import { rs1, rs2, setRd, setRdW } from './entry';

/** A reservation covers the aligned 8 bytes around its operand; it is kept by physical address. */
const SET_MASK: u64 = ~(<u64>7);
const NO_RESERVATION: u64 = -1;

export function executeLr(size: u32, ip: usize, pc: u64): i32 {
  const address = rs1(ip);
  if (address & (size - 1)) return raise(CAUSE_LOAD_MISALIGNED, address, pc);
  const host = ramOperand(address, size, ACCESS_READ, pc);
  if (!host) return TRAPPED;
  set64(RESERVATION, physicalOf(host) & SET_MASK);
  if (size == 4) setRdW(ip, load<i32>(host));
  else setRd(ip, load<u64>(host));
  return NEXT;
}

export function executeSc(size: u32, ip: usize, pc: u64): i32 {
  const address = rs1(ip);
  if (address & (size - 1)) return raise(CAUSE_STORE_MISALIGNED, address, pc);
  const reserved = get64(RESERVATION);
  set64(RESERVATION, NO_RESERVATION);
  if (reserved == NO_RESERVATION) {
    setRd(ip, 1);
    return NEXT;
  }
  const host = ramOperand(address, size, ACCESS_WRITE, pc);
  if (!host) return TRAPPED;
  const physical = physicalOf(host);
  if ((physical & SET_MASK) != reserved) {
    setRd(ip, 1);
    return NEXT;
  }
  const value = rs2(ip);
  setRd(ip, 0);
  if (size == 4) store<u32>(host, <u32>value);
  else store<u64>(host, value);
  noteStore(physical, size);
  return NEXT;
}

export function executeAmoW(op: u32, ip: usize, pc: u64): i32 {
  const address = rs1(ip);
  if (address & 3) return raise(CAUSE_STORE_MISALIGNED, address, pc);
  const host = ramOperand(address, 4, ACCESS_WRITE, pc);
  if (!host) return TRAPPED;
  const old = load<i32>(host);
  const operand = <i32>rs2(ip);
  let value = operand;
  switch (op) {
    case OP_AMOSWAP_W:
      break;
    case OP_AMOADD_W:
      value = old + operand;
      break;
    case OP_AMOXOR_W:
      value = old ^ operand;
      break;
    case OP_AMOAND_W:
      value = old & operand;
      break;
    case OP_AMOOR_W:
      value = old | operand;
      break;
    case OP_AMOMIN_W:
      value = min(old, operand);
      break;
    case OP_AMOMAX_W:
      value = max(old, operand);
      break;
    case OP_AMOMINU_W:
      value = <u32>old < <u32>operand ? old : operand;
      break;
    case OP_AMOMAXU_W:
      value = <u32>old > <u32>operand ? old : operand;
      break;
  }
  setRdW(ip, old);
  store<i32>(host, value);
  noteStore(physicalOf(host), 4);
  return NEXT;
}

export function executeAmoD(op: u32, ip: usize, pc: u64): i32 {
  const address = rs1(ip);
  if (address & 7) return raise(CAUSE_STORE_MISALIGNED, address, pc);
  const host = ramOperand(address, 8, ACCESS_WRITE, pc);
  if (!host) return TRAPPED;
  const old = load<u64>(host);
  const operand = rs2(ip);
  let value = operand;
  switch (op) {
    case OP_AMOSWAP_D:
      break;
    case OP_AMOADD_D:
      value = old + operand;
      break;
    case OP_AMOXOR_D:
      value = old ^ operand;
      break;
    case OP_AMOAND_D:
      value = old & operand;
      break;
    case OP_AMOOR_D:
      value = old | operand;
      break;
    case OP_AMOMIN_D:
      value = <i64>old < <i64>operand ? old : operand;
      break;
    case OP_AMOMAX_D:
      value = <i64>old > <i64>operand ? old : operand;
      break;
    case OP_AMOMINU_D:
      value = min(old, operand);
      break;
    case OP_AMOMAXU_D:
      value = max(old, operand);
      break;
  }
  setRd(ip, old);
  store<u64>(host, value);
  noteStore(physicalOf(host), 8);
  return NEXT;
}
