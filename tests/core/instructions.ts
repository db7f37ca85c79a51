// Instruction words for tests of the bare core: a few encoders, so that a test names what it executes.

type Register = number;

const i = (opcode: number, f3: number, rd: Register, rs1: Register, imm: number): number =>
  (((imm & 0xfff) << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | opcode) >>> 0;
const r = (opcode: number, f3: number, f7: number, rd: Register, rs1: Register, rs2: Register): number =>
  ((f7 << 25) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | opcode) >>> 0;
const s = (opcode: number, f3: number, rs1: Register, rs2: Register, imm: number): number =>
  (((imm & 0xfe0) << 20) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | ((imm & 31) << 7) | opcode) >>> 0;

export const NOP = 0x00000013;
export const ECALL = 0x00000073;
export const EBREAK = 0x00100073;
export const C_EBREAK = 0x9002;
export const C_NOP = 0x0001;
export const SRET = 0x10200073;
export const MRET = 0x30200073;
export const WFI = 0x10500073;
export const FENCE_I = 0x0000100f;
export const SFENCE_W_INVAL = 0x18000073;
export const SFENCE_INVAL_IR = 0x18100073;
/** Jumps to itself. */
export const LOOP = 0x0000006f;

export const addi = (rd: Register, rs1: Register, imm: number): number => i(0x13, 0, rd, rs1, imm);
export const jalr = (rd: Register, rs1: Register, imm = 0): number => i(0x67, 0, rd, rs1, imm);
export const jal = (rd: Register, offset: number): number =>
  ((((offset >> 20) & 1) << 31) |
    (((offset >> 1) & 0x3ff) << 21) |
    (((offset >> 11) & 1) << 20) |
    (((offset >> 12) & 0xff) << 12) |
    (rd << 7) |
    0x6f) >>>
  0;

export const csrrw = (rd: Register, csr: number, rs1: Register): number => i(0x73, 1, rd, rs1, csr);
export const csrrs = (rd: Register, csr: number, rs1: Register): number => i(0x73, 2, rd, rs1, csr);
export const csrrc = (rd: Register, csr: number, rs1: Register): number => i(0x73, 3, rd, rs1, csr);
export const csrrwi = (rd: Register, csr: number, value: number): number => i(0x73, 5, rd, value, csr);
export const csrrsi = (rd: Register, csr: number, value: number): number => i(0x73, 6, rd, value, csr);
export const csrrci = (rd: Register, csr: number, value: number): number => i(0x73, 7, rd, value, csr);
export const csrr = (rd: Register, csr: number): number => csrrs(rd, csr, 0);
export const csrw = (csr: number, rs1: Register): number => csrrw(0, csr, rs1);

/** Loads by size in bytes, sign-extending; lbu, lhu and lwu are not needed here. */
export const load = (size: 1 | 2 | 4 | 8, rd: Register, rs1: Register, imm = 0): number =>
  i(0x03, Math.log2(size), rd, rs1, imm);
export const store = (size: 1 | 2 | 4 | 8, rs2: Register, rs1: Register, imm = 0): number =>
  s(0x23, Math.log2(size), rs1, rs2, imm);
export const fld = (rd: Register, rs1: Register, imm = 0): number => i(0x07, 3, rd, rs1, imm);
export const fsd = (rs2: Register, rs1: Register, imm = 0): number => s(0x27, 3, rs1, rs2, imm);
export const faddD = (rd: Register, rs1: Register, rs2: Register): number => r(0x53, 0, 1, rd, rs1, rs2);
export const fmvDX = (rd: Register, rs1: Register): number => r(0x53, 0, 0x79, rd, rs1, 0);

export const lr = (size: 4 | 8, rd: Register, rs1: Register): number =>
  r(0x2f, Math.log2(size), 0x08, rd, rs1, 0);
export const sc = (size: 4 | 8, rd: Register, rs1: Register, rs2: Register): number =>
  r(0x2f, Math.log2(size), 0x0c, rd, rs1, rs2);
export const amoadd = (size: 4 | 8, rd: Register, rs1: Register, rs2: Register): number =>
  r(0x2f, Math.log2(size), 0x00, rd, rs1, rs2);

export const sfenceVma = (rs1: Register = 0, rs2: Register = 0): number => r(0x73, 0, 0x09, 0, rs1, rs2);
export const sinvalVma = (rs1: Register = 0, rs2: Register = 0): number => r(0x73, 0, 0x0b, 0, rs1, rs2);

export const cboInval = (rs1: Register): number => i(0x0f, 2, 0, rs1, 0);
export const cboClean = (rs1: Register): number => i(0x0f, 2, 0, rs1, 1);
export const cboFlush = (rs1: Register): number => i(0x0f, 2, 0, rs1, 2);
export const cboZero = (rs1: Register): number => i(0x0f, 2, 0, rs1, 4);
