// CSRs that the comparison with QEMU reads and writes.
import * as CSR from './csr-numbers.ts';

/** Their values after a write follow from the specification alone, in QEMU 7.2 as here. */
export const CSR_WRITES = [
  CSR.SSTATUS,
  CSR.SIE,
  CSR.STVEC,
  CSR.SCOUNTEREN,
  CSR.SENVCFG,
  CSR.SSCRATCH,
  CSR.SEPC,
  CSR.SCAUSE,
  CSR.STVAL,
  CSR.SIP,
  CSR.MSTATUS,
  CSR.MIDELEG,
  CSR.MEDELEG,
  CSR.MIE,
  CSR.MCOUNTEREN,
  CSR.MSCRATCH,
  CSR.MEPC,
  CSR.MCAUSE,
  CSR.MTVAL,
  CSR.MIP,
  CSR.FFLAGS,
  CSR.FRM,
  CSR.FCSR,
] as const;

export const CSR_READS = {
  stable: [...CSR_WRITES, CSR.SATP, CSR.MISA, CSR.MTVEC, CSR.MHARTID, CSR.PMPCFG0, CSR.PMPADDR0],
  /** Counters and what QEMU fills with its own identity: only whether they may be read is compared. */
  moving: [
    ...[
      CSR.CYCLE,
      CSR.TIME,
      CSR.INSTRET,
      CSR.MCYCLE,
      CSR.MINSTRET,
      CSR.STIMECMP,
      CSR.MVENDORID,
      CSR.MCONFIGPTR,
    ],
    // Not there at all: sedeleg, hstatus, mstatush, cycleh, and a hole.
    ...[0x102, 0x600, 0x310, 0xc80, 0x5ff],
  ],
} as const;
