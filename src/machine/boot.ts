// The state in which the first program finds the hart: as QEMU's reset vector leaves it for M-mode firmware, or
// as OpenSBI leaves it for an S-mode kernel when the machine answers SBI itself.
import type { HartView } from '../core/core-types.ts';
import { FW_DYNAMIC_INFO } from './boot-rom.ts';
import {
  MCOUNTEREN,
  MEDELEG,
  MENVCFG,
  MIDELEG,
  MIE,
  MSTATUS,
  PMPADDR0,
  PMPCFG0,
  SATP,
  SCOUNTEREN,
  SIE,
  SSCRATCH,
  STVEC,
} from './csr.ts';
import {
  MENVCFG_ADUE,
  MENVCFG_CBCFE,
  MENVCFG_CBIE,
  MENVCFG_CBZE,
  MENVCFG_PBMTE,
  MENVCFG_STCE,
} from './isa-description.ts';

/** Interrupts for S-mode: software, timer, external. */
const S_INTERRUPTS = 0x222n;
/**
 * Exceptions for S-mode: all but its own ecall (9), which is the SBI, and M-mode's (11). With no M-mode software
 * nobody else could take them.
 */
const S_EXCEPTIONS = 0xb1ffn;
/** cycle, time, instret. */
const ALL_COUNTERS = 7n;
/** PMP entry 0: all addresses, read, write, execute (NAPOT). Privileged architecture 1.12, section 3.7.1. */
const PMP_ALL_ADDRESSES = (1n << 54n) - 1n;
const PMP_NAPOT_RWX = 0x1fn;
const MSTATUS_FS_INITIAL = 1n << 13n;

const A0 = 10;
const A1 = 11;
const A2 = 12;

/** Enters an S-mode kernel: a0 = hart id, a1 = device tree. Linux documentation, arch/riscv/boot. */
export function enterKernel(hart: HartView, entry: number, deviceTree: number): void {
  hart.writeCsr(PMPADDR0, PMP_ALL_ADDRESSES);
  hart.writeCsr(PMPCFG0, PMP_NAPOT_RWX);
  hart.writeCsr(MEDELEG, S_EXCEPTIONS);
  hart.writeCsr(MIDELEG, S_INTERRUPTS);
  hart.writeCsr(MIE, 0n);
  hart.writeCsr(MCOUNTEREN, ALL_COUNTERS);
  hart.writeCsr(SCOUNTEREN, ALL_COUNTERS);
  hart.writeCsr(
    MENVCFG,
    MENVCFG_STCE | MENVCFG_PBMTE | MENVCFG_ADUE | MENVCFG_CBZE | MENVCFG_CBCFE | MENVCFG_CBIE,
  );
  hart.writeCsr(MSTATUS, MSTATUS_FS_INITIAL);
  hart.writeCsr(SIE, 0n);
  hart.writeCsr(SATP, 0n);
  hart.writeCsr(SSCRATCH, 0n);
  hart.writeCsr(STVEC, BigInt(entry));
  // The timer is off until the kernel sets it.
  hart.stimecmp = 0xffffffffffffffffn;
  hart.setX(A0, BigInt(hart.id));
  hart.setX(A1, BigInt(deviceTree));
  hart.privilege = 1;
  hart.pc = BigInt(entry);
}

/** Enters M-mode firmware with the registers that the boot ROM's code would set. */
export function enterFirmware(hart: HartView, entry: number, deviceTree: number): void {
  hart.setX(A0, BigInt(hart.id));
  hart.setX(A1, BigInt(deviceTree));
  hart.setX(A2, BigInt(FW_DYNAMIC_INFO));
  hart.privilege = 3;
  hart.pc = BigInt(entry);
}
