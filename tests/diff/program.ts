// Many cases in one program, for the core and for qemu-riscv64 alike: it loads all registers, runs a case, and writes
// all registers and the data out, case by case, with Linux's write system call. All cases run more than once; only the
// last sweep writes.
//
// Memory, from RAM's start: the harness; DATA (two pages, the data at the boundary between them); RESULT (a record as it
// is written out); then the cases' tables and their code.

import { DATA_BYTES, type DiffCase, resolve } from './case.ts';
import { Code } from './code.ts';
import { staticElf } from './elf.ts';

export const START = 0x8000_0000;
const DATA_PAGES = START + 0x1000;
/** Where a case's data begins: its middle is a page boundary. */
export const DATA = DATA_PAGES + 0x1000 - DATA_BYTES / 2;
const RESULT = START + 0x3000;
const TABLES = START + 0x4000;

/** A record: x0 to x31, f0 to f31, fcsr, data. */
export const RECORD_BYTES = 8 * 65 + DATA_BYTES;
const F_AT = 8 * 32;
const FCSR_AT = 8 * 64;
const DATA_AT = 8 * 65;
/** A table is a record's image, then the addresses of the case's code and of the next table. */
const CODE_AT = RECORD_BYTES;
const NEXT_AT = RECORD_BYTES + 8;
const TABLE_BYTES = RECORD_BYTES + 16;

const SYS_WRITE = 64;
const SYS_EXIT = 93;

// Registers of the harness, between cases.
const T0 = 5;
const T1 = 6;
const A0 = 10;
const A1 = 11;
const A2 = 12;
const A7 = 17;

/** Where the harness keeps what it must know after a case: the table, and how many sweeps are left with this one. */
const TABLE_POINTER = RESULT - 16;
/** How often all cases run, each time from the same state; the last time is written out. A runner may change it. */
export const SWEEPS = RESULT - 8;
/** The first sweep decodes the instructions, the second finds them decoded. */
const LEAST_SWEEPS = 2n;

/** Code at START that loads the first table; `leave` is where cases jump when they are done. */
function harness(): { code: Code; leave: number } {
  const code = new Code(START);
  const copyData = (from: number, fromAt: number, to: number, toAt: number): void => {
    for (let at = 0; at < DATA_BYTES; at += 8) {
      code.add('ld', { rd: A2, rs1: from, imm: fromAt + at });
      code.add('sd', { rs2: A2, rs1: to, imm: toAt + at });
    }
  };
  const nextSweep = code.pc;
  code.address(T0, TABLES);
  const nextCase = code.pc;
  code.address(T1, TABLE_POINTER);
  code.add('sd', { rs2: T0, rs1: T1 });
  code.address(A1, DATA);
  copyData(T0, DATA_AT, A1, 0);
  // No reservation is left from before.
  code.add('sc.d', { rs1: T1, rs2: T0 });
  for (let i = 0; i < 32; i++) code.add('fld', { rd: i, rs1: T0, imm: F_AT + 8 * i });
  code.add('ld', { rd: A0, rs1: T0, imm: FCSR_AT });
  code.add('csrrw', { rs1: A0, csr: 3 });
  code.head(A0);
  for (let i = 1; i < 32; i++) if (i !== T0 && i !== T1) code.add('ld', { rd: i, rs1: T0, imm: 8 * i });
  // The case loads these two itself.
  code.add('ld', { rd: T1, rs1: T0, imm: CODE_AT });
  code.add('jalr', { rs1: T1 });

  // t0 is the anchor here; the case has saved the real t0.
  const leave = code.pc;
  for (let i = 0; i < 32; i++) if (i !== T0) code.add('sd', { rs2: i, rs1: T0, imm: 8 * i });
  for (let i = 0; i < 32; i++) code.add('fsd', { rs2: i, rs1: T0, imm: F_AT + 8 * i });
  code.add('csrrs', { rd: A0, csr: 3 });
  code.add('sd', { rs2: A0, rs1: T0, imm: FCSR_AT });
  code.head(A0);
  code.address(A1, DATA);
  copyData(A1, 0, T0, DATA_AT);
  code.address(T1, TABLE_POINTER);
  code.add('ld', { rd: A0, rs1: T1, imm: SWEEPS - TABLE_POINTER });
  code.add('addi', { rd: A2, imm: 1 });
  code.add('bne', { rs1: A0, rs2: A2, imm: 24 });
  code.add('addi', { rd: A0, imm: 1 });
  code.add('addi', { rd: A1, rs1: T0 });
  code.add('addi', { rd: A2, imm: RECORD_BYTES });
  code.add('addi', { rd: A7, imm: SYS_WRITE });
  code.add('ecall');
  code.head(T1);
  code.address(T1, TABLE_POINTER);
  code.add('ld', { rd: A0, rs1: T1 });
  code.add('ld', { rd: T0, rs1: A0, imm: NEXT_AT });
  code.add('beq', { rs1: T0, rs2: 0, imm: 8 });
  code.jump(nextCase);
  code.add('ld', { rd: A0, rs1: T1, imm: SWEEPS - TABLE_POINTER });
  code.add('addi', { rd: A0, rs1: A0, imm: -1 });
  code.add('sd', { rs2: A0, rs1: T1, imm: SWEEPS - TABLE_POINTER });
  code.add('beq', { rs1: A0, rs2: 0, imm: 8 });
  code.jump(nextSweep);
  code.add('addi', { rd: A0 });
  code.add('addi', { rd: A7, imm: SYS_EXIT });
  code.add('ecall');
  return { code, leave };
}

/** A case's code: the last two registers, its instructions, and the way out. */
function caseCode(one: DiffCase, start: number, leave: number): { code: Code; begin: number } {
  const code = new Code(start);
  code.add('ld', { rd: T1, rs1: T0, imm: 8 * T1 });
  code.add('ld', { rd: T0, rs1: T0, imm: 8 * T0 });
  const begin = code.pc;
  code.raw(...resolve(one.units));
  if (one.anchor !== T0) {
    code.add('sd', { rs2: T0, rs1: one.anchor, imm: 8 * T0 });
    code.add('addi', { rd: T0, rs1: one.anchor });
  } else code.add('sd', { rs2: T0, rs1: T0, imm: 8 * T0 });
  code.jump(leave);
  return { code, begin };
}

export interface Program {
  /** Memory from START on. */
  readonly image: Uint8Array;
  readonly elf: Uint8Array;
  /** Address of each case's first instruction. */
  readonly begins: readonly number[];
  readonly instructions: number;
}

/** The cases as a program: sweeps over all of them, each from the same state; the last one counts. */
export function buildProgram(cases: readonly DiffCase[]): Program {
  const { code, leave } = harness();
  const codeStart = TABLES + TABLE_BYTES * cases.length;
  let at = codeStart;
  const begins: number[] = [];
  const pieces = cases.map((one) => {
    at += one.gap;
    const piece = caseCode(one, at, leave);
    const start = at;
    begins.push(piece.begin);
    at += piece.code.length;
    return { start, bytes: piece.code.bytes };
  });
  const image = new Uint8Array((at - START + 0xfff) & ~0xfff);
  const view = new DataView(image.buffer);
  image.set(code.bytes, 0);
  view.setBigUint64(SWEEPS - START, LEAST_SWEEPS, true);
  let instructions = 0;
  for (const [index, one] of cases.entries()) {
    const table = TABLES + TABLE_BYTES * index - START;
    const set = (offset: number, value: bigint): void => view.setBigUint64(table + offset, value, true);
    for (const [i, value] of one.x.entries()) set(8 * i, i === one.anchor ? BigInt(RESULT) : value);
    for (const [i, value] of one.f.entries()) set(F_AT + 8 * i, value);
    set(FCSR_AT, BigInt(one.fcsr));
    image.set(one.data, table + DATA_AT);
    const { start, bytes } = pieces[index]!;
    set(CODE_AT, BigInt(start));
    set(NEXT_AT, index + 1 < cases.length ? BigInt(TABLES + TABLE_BYTES * (index + 1)) : 0n);
    image.set(bytes, start - START);
    instructions += resolve(one.units).length;
  }
  const elf = staticElf(START, image);
  return { image, elf, begins, instructions };
}
