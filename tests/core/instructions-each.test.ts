// Every instruction of the table by itself: it is carried out, touches its destination alone, and what is not in the
// table is illegal. What the results must be is the matter of tests/diff.
import { describe, expect, it } from 'vitest';
import { decodeCompressed } from '../../src/isa/compressed-table.ts';
import { decode } from '../../src/isa/decode.ts';
import { disassemble } from '../../src/isa/disassemble.ts';
import { rdOf, rs1Of } from '../../src/isa/fields.ts';
import { encode } from '../diff/encode.ts';
import { CODE, DATA, type Hart, newHart, poke, RAM } from './harness.ts';
import {
  accessesMemory,
  bytesOf,
  COMPRESSED,
  expandCompressed,
  floatRegisters,
  INSTRUCTIONS,
  type Instruction,
  integerRegisters,
  isFloatOperand,
  jumps,
  LEAVING,
  prepared,
  Random,
  sample,
  sampleCompressed,
} from './instruction-samples.ts';

const SAMPLES = 10;
const ILLEGAL = 2n;

const STAYING = INSTRUCTIONS.filter((one) => !LEAVING.includes(one.mnemonic));

/** A sample whose base register, if it has one, is not x0. */
function usable(one: Instruction, random: Random): number {
  const word = sample(one, random);
  return accessesMemory(one) && rs1Of(word) === 0 ? (word | (random.between(1, 31) << 15)) >>> 0 : word;
}

/** The one register that an instruction may change. */
function destination(one: Instruction, word: number): { x?: number; f?: number } {
  if (!one.fields.some((field) => field.name === 'rd')) return {};
  return isFloatOperand(one, 'rd') ? { f: rdOf(word) } : { x: rdOf(word) };
}

const changed = (before: readonly bigint[], after: readonly bigint[]): number[] =>
  before.flatMap((value, index) => (value === after[index] ? [] : [index]));

function executeRaw(machine: Hart, raw: number): ReturnType<Hart['step']> {
  poke(machine.core, CODE, bytesOf(raw));
  return machine.step();
}

describe.each(STAYING.map((one) => [one.mnemonic, one] as const))('%s', (mnemonic, one) => {
  it('retires, and changes no register but its destination', () => {
    const random = new Random(mnemonic.length);
    for (let count = 0; count < SAMPLES; count++) {
      const word = usable(one, random);
      const machine = prepared(random, accessesMemory(one) ? rs1Of(word) : 0);
      const [x, f] = [integerRegisters(machine), floatRegisters(machine)];
      const text = disassemble(word);
      expect(executeRaw(machine, word), text).toBeUndefined();
      expect(machine.core.instructions, text).toBe(1);
      if (!jumps(one)) expect(machine.core.hart.pc, text).toBe(BigInt(CODE + 4));
      const to = destination(one, word);
      expect(
        changed(x, integerRegisters(machine)).filter((index) => index !== to.x || index === 0),
        text,
      ).toEqual([]);
      expect(
        changed(f, floatRegisters(machine)).filter((index) => index !== to.f),
        text,
      ).toEqual([]);
    }
  });
});

it.each(
  STAYING.filter((one) => destination(one, 0).x !== undefined).map((one) => [one.mnemonic, one] as const),
)('%s with rd = x0 leaves x0 zero for the next instruction', (mnemonic, one) => {
  const random = new Random(mnemonic.length + 1);
  for (let count = 0; count < SAMPLES; count++) {
    const word = (usable(one, random) & ~(31 << 7)) >>> 0;
    const machine = prepared(random, accessesMemory(one) ? rs1Of(word) : 0);
    expect(executeRaw(machine, word), disassemble(word)).toBeUndefined();
    expect(machine.x(0)).toBe(0n);
    // Not addi, which has a form of its own with x0.
    machine.program([encode('or', { rd: 9, rs1: 0, rs2: 0 })]);
    machine.step();
    expect(machine.x(9), disassemble(word)).toBe(0n);
  }
});

const ADDRESSES = 4096;

it.each(
  COMPRESSED.filter((one) => !LEAVING.includes(one.base.mnemonic)).map((one) => [one.mnemonic, one] as const),
)('%s does what the instruction it stands for does, in two bytes', (mnemonic, one) => {
  for (let count = 0; count < SAMPLES; count++) {
    const seed = 1000 * count + mnemonic.length;
    const halfword = sampleCompressed(one, new Random(seed));
    const word = expandCompressed(halfword);
    const text = disassemble(halfword, undefined, { aliases: false });
    const run = (raw: number) => {
      const machine = prepared(new Random(seed), accessesMemory(one.base) ? rs1Of(word) : 0);
      expect(executeRaw(machine, raw), text).toBeUndefined();
      const { core } = machine;
      expect(core.instructions).toBe(1);
      const from = DATA - RAM - ADDRESSES / 2;
      return {
        x: integerRegisters(machine),
        f: floatRegisters(machine),
        data: Buffer.from(core.ram.slice(from, from + ADDRESSES)).toString('hex'),
        pc: core.hart.pc,
      };
    };
    const [short, long] = [run(halfword), run(word)];
    // Branches go to the same place; what goes on, and what is linked, is two bytes earlier.
    const next = BigInt(CODE + 4);
    const earlier = (value: bigint): bigint => (value === next ? value - 2n : value);
    const link = one.base.mnemonic === 'jalr' && rdOf(word) === 1;
    if (link) long.x[1] = earlier(long.x[1]!);
    if (!(jumps(one.base) && long.pc !== next)) long.pc = earlier(long.pc);
    expect({ text, ...short }).toEqual({ text, ...long });
  }
});

describe('what is not in the table', () => {
  it('raises illegal instruction with the word in mtval and does not retire', () => {
    const random = new Random(5);
    const words = [0xffffffff, 0x0000001f, 0x0000003f, 0x0000007f, 0x0000700b];
    while (words.length < 300) {
      const word = (random.word() | 3) >>> 0;
      if (decode(word) === undefined) words.push(word);
    }
    for (const word of words) {
      const machine = prepared(random, 0);
      const x = integerRegisters(machine);
      expect(executeRaw(machine, word), word.toString(16)).toEqual({
        to: 3,
        cause: ILLEGAL,
        tval: BigInt(word),
        epc: BigInt(CODE),
      });
      expect(machine.core.instructions).toBe(0);
      expect(changed(x, integerRegisters(machine))).toEqual([]);
    }
  });

  it('raises illegal instruction with all reserved halfwords, and those alone in mtval', () => {
    const machine = newHart();
    let reserved = 0;
    for (let halfword = 0; halfword < 0x10000; halfword++) {
      if ((halfword & 3) === 3 || decodeCompressed(halfword) !== undefined) continue;
      reserved++;
      machine.core.hart.pc = BigInt(CODE);
      // Set bits behind it must not come into mtval.
      poke(machine.core, CODE, Uint8Array.of(halfword & 255, halfword >>> 8, 0xff, 0xff));
      const trap = machine.step();
      if (trap?.cause !== ILLEGAL || trap.tval !== BigInt(halfword))
        expect([halfword.toString(16), trap]).toEqual([halfword.toString(16), 'illegal instruction']);
    }
    expect(reserved).toBeGreaterThan(1000);
  });

  it('is illegal also when one fixed bit tells it from an instruction', () => {
    for (const one of STAYING) {
      const random = new Random(one.match | 0);
      for (let bit = 2; bit < 32; bit++) {
        if (((one.mask >>> bit) & 1) === 0) continue;
        const word = (usable(one, random) ^ (1 << bit)) >>> 0;
        if (decode(word) !== undefined) continue;
        const trap = executeRaw(prepared(random, 0), word);
        expect([word.toString(16), trap?.cause, trap?.tval]).toEqual([
          word.toString(16),
          ILLEGAL,
          BigInt(word),
        ]);
      }
    }
  });
});
