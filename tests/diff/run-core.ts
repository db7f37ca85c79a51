// Runs a program of cases on the core: S-mode on flat memory, system calls answered here.

import { Core } from '../../src/core/core.ts';
import { BareHost, poke, RAM } from '../support/core.ts';
import { coreUnderTest } from '../translator/pair.ts';
import type { Outcome } from './outcome.ts';
import { type Program, START, SWEEPS } from './program.ts';

export type EngineName = 'interpreter' | 'translator';

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
/** Instructions of a run while the translator learns: what became hot is translated when a run ends. */
const LEARNING_SLICE = 6000;
/** Instructions of a case with its way in and out, roughly. */
const CASE_INSTRUCTIONS = 420;
/** Sweeps after which nearly all of a batch is translated, and instructions in which a single case is. */
const LEARNING_SWEEPS = 8;
const LEARNING_INSTRUCTIONS = 30_000;

export interface CoreOutcome extends Outcome {
  /** Share of the last sweep's instructions that ran in translated code. */
  readonly translated: number;
}

/** A core with an image at the start of RAM, about to execute its first instruction in S-mode, floats on. */
export function supervisorCore(image: Uint8Array, engine: EngineName): Core {
  const core = Core.create(coreUnderTest(), {
    ramBytes: (image.length + 0xfff) & ~0xfff,
    sbi: true,
    host: new BareHost(),
    hotThreshold: engine === 'translator' ? 1 : 0,
  });
  const { hart } = core;
  poke(core, RAM, image);
  hart.pc = BigInt(RAM);
  hart.writeCsr(PMPADDR0, (1n << 54n) - 1n);
  hart.writeCsr(PMPCFG0, PMP_ALL);
  hart.writeCsr(MSTATUS, (hart.readCsr(MSTATUS) ?? 0n) | MSTATUS_FS_DIRTY);
  hart.privilege = SUPERVISOR;
  return core;
}

/** The records that the program writes; it ends early at an exception. */
export function runOnCore(program: Program, engine: EngineName): CoreOutcome {
  const translator = engine === 'translator';
  const core = supervisorCore(program.image, engine);
  const { hart } = core;
  const memory = new DataView(core.ram.buffer, core.ram.byteOffset, core.ram.byteLength);
  const learning = Math.max(
    LEARNING_SWEEPS,
    Math.ceil(LEARNING_INSTRUCTIONS / (CASE_INSTRUCTIONS * program.begins.length)),
  );
  if (translator) memory.setBigUint64(SWEEPS - START, BigInt(learning + 1), true);
  const records: Uint8Array[] = [];
  let begin = { instructions: 0, translatedInstructions: 0 };
  for (;;) {
    const last = memory.getBigUint64(SWEEPS - START, true) <= 1n;
    if (begin.instructions === 0 && last) begin = core.counters();
    const exit = core.run(translator && !last ? LEARNING_SLICE : BUDGET);
    if (exit === 'sbi') {
      if (hart.getX(17) !== SYS_WRITE) {
        const end = core.counters();
        const translated = end.translatedInstructions - begin.translatedInstructions;
        return { records, translated: translated / (end.instructions - begin.instructions) };
      }
      const from = Number(hart.getX(11)) - RAM;
      records.push(core.ram.slice(from, from + Number(hart.getX(12))));
      hart.setX(10, hart.getX(12));
      hart.pc += 4n;
    } else if (exit !== 'budget' || core.instructions >= BUDGET) {
      // mtvec is 0, where nothing is: an exception stops the hart.
      const [cause, pc, value] = [MCAUSE, MEPC, MTVAL].map((csr) => hart.readCsr(csr)?.toString(16));
      const failure = `${exit}: exception ${cause} at 0x${pc}, tval 0x${value}`;
      return { records, failure, translated: 0 };
    }
  }
}
