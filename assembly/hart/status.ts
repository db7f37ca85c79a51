// Fields of mstatus and of the CSRs that act with it. Privileged architecture 1.12, section 3.1.6.
export const MSTATUS_SIE: u64 = 1 << 1;
export const MSTATUS_MIE: u64 = 1 << 3;
export const MSTATUS_SPIE: u64 = 1 << 5;
export const MSTATUS_MPIE: u64 = 1 << 7;
export const MSTATUS_SPP: u64 = 1 << 8;
export const MSTATUS_MPP: u64 = 3 << 11;
export const MSTATUS_MPP_SHIFT: u64 = 11;
export const MSTATUS_FS: u64 = 3 << 13;
export const MSTATUS_MPRV: u64 = 1 << 17;
export const MSTATUS_SUM: u64 = 1 << 18;
export const MSTATUS_MXR: u64 = 1 << 19;
export const MSTATUS_TVM: u64 = 1 << 20;
export const MSTATUS_TW: u64 = 1 << 21;
export const MSTATUS_TSR: u64 = 1 << 22;
/** UXL = SXL = 2 (64 bits), read-only. */
export const MSTATUS_XL: u64 = (2 << 32) | (2 << 34);
export const MSTATUS_SD: u64 = 1 << 63;

export const MSTATUS_WRITABLE: u64 =
  MSTATUS_SIE |
  MSTATUS_MIE |
  MSTATUS_SPIE |
  MSTATUS_MPIE |
  MSTATUS_SPP |
  MSTATUS_FS |
  MSTATUS_MPRV |
  MSTATUS_SUM |
  MSTATUS_MXR |
  MSTATUS_TVM |
  MSTATUS_TW |
  MSTATUS_TSR;
export const SSTATUS_WRITABLE: u64 =
  MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR;
/** What sstatus shows: the writable fields and UXL. */
export const SSTATUS_VISIBLE: u64 = SSTATUS_WRITABLE | (3 << 32);

// menvcfg, section 3.1.18; senvcfg has the low byte only.
export const ENVCFG_FIOM: u64 = 1;
export const ENVCFG_CBIE: u64 = 3 << 4;
export const ENVCFG_CBCFE: u64 = 1 << 6;
export const ENVCFG_CBZE: u64 = 1 << 7;
/** Svadu: 1 = the walk sets A and D itself, 0 = it raises a page fault (Svade). */
export const MENVCFG_ADUE: u64 = 1 << 61;
export const MENVCFG_PBMTE: u64 = 1 << 62;
export const MENVCFG_STCE: u64 = 1 << 63;
export const MENVCFG_WRITABLE: u64 =
  ENVCFG_FIOM | ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE | MENVCFG_ADUE | MENVCFG_PBMTE | MENVCFG_STCE;
export const SENVCFG_WRITABLE: u64 = ENVCFG_FIOM | ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE;

// Counter enables: bit 0 CY, 1 TM, 2 IR, 3.. HPM.
export const COUNTEREN_TM: u64 = 1 << 1;

// Interrupts that exist, by bit in mip, and those that can be delegated (section 3.1.8).
export const MIP_ALL: u64 = 0xaaa;
export const MIP_SUPERVISOR: u64 = 0x222;
export const MIP_SSIP: u64 = 1 << 1;
export const MIP_STIP: u64 = 1 << 5;
export const MIP_SEIP: u64 = 1 << 9;
export const MIP_MTIP: u64 = 1 << 7;
/** Exceptions 0-9, 12, 13, 15; an ecall from M-mode cannot be delegated. */
export const MEDELEG_WRITABLE: u64 = 0xb3ff;

// Exception causes, table 3.6.
export const CAUSE_FETCH_ACCESS: u64 = 1;
export const CAUSE_ILLEGAL: u64 = 2;
export const CAUSE_BREAKPOINT: u64 = 3;
export const CAUSE_LOAD_MISALIGNED: u64 = 4;
export const CAUSE_LOAD_ACCESS: u64 = 5;
export const CAUSE_STORE_MISALIGNED: u64 = 6;
export const CAUSE_STORE_ACCESS: u64 = 7;
export const CAUSE_ECALL_U: u64 = 8;
export const CAUSE_FETCH_PAGE: u64 = 12;
export const CAUSE_LOAD_PAGE: u64 = 13;
export const CAUSE_STORE_PAGE: u64 = 15;
