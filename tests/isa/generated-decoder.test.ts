import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { compressedImmediate, decodeCompressed, expandCompressed } from '../../src/isa/compressed-table.ts';
import { decode } from '../../src/isa/decode.ts';
import { FORMATS, immediateOf } from '../../src/isa/fields.ts';
import { operandFlags } from '../../src/isa/generate-decoder.ts';
import { HINT_INSTRUCTIONS, INSTRUCTIONS, opName } from '../../src/isa/instruction-table.ts';
import { compileGenerated, FIELD_NAMES, type GeneratedCore } from './generated-core.ts';

let core: GeneratedCore;
beforeAll(async () => {
  core = await compileGenerated();
});

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const numbers = new Map(INSTRUCTIONS.map((one, index) => [one.mnemonic, index + 1]));

function expectedOp(word: number): number {
  const one = (word & 3) === 3 ? decode(word) : undefined;
  return one === undefined ? 0 : (numbers.get(one.hintOf ?? one.mnemonic) ?? -1);
}

test('every table line decodes to its own number whatever its fields hold', () => {
  fc.assert(
    fc.property(fc.nat(INSTRUCTIONS.length - 1), u32, (index, random) => {
      const one = INSTRUCTIONS[index]!;
      const word = ((random & ~one.mask) | one.match) >>> 0;
      expect([one.mnemonic, core.decodeOp(word)]).toEqual([one.mnemonic, index + 1]);
    }),
    { numRuns: 20_000 },
  );
});

test('a word with one fixed bit of its pattern turned is decoded as the table says', () => {
  for (const one of INSTRUCTIONS) {
    for (let bit = 0; bit < 32; bit++) {
      if (((one.mask >>> bit) & 1) === 0) continue;
      const word = (one.match ^ (1 << bit)) >>> 0;
      expect([word.toString(16), core.decodeOp(word)]).toEqual([word.toString(16), expectedOp(word)]);
    }
  }
});

test('random words are decoded as the table says, most of them to illegal', () => {
  let state = 0x12345678;
  let illegal = 0;
  for (let count = 0; count < 2_000_000; count++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const word = ((state ^ (state << 13)) | 3) >>> 0;
    const op = core.decodeOp(word);
    if (op !== expectedOp(word))
      expect([word.toString(16), op]).toEqual([word.toString(16), expectedOp(word)]);
    if (op === 0) illegal++;
  }
  expect(illegal).toBeGreaterThan(500_000);
});

test('no two patterns match the same word', () => {
  for (const [index, one] of INSTRUCTIONS.entries()) {
    for (const other of INSTRUCTIONS.slice(index + 1)) {
      const both = (one.mask & other.mask) >>> 0;
      expect(((one.match ^ other.match) & both) !== 0, `${one.mnemonic} and ${other.mnemonic}`).toBe(true);
    }
  }
});

test('opcode names are unique, and hints are special cases of the instruction they name', () => {
  expect(new Set(INSTRUCTIONS.map((one) => opName(one.mnemonic))).size).toBe(INSTRUCTIONS.length);
  for (const hint of HINT_INSTRUCTIONS) {
    const base = INSTRUCTIONS.find((one) => one.mnemonic === hint.hintOf)!;
    expect((hint.match & base.mask) >>> 0).toBe(base.match);
  }
});

test('custom encodings, vector loads and reserved widths are illegal', () => {
  const illegal = [
    0x0000000b,
    0x0000002b,
    0x0000005b,
    0x0000007b, // custom-0 to custom-3
    0x02005007, // vle16.v
    0x00003033 | (1 << 26), // sltu with a stray funct7 bit
    0x0000401b, // funct3 4 of OP-IMM-32
    0x0200101b, // slliw with shamt[5]
    0x04001013, // slli with shamt[6]
    0x1010202f, // lr.w with rs2 = 1
    0x04007053, // fadd.h: Zfhmin has no arithmetic
    0x06007053, // fadd.q
    0x0000007f,
    0xffffffff,
    0x00007003,
    0x00004023,
    0x00002063,
    0x00001067,
  ];
  for (const word of illegal)
    expect([word.toString(16), core.decodeOp(word)]).toEqual([word.toString(16), 0]);
});

test('formats and operand flags are those of the table', () => {
  for (const [index, one] of INSTRUCTIONS.entries()) {
    expect(core.formatOf(index + 1)).toBe(FORMATS.indexOf(one.format) + 1);
    expect(core.operandFlags(index + 1)).toBe(operandFlags(one));
  }
  const flagsOf = (mnemonic: string) => core.operandFlags(numbers.get(mnemonic)!);
  expect(flagsOf('add')).toBe(0);
  expect(flagsOf('fld')).toBe(1);
  expect(flagsOf('fsw')).toBe(4);
  expect(flagsOf('fmadd.d')).toBe(15);
  expect(flagsOf('feq.s')).toBe(6);
  expect(flagsOf('fcvt.d.l')).toBe(1);
  expect(flagsOf('fmv.x.d')).toBe(2);
});

test('all 65,536 halfwords expand in the core as the table says, and to legal instructions', () => {
  for (let halfword = 0; halfword < 0x10000; halfword++) {
    if ((halfword & 3) === 3) continue;
    const word = expandCompressed(halfword);
    const found = core.expandCompressed(halfword);
    if (found !== word) expect([halfword.toString(16), found]).toEqual([halfword.toString(16), word]);
    const one = decodeCompressed(halfword);
    expect(word === 0).toBe(one === undefined);
    if (one === undefined) continue;
    if (core.decodeOp(word) !== numbers.get(one.base.mnemonic))
      expect.fail(`${halfword.toString(16)} expands to another instruction`);
    if (one.immediate.length > 0)
      expect(immediateOf(one.base.format, word)).toBe(compressedImmediate(one, halfword));
  }
});

test('reserved compressed encodings are illegal', () => {
  const reserved = [0x0000, 0x0004, 0x2001, 0x4002, 0x6002, 0x6101, 0x6001, 0x8000, 0x8002, 0x9c41, 0x9c61];
  for (const halfword of reserved)
    expect([halfword.toString(16), core.expandCompressed(halfword)]).toEqual([halfword.toString(16), 0]);
});

test('the core reads immediates and registers as the table does', () => {
  fc.assert(
    fc.property(u32, (word) => {
      const field = (name: string) => core.field(FIELD_NAMES.indexOf(name), word);
      for (const format of ['I', 'S', 'B', 'U', 'J'] as const)
        expect(field(`imm${format}`)).toBe(immediateOf(format, word));
      expect(field('shamt6')).toBe(immediateOf('SHIFT', word));
      expect([
        field('rd'),
        field('rm'),
        field('rs1'),
        field('rs2'),
        field('rs3'),
        field('csrNumber'),
      ]).toEqual([
        (word >>> 7) & 31,
        (word >>> 12) & 7,
        (word >>> 15) & 31,
        (word >>> 20) & 31,
        word >>> 27,
        word >>> 20,
      ]);
    }),
  );
});
