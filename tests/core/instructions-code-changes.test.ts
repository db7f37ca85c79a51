// Programs that change their own code. The architecture asks for fence.i only; this machine shows a store to the very
// next instruction without it too (decoded code is dropped by the store), and that is relied on and tested here.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../diff/encode.ts';
import { STATUS } from './csr-numbers.ts';
import { CODE, DATA, type Hart, newHart, poke, RAM } from './harness.ts';
import { FENCE_I, LOOP, NOP } from './instructions.ts';

const li = (rd: number, imm: number): number => encode('addi', { rd, imm });
/** Register with the address of the instruction that is changed, and one with what it becomes. */
const AT = 8;
const NEW = 9;
const RESULT = 10;

/** Runs words from an address with AT at word `target` and NEW holding its new instruction. */
function runChanging(
  words: readonly number[],
  target: number,
  at: number,
  setUp: (hart: Hart) => void = () => {},
) {
  const machine = newHart();
  machine.setCsr(0x300, STATUS.FS);
  machine.setX(NEW, BigInt(li(RESULT, 2)));
  machine.core.hart.setF(NEW, 0xffff_ffff_0000_0000n | BigInt(li(RESULT, 2)));
  setUp(machine);
  machine.program([...words, LOOP], 3, at);
  // Once with a store that changes nothing here, so that all of the code is decoded when it is changed.
  machine.setX(AT, DATA);
  machine.core.run(words.length);
  for (let i = RESULT; i < RESULT + 3; i++) machine.setX(i, 0);
  machine.core.hart.pc = BigInt(at);
  machine.setX(AT, at + 4 * target);
  machine.core.run(words.length);
  return machine;
}

const PLACES = [
  ['within a page', CODE],
  ['over a page boundary', CODE + 0xff2],
  ['over a page boundary, by a halfword', CODE + 0xffa],
  ['over a page boundary, within an eight-byte store', CODE + 0xff6],
] as const;

describe.each(PLACES)('code %s', (_, at) => {
  const STORES = [
    ['sw', encode('sw', { rs2: NEW, rs1: AT })],
    ['fsw', encode('fsw', { rs2: NEW, rs1: AT })],
    ['amoswap.w', encode('amoswap.w', { rs2: NEW, rs1: AT })],
  ] as const;

  it.each(STORES)('shows a %s to the next instruction', (name, store) => {
    if (name === 'amoswap.w' && at % 4 !== 0) {
      // An atomic store has to be aligned: the instruction it makes is then, too.
      const machine = runChanging([NOP, store, li(RESULT, 1)], 2, at + 2);
      expect(machine.x(RESULT)).toBe(2n);
      return;
    }
    expect(runChanging([store, li(RESULT, 1)], 1, at).x(RESULT)).toBe(2n);
  });

  it.each(STORES)('shows a %s to an instruction that was executed before, after fence.i', (name, store) => {
    const start = name === 'amoswap.w' ? at - (at % 4) : at;
    // Twice through: the first time stores, the second time executes what was stored.
    const words = [li(RESULT, 1), store, FENCE_I, encode('jal', { imm: -12 })];
    const machine = newHart();
    machine.setCsr(0x300, STATUS.FS);
    machine.setX(AT, start);
    machine.setX(NEW, BigInt(li(RESULT, 2)));
    machine.core.hart.setF(NEW, 0xffff_ffff_0000_0000n | BigInt(li(RESULT, 2)));
    machine.program(words, 3, start);
    machine.core.run(1);
    expect(machine.x(RESULT)).toBe(1n);
    machine.core.run(4);
    expect(machine.x(RESULT)).toBe(2n);
  });

  it('shows a store of one halfword of an instruction', () => {
    const [one, two] = [li(RESULT, 1), li(RESULT, 2)];
    // The immediate lies in the upper half.
    const words = [encode('sh', { rs2: NEW, rs1: AT, imm: 2 }), one];
    const machine = runChanging(words, 1, at, (hart) => hart.setX(NEW, two >>> 16));
    expect(machine.x(RESULT)).toBe(2n);
  });

  it('shows a store of one byte of an instruction', () => {
    const words = [encode('sb', { rs2: NEW, rs1: AT, imm: 1 }), li(RESULT, 1)];
    // rd is bits 7 to 11: byte 1 has four of them.
    const to = li(RESULT + 2, 1);
    const machine = runChanging(words, 1, at, (hart) => hart.setX(NEW, (to >>> 8) & 255));
    expect([machine.x(RESULT), machine.x(RESULT + 2)]).toEqual([0n, 1n]);
  });

  it('shows a store of eight bytes to the two next instructions', () => {
    const words = [encode('sd', { rs2: NEW, rs1: AT }), li(RESULT, 1), li(RESULT + 1, 1)];
    const machine = runChanging(words, 1, at, (hart) =>
      hart.setX(NEW, (BigInt(li(RESULT + 1, 7)) << 32n) | BigInt(li(RESULT, 6))),
    );
    expect([machine.x(RESULT), machine.x(RESULT + 1)]).toEqual([6n, 7n]);
  });

  it('goes on behind a store that changed itself, and shows the change when it comes there again', () => {
    const words = [encode('sw', { rs2: NEW, rs1: AT }), li(11, 5), encode('jal', { imm: -8 })];
    const machine = runChanging(words, 0, at);
    expect([machine.x(RESULT), machine.x(11)]).toEqual([0n, 5n]);
    machine.core.run(1);
    expect(machine.x(RESULT)).toBe(2n);
  });

  it('shows a change that the host made', () => {
    const machine = newHart();
    machine.program([li(RESULT, 1), encode('jal', { imm: -4 })], 3, at);
    machine.core.run(4);
    poke(machine.core, at, [li(RESULT, 2)]);
    machine.core.run(2);
    expect(machine.x(RESULT)).toBe(2n);
  });

  it('shows each of a thousand changes of one instruction', () => {
    // addi's immediate counts up: lw, add 1 << 20, sw, the instruction itself, sum, loop.
    const words = [
      encode('lw', { rd: NEW, rs1: AT }),
      encode('add', { rd: NEW, rs1: NEW, rs2: 12 }),
      encode('sw', { rs2: NEW, rs1: AT }),
      li(RESULT, 0),
      encode('add', { rd: 11, rs1: 11, rs2: RESULT }),
      encode('jal', { imm: -20 }),
    ];
    const machine = newHart();
    machine.setX(AT, at + 12);
    machine.setX(12, 1 << 20);
    machine.program(words, 3, at);
    machine.core.run(6 * 1000);
    expect(machine.x(RESULT)).toBe(1000n);
    expect(machine.x(11)).toBe(500_500n);
  });
});

it('cbo.zero clears code: the next instruction is illegal', () => {
  const machine = newHart();
  machine.setX(AT, CODE + 64);
  machine.program([encode('cbo.zero', { rs1: AT })], 3, CODE + 60);
  poke(machine.core, CODE + 64, [NOP]);
  expect(machine.step(2)).toMatchObject({ cause: 2n, tval: 0n, epc: BigInt(CODE + 64) });
});

it('sc changes the next instruction', () => {
  const machine = newHart();
  machine.setX(AT, CODE + 8);
  machine.setX(NEW, li(RESULT, 2));
  machine.program([
    encode('lr.w', { rd: 5, rs1: AT }),
    encode('sc.w', { rd: 6, rs1: AT, rs2: NEW }),
    li(RESULT, 1),
  ]);
  machine.core.run(3);
  expect([machine.x(6), machine.x(RESULT)]).toEqual([0n, 2n]);
});

it('data beside code in one page stays right through thousands of stores', () => {
  const words = [
    encode('ld', { rd: 5, rs1: AT }),
    encode('addi', { rd: 5, rs1: 5, imm: 1 }),
    encode('sd', { rs2: 5, rs1: AT }),
    encode('sd', { rs2: 5, rs1: AT, imm: -8 }),
    encode('jal', { imm: -16 }),
  ];
  for (const distance of [24, 40, 256, 0xe00]) {
    const machine = newHart();
    machine.setX(AT, CODE + words.length * 4 + distance);
    machine.program(words);
    machine.core.run(5 * 5000);
    expect(machine.read64(CODE + words.length * 4 + distance)).toBe(5000n);
    expect(machine.core.hart.pc).toBe(BigInt(CODE));
  }
});

// Against a model: lines that add a constant, and lines that put a new constant into any line, themselves included.
interface Line {
  readonly store: boolean;
  readonly value: number;
  readonly target: number;
}
const LINES = 24;
const lines = fc.array(
  fc.record({
    store: fc.boolean(),
    value: fc.integer({ min: 1, max: 2000 }),
    target: fc.nat(LINES - 1),
  }),
  { minLength: LINES, maxLength: LINES },
);

it('a program whose lines rewrite each other gives what a model of it gives', () => {
  const sum = (value: number): number => encode('addi', { rd: RESULT, rs1: RESULT, imm: value });
  fc.assert(
    fc.property(lines, fc.nat(60), fc.integer({ min: 1, max: 4 }), (program, shift, rounds) => {
      // Line i stores the word at DATA + 4 i, which is sum(its value). Registers: 8 code, 11 data.
      const at = CODE + 0x1000 - 2 * shift;
      const machine = newHart();
      machine.setX(AT, at);
      machine.setX(11, DATA);
      const store = ({ target }: Line, index: number): number[] => [
        encode('lw', { rd: NEW, rs1: 11, imm: 4 * index }),
        encode('sw', { rs2: NEW, rs1: AT, imm: 8 * target + 4 }),
      ];
      const words = program.flatMap((line, index) =>
        line.store ? store(line, index) : [NOP, sum(line.value)],
      );
      poke(
        machine.core,
        DATA,
        program.map((line) => sum(line.value)),
      );
      machine.program([...words, encode('jal', { imm: -4 * words.length })], 3, at);
      machine.core.run(rounds * (words.length + 1));

      // A line whose second half was rewritten adds; one that still stores does so.
      const model: (Line | number)[] = program.map((line) => (line.store ? line : line.value));
      let expected = 0;
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < model.length; i++) {
          const line = model[i]!;
          if (typeof line === 'number') expected += line;
          else model[line.target] = line.value;
        }
      }
      expect(machine.x(RESULT)).toBe(BigInt(expected));
      expect(machine.core.hart.pc).toBe(BigInt(at));
    }),
    { numRuns: 300 },
  );
});

it('an instruction over the end of RAM is an access fault, with the address of its missing half in mtval', () => {
  const machine = newHart();
  const end = RAM + machine.core.ram.length;
  poke(machine.core, end - 2, Uint8Array.of(0x13, 0));
  machine.core.hart.pc = BigInt(end - 2);
  expect(machine.step()).toMatchObject({ cause: 1n, tval: BigInt(end), epc: BigInt(end - 2) });
});
