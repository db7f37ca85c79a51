// Instructions retired: exact, however the run is cut into pieces. Privileged architecture 3.1.10, unprivileged ISA 7.1.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../diff/encode.ts';
import { INSTRET, MCYCLE, MINSTRET } from './csr-numbers.ts';
import { CODE, M_HANDLER, newHart, poke } from './harness.ts';
import { csrr, csrw, EBREAK, ECALL, NOP, WFI } from './instructions.ts';

const MEPC = 0x341;
/** A handler that steps over the instruction; four instructions. */
const SKIP = [csrr(30, MEPC), encode('addi', { rd: 30, rs1: 30, imm: 4 }), csrw(MEPC, 30), encode('mret')];

type Step =
  | 'add'
  | 'load'
  | 'misaligned'
  | 'float'
  | 'branch'
  | 'far'
  | 'illegal'
  | 'ecall'
  | 'ebreak'
  | 'fault';
const WORDS: Readonly<Record<Step, number>> = {
  add: encode('add', { rd: 5, rs1: 6, rs2: 7 }),
  load: encode('ld', { rd: 5, rs1: 2 }),
  misaligned: encode('sd', { rs2: 5, rs1: 2, imm: 4093 - 4096 }),
  float: encode('fdiv.d', { rd: 5, rs1: 6, rs2: 7, rm: 1 }),
  branch: encode('beq', { imm: 4 }),
  far: encode('jal', { rd: 5, imm: 4 }),
  illegal: 0xffffffff,
  ecall: ECALL,
  ebreak: EBREAK,
  fault: encode('lw', { rd: 5 }),
};
const TRAPS: readonly Step[] = ['illegal', 'ecall', 'ebreak', 'fault'];
const steps = fc.array(fc.constantFrom(...(Object.keys(WORDS) as Step[])), { minLength: 1, maxLength: 60 });

function machineWith(list: readonly Step[]) {
  const machine = newHart();
  machine.setCsr(0x300, machine.csr(0x300) | (3n << 13n));
  poke(machine.core, M_HANDLER, SKIP);
  machine.setX(2, CODE + 0x2000);
  // Behind a page's start, so that longer lists run over its end.
  machine.program([...list.map((step) => WORDS[step]), NOP, WFI], 3, CODE + 0xf80);
  return machine;
}

describe('minstret', () => {
  it('counts what retires and no instruction that raises an exception, whatever the pieces of the run', () => {
    fc.assert(
      fc.property(
        steps,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
        (list, pieces) => {
          const traps = list.filter((step) => TRAPS.includes(step)).length;
          const retired = list.length - traps + traps * SKIP.length + 2;
          for (const cuts of [[1000], pieces, [1]]) {
            const { core, csr } = machineWith(list);
            let exit = 'budget';
            for (let i = 0; exit === 'budget' && i < 2000; i++) exit = core.run(cuts[i % cuts.length]!);
            expect([exit, core.instructions, csr(MINSTRET), csr(INSTRET)]).toEqual([
              'wfi',
              retired,
              BigInt(retired),
              BigInt(retired),
            ]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('read by the n-th instruction holds n - 1', () => {
    fc.assert(
      fc.property(fc.nat(50), (before) => {
        const machine = newHart();
        const words = [...Array<number>(before).fill(NOP), csrr(5, MINSTRET), csrr(6, INSTRET)];
        machine.program(words);
        machine.core.run(words.length);
        expect([machine.x(5), machine.x(6)]).toEqual([BigInt(before), BigInt(before + 1)]);
      }),
      { numRuns: 20 },
    );
  });

  it('holds what was written to it when the next instruction reads it', () => {
    const machine = newHart();
    machine.setX(7, 1000);
    machine.execute([NOP, csrw(MINSTRET, 7), csrr(5, MINSTRET), csrr(6, MINSTRET)]);
    expect([machine.x(5), machine.x(6)]).toEqual([1000n, 1001n]);
    expect(machine.core.instructions).toBe(4);
  });

  it('written by another counter’s write is not: mcycle and minstret are two', () => {
    const machine = newHart();
    machine.setX(7, 1000);
    machine.execute([csrw(MCYCLE, 7), csrr(5, MINSTRET)]);
    expect(machine.x(5)).toBe(1n);
  });
});

it('run(n) executes n instructions and no more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), (budget) => {
      const machine = newHart();
      // A loop of three over a page boundary.
      machine.program([NOP, NOP, encode('jal', { imm: -8 })], 3, CODE + 0xff8);
      expect(machine.core.run(budget)).toBe('budget');
      expect(machine.core.instructions).toBe(budget);
      expect(machine.core.hart.pc).toBe(BigInt(CODE + 0xff8 + 4 * (budget % 3)));
    }),
    { numRuns: 50 },
  );
});
