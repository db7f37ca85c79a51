// A hart's architectural state as it is saved: which fields of the core's memory, in which order, and what they may
// hold. Privileged architecture 1.12, chapters 3 and 4; what is decoded, translated or looked up is not part of it.
import {
  COUNT_FENCE_I,
  COUNT_INTERRUPT,
  COUNT_MMIO,
  COUNT_SFENCE,
  COUNT_TRAP,
  F,
  FFLAGS,
  FRM,
  INSTRET,
  IRQ_LINES,
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
  MTIMECMP,
  MTVAL,
  MTVEC,
  PC,
  PMPADDR,
  PMPCFG,
  PRIVILEGE,
  RESERVATION,
  SATP,
  SCAUSE,
  SCOUNTEREN,
  SENVCFG,
  SEPC,
  SSCRATCH,
  STIMECMP,
  STOP_CAUSE,
  STOP_VALUE,
  STVAL,
  STVEC,
  TIME_OFFSET,
  WAITING,
  X,
} from '../../assembly/layout.ts';
import type { StateReader, StateWriter } from './state-bytes.ts';

export const HART_STATE_VERSION = 1;

const REGISTERS = 32;
const PMP_ENTRIES = 16;
const ALL = 0xffff_ffff_ffff_ffffn;
const EVEN = ALL - 1n;
/** 2^53 - 1: what is counted here is counted in JavaScript's numbers elsewhere. */
const COUNTABLE = BigInt(Number.MAX_SAFE_INTEGER);
const INTERRUPTS = 0xaaan;
const S_INTERRUPTS = 0x222n;
/** Fields of mstatus that can be written, MPP among them, and UXL, SXL (section 3.1.6). */
const STATUS = 0x7e79aan | (0xan << 32n);
const STATUS_XL = 0xan << 32n;
/** FIOM, CBIE, CBCFE, CBZE; ADUE, PBMTE, STCE (sections 3.1.18 and 4.1.10). */
const S_ENVIRONMENT = 0xf1n;
const M_ENVIRONMENT = S_ENVIRONMENT | (7n << 61n);
/** Modes of satp: Bare, Sv39, Sv48, Sv57 (section 4.1.11). */
const SCHEMES = [0n, 8n, 9n, 10n];
const RAM_START = 0x8000_0000n;
const NO_RESERVATION = ALL;

/** 64-bit fields, and the bits that may be set in each. The order is that of the saved bytes. */
const FIELDS: readonly (readonly [offset: number, bits: bigint])[] = [
  [PC, EVEN],
  [INSTRET, COUNTABLE],
  [IRQ_LINES, INTERRUPTS],
  [STOP_CAUSE, ALL],
  [STOP_VALUE, ALL],
  [RESERVATION, ALL],
  [MSTATUS, STATUS],
  [MEDELEG, 0xb3ffn],
  [MIDELEG, S_INTERRUPTS],
  [MIE, INTERRUPTS],
  [MIP, INTERRUPTS],
  [MTVEC, ALL - 2n],
  [MSCRATCH, ALL],
  [MEPC, EVEN],
  [MCAUSE, ALL],
  [MTVAL, ALL],
  [MCOUNTEREN, 0xffff_ffffn],
  [MCOUNTINHIBIT, 5n],
  [MENVCFG, M_ENVIRONMENT],
  [STVEC, ALL - 2n],
  [SSCRATCH, ALL],
  [SEPC, EVEN],
  [SCAUSE, ALL],
  [STVAL, ALL],
  [SCOUNTEREN, 0xffff_ffffn],
  [SENVCFG, S_ENVIRONMENT],
  [SATP, ALL],
  [STIMECMP, ALL],
  [MTIMECMP, ALL],
  [MCYCLE_OFFSET, ALL],
  [MINSTRET_OFFSET, ALL],
  [TIME_OFFSET, COUNTABLE],
  [COUNT_TRAP, COUNTABLE],
  [COUNT_INTERRUPT, COUNTABLE],
  [COUNT_MMIO, COUNTABLE],
  [COUNT_FENCE_I, COUNTABLE],
  [COUNT_SFENCE, COUNTABLE],
];

/** 32-bit fields, and the largest value of each. */
const SMALL_FIELDS: readonly (readonly [offset: number, most: number])[] = [
  [PRIVILEGE, 3],
  [WAITING, 1],
  [FFLAGS, 31],
  [FRM, 7],
];

/** Writes the state of the hart whose memory `view` shows. */
export function saveHart(view: DataView, writer: StateWriter): void {
  for (let index = 1; index < REGISTERS; index++) writer.u64(view.getBigUint64(X + index * 8, true));
  for (let index = 0; index < REGISTERS; index++) writer.u64(view.getBigUint64(F + index * 8, true));
  for (const [offset] of SMALL_FIELDS) writer.u32(view.getUint32(offset, true));
  for (const [offset] of FIELDS) writer.u64(view.getBigUint64(offset, true));
  for (let index = 0; index < PMP_ENTRIES; index++) writer.u8(view.getUint8(PMPCFG + index));
  for (let index = 0; index < PMP_ENTRIES; index++) writer.u64(view.getBigUint64(PMPADDR + index * 8, true));
}

/**
 * Reads and checks a hart's state; what comes back writes it, and is to be followed by what the core does then.
 * @param ramBytes size of guest RAM
 * @throws StateFormatError
 */
export function loadHart(view: DataView, ramBytes: number, reader: StateReader): () => void {
  const x = Array.from({ length: REGISTERS - 1 }, () => reader.u64());
  const f = Array.from({ length: REGISTERS }, () => reader.u64());
  const small = SMALL_FIELDS.map(([, most]) => reader.u32(most));
  const values = new Map<number, bigint>();
  for (const [offset, bits] of FIELDS) {
    const value = reader.u64();
    reader.check((value & ~bits) === 0n, `${value.toString(16)} in the field at ${offset}`);
    values.set(offset, value);
  }
  checkValues(small, values, ramBytes, reader);
  const configs = Array.from({ length: PMP_ENTRIES }, () => reader.u8(0x9f));
  for (const config of configs) reader.check((config & 0x60) === 0 && (config & 3) !== 2, 'pmpcfg');
  const addresses = Array.from({ length: PMP_ENTRIES }, () => reader.u64());
  for (const address of addresses) reader.check(address < 1n << 54n, 'pmpaddr');
  return () => {
    for (const [index, value] of x.entries()) view.setBigUint64(X + (index + 1) * 8, value, true);
    for (const [index, value] of f.entries()) view.setBigUint64(F + index * 8, value, true);
    for (const [index, [offset]] of SMALL_FIELDS.entries()) view.setUint32(offset, small[index]!, true);
    for (const [offset, value] of values) view.setBigUint64(offset, value, true);
    for (const [index, config] of configs.entries()) view.setUint8(PMPCFG + index, config);
    for (const [index, address] of addresses.entries()) view.setBigUint64(PMPADDR + index * 8, address, true);
  };
}

/** What masks cannot say. */
function checkValues(
  small: readonly number[],
  values: ReadonlyMap<number, bigint>,
  ramBytes: number,
  reader: StateReader,
): void {
  reader.check(small[0] !== 2, 'privilege 2');
  const status = values.get(MSTATUS)!;
  reader.check((status & STATUS_XL) === STATUS_XL && ((status >> 11n) & 3n) !== 2n, 'mstatus');
  for (const offset of [MENVCFG, SENVCFG]) {
    reader.check(((values.get(offset)! >> 4n) & 3n) !== 2n, 'an environment configuration with CBIE 2');
  }
  reader.check(SCHEMES.includes(values.get(SATP)! >> 60n), 'satp');
  const reservation = values.get(RESERVATION)!;
  const within =
    reservation >= RAM_START && reservation < RAM_START + BigInt(ramBytes) && reservation % 8n === 0n;
  reader.check(within || reservation === NO_RESERVATION, 'a reservation outside RAM');
}
