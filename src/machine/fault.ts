// Words for a hart that can make no progress.
import type { HartView } from '../core/core-types.ts';

/** Exception codes. Privileged architecture 1.12, table 3.6. */
const CAUSES: Readonly<Record<number, string>> = {
  0: 'instruction address misaligned',
  1: 'instruction access fault',
  2: 'illegal instruction',
  3: 'breakpoint',
  4: 'load address misaligned',
  5: 'load access fault',
  6: 'store address misaligned',
  7: 'store access fault',
  8: 'ecall from U-mode',
  9: 'ecall from S-mode',
  11: 'ecall from M-mode',
  12: 'instruction page fault',
  13: 'load page fault',
  15: 'store page fault',
};
const MODES = { 0: 'U', 1: 'S', 3: 'M' } as const;

/** One line that names the cause, pc, tval and mode of the trap that nobody can handle. */
export function describeFault(hart: HartView): string {
  const { cause, value } = hart.stop;
  const name = CAUSES[Number(cause)] ?? `exception ${cause}`;
  const pc = `0x${hart.pc.toString(16)}`;
  const tval = `0x${value.toString(16)}`;
  return `${name} at pc ${pc} (tval ${tval}) in ${MODES[hart.privilege]}-mode, and its trap handler cannot run`;
}
