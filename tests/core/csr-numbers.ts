// CSR addresses, fields and causes that the tests of the core name. Privileged architecture 1.12, chapter 2.
export const FFLAGS = 0x001;
export const FRM = 0x002;
export const FCSR = 0x003;
export const SSTATUS = 0x100;
export const SIE = 0x104;
export const STVEC = 0x105;
export const SCOUNTEREN = 0x106;
export const SENVCFG = 0x10a;
export const SSCRATCH = 0x140;
export const SEPC = 0x141;
export const SCAUSE = 0x142;
export const STVAL = 0x143;
export const SIP = 0x144;
export const STIMECMP = 0x14d;
export const SATP = 0x180;
export const MSTATUS = 0x300;
export const MISA = 0x301;
export const MEDELEG = 0x302;
export const MIDELEG = 0x303;
export const MIE = 0x304;
export const MTVEC = 0x305;
export const MCOUNTEREN = 0x306;
export const MENVCFG = 0x30a;
export const MCOUNTINHIBIT = 0x320;
export const MHPMEVENT3 = 0x323;
export const MSCRATCH = 0x340;
export const MEPC = 0x341;
export const MCAUSE = 0x342;
export const MTVAL = 0x343;
export const MIP = 0x344;
export const PMPCFG0 = 0x3a0;
export const PMPCFG2 = 0x3a2;
export const PMPADDR0 = 0x3b0;
export const MCYCLE = 0xb00;
export const MINSTRET = 0xb02;
export const MHPMCOUNTER3 = 0xb03;
export const CYCLE = 0xc00;
export const TIME = 0xc01;
export const INSTRET = 0xc02;
export const HPMCOUNTER3 = 0xc03;
export const MVENDORID = 0xf11;
export const MHARTID = 0xf14;
export const MCONFIGPTR = 0xf15;

export const STATUS = {
  SIE: 1n << 1n,
  MIE: 1n << 3n,
  SPIE: 1n << 5n,
  MPIE: 1n << 7n,
  SPP: 1n << 8n,
  MPP: 3n << 11n,
  MPP_S: 1n << 11n,
  FS: 3n << 13n,
  FS_INITIAL: 1n << 13n,
  FS_CLEAN: 2n << 13n,
  MPRV: 1n << 17n,
  SUM: 1n << 18n,
  MXR: 1n << 19n,
  TVM: 1n << 20n,
  TW: 1n << 21n,
  TSR: 1n << 22n,
  UXL: 3n << 32n,
  SXL: 3n << 34n,
  SD: 1n << 63n,
} as const;

export const ENVCFG = {
  FIOM: 1n,
  CBIE: 3n << 4n,
  CBCFE: 1n << 6n,
  CBZE: 1n << 7n,
  ADUE: 1n << 61n,
  PBMTE: 1n << 62n,
  STCE: 1n << 63n,
} as const;

/** Bits of mip and mie. */
export const SSI = 1n << 1n;
export const MSI = 1n << 3n;
export const STI = 1n << 5n;
export const MTI = 1n << 7n;
export const SEI = 1n << 9n;
export const MEI = 1n << 11n;

export const CAUSE = {
  FETCH_ACCESS: 1n,
  ILLEGAL: 2n,
  BREAKPOINT: 3n,
  LOAD_MISALIGNED: 4n,
  LOAD_ACCESS: 5n,
  STORE_MISALIGNED: 6n,
  STORE_ACCESS: 7n,
  ECALL_U: 8n,
  ECALL_S: 9n,
  ECALL_M: 11n,
  FETCH_PAGE: 12n,
  LOAD_PAGE: 13n,
  STORE_PAGE: 15n,
} as const;
export const INTERRUPT = 1n << 63n;
export const ALL_ONES = (1n << 64n) - 1n;
