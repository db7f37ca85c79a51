// Hot code that the translator has taken over stops where its budget ends, and is interrupted by the instruction
// clock where the interpreter's would be.
import { describe, expect, it } from 'vitest';
import { bne, compare, ENGINES, stateOf } from './both-engines.ts';
import * as CSR from './csr-numbers.ts';
import { ENVCFG } from './csr-numbers.ts';
import { type Hart, newHart, poke, S_HANDLER, U } from './harness.ts';
import * as I from './instructions.ts';

describe('hot code', () => {
  it('stops exactly where the budget ends', () => {
    compare(
      (hart) => hart.program([I.addi(5, 5, 1), I.addi(7, 7, 3), I.addi(8, 8, -1), bne(-12)]),
      [5000, 1, 2, 3, 2047, 2048, 2049, 2050, 7, 10_000, 4099],
    );
  });

  it('is interrupted by the instruction clock at the same instruction in any slices', () => {
    const prepare = (hart: Hart) => {
      hart.setCsr(CSR.MENVCFG, ENVCFG.STCE);
      hart.setCsr(CSR.MCOUNTEREN, 7n);
      hart.setCsr(CSR.MIDELEG, CSR.STI);
      hart.setCsr(CSR.MIE, CSR.STI);
      const handler = [
        I.csrr(10, CSR.SEPC),
        I.csrr(11, CSR.INSTRET),
        I.csrr(12, CSR.TIME),
        I.addi(12, 12, 777),
      ];
      poke(hart.core, S_HANDLER, [...handler, I.csrw(CSR.STIMECMP, 12), I.addi(13, 13, 1), I.SRET]);
      hart.setCsr(CSR.STIMECMP, 5n);
      hart.setX(6, -1);
      hart.program([I.addi(5, 5, 1), I.addi(7, 7, 3), I.addi(8, 8, -1), bne(-12)], U);
    };
    const runs = ENGINES.flatMap(([, hotThreshold]) =>
      [[40_000], [1, 3000], [2500, 2500, 35], [7777]].map((slices) => {
        const hart = newHart({ hotThreshold, instructionsPerTick: 10 });
        prepare(hart);
        let at = 0;
        for (let rest = 120_000; rest > 0; ) {
          const slice = Math.min(rest, slices[at++ % slices.length]!);
          hart.core.run(slice);
          rest -= slice;
        }
        if (hotThreshold && slices[0] === 40_000) {
          expect(hart.core.counters().translatedInstructions).toBeGreaterThan(1000);
        }
        return stateOf(hart);
      }),
    );
    expect(hartsInterrupts(runs[0])).toBeGreaterThan(10n);
    for (const run of runs) expect(run).toEqual(runs[0]);
  });
});

const hartsInterrupts = (state: unknown): bigint => (state as { x: bigint[] }).x[13]!;
