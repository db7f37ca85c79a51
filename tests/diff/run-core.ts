// Runs a program of cases on the interpreter: S-mode on flat memory, system calls answered here.
import { bareCore, poke, RAM } from '../support/core.ts';
import type { Outcome } from './outcome.ts';
import type { Program } from './program.ts';

const SYS_WRITE = 64n;
const SUPERVISOR = 1;
const MSTATUS = 0x300;
const MEPC = 0x341;
const MCAUSE = 0x342;
const MTVAL = 0x343;
const PMPCFG0 = 0x3a0;
const PMPADDR0 = 0x3b0;
const MSTATUS_FS_DIRTY = 3n << 13n;
/** Read, write and execute, naturally aligned: with an address of all ones, everything. */
const PMP_ALL = 0x1fn;
/** Far more than a batch takes. */
const BUDGET = 0x4000_0000;

/** The records that the program writes; it ends early at an exception. */
export function runOnCore(program: Program): Outcome {
  const { core } = bareCore({ ramBytes: (program.image.length + 0xfff) & ~0xfff, sbi: true });
  const { hart } = core;
  poke(core, RAM, program.image);
  hart.writeCsr(PMPADDR0, (1n << 54n) - 1n);
  hart.writeCsr(PMPCFG0, PMP_ALL);
  hart.writeCsr(MSTATUS, (hart.readCsr(MSTATUS) ?? 0n) | MSTATUS_FS_DIRTY);
  hart.privilege = SUPERVISOR;
  const records: Uint8Array[] = [];
  for (;;) {
    const exit = core.run(BUDGET);
    if (exit === 'sbi') {
      if (hart.getX(17) !== SYS_WRITE) return { records };
      const from = Number(hart.getX(11)) - RAM;
      records.push(core.ram.slice(from, from + Number(hart.getX(12))));
      hart.setX(10, hart.getX(12));
      hart.pc += 4n;
    } else {
      // mtvec is 0, where nothing is: an exception stops the hart.
      const [cause, pc, value] = [MCAUSE, MEPC, MTVAL].map((csr) => hart.readCsr(csr)?.toString(16));
      return { records, failure: `${exit}: exception ${cause} at 0x${pc}, tval 0x${value}` };
    }
  }
}
