// One program under both engines: what it leaves behind must be the same.
import { expect } from 'vitest';
import * as CSR from './csr-numbers.ts';
import { type Hart, newHart } from './harness.ts';

/** The engines by name, with the threshold that makes them. */
export const ENGINES = [
  ['interpreted', 0],
  ['translated', 1],
] as const;

/** Everything a program can leave behind. */
export function stateOf(hart: Hart): unknown {
  const { core } = hart;
  return {
    pc: core.hart.pc,
    mode: core.hart.privilege,
    x: Array.from({ length: 32 }, (_, register) => hart.x(register)),
    instructions: core.instructions,
    traps: core.counters().traps,
    csrs: [CSR.MSTATUS, CSR.MCAUSE, CSR.MTVAL, CSR.MEPC, CSR.SCAUSE, CSR.STVAL, CSR.SEPC].map(hart.csr),
  };
}

/** Runs the same program both ways; the translated one must really have been translated. */
export function compare(prepare: (hart: Hart) => void, slices: readonly number[]): void {
  const outcomes = ENGINES.map(([, hotThreshold]) => {
    const hart = newHart({ hotThreshold });
    prepare(hart);
    const states = slices.map((slice) => {
      hart.core.run(slice);
      return stateOf(hart);
    });
    if (hotThreshold) expect(hart.core.counters().translatedInstructions).toBeGreaterThan(1000);
    return states;
  });
  expect(outcomes[1]).toEqual(outcomes[0]);
}

/** bne x5, x6, offset. */
export const bne = (offset: number): number =>
  ((((offset >> 12) & 1) << 31) |
    (((offset >> 5) & 0x3f) << 25) |
    (6 << 20) |
    (5 << 15) |
    (1 << 12) |
    (((offset >> 1) & 15) << 8) |
    (((offset >> 11) & 1) << 7) |
    0x63) >>>
  0;
