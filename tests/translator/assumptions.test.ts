// What a region takes for granted, and what happens where it is not so: a loop's register that holds no word when the
// loop is entered (words.ts), loads and stores close to each other that lie in two pages (groups.ts).
import { expect, test } from 'vitest';
import { encode } from '../diff/encode.ts';
import { RAM } from '../support/core.ts';
import { Pair } from './pair.ts';

const CODE = RAM + 0x1000;
const A0 = 10;
const A1 = 11;
const S0 = 8;
const S1 = 9;
const SP = 2;
const INSIDE = 18;
const OUTSIDE = 19;

function place(pair: Pair, words: readonly number[], at = CODE): void {
  pair.both(({ ram, hart }) => {
    const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
    for (const [index, word] of words.entries()) view.setUint32(at - RAM + 4 * index, word, true);
    hart.pc = BigInt(CODE);
  });
}

/** A loop that makes words of a0 in one page, which another page enters; `wide`: with a number that is none. */
function summing(pair: Pair, wide: boolean): void {
  const loop = [
    encode('xor', { rd: S1, rs1: S1, rs2: A0 }),
    encode('addiw', { rd: A0, rs1: A0, imm: 3 }),
    encode('slliw', { rd: A0, rs1: A0, imm: 1 }),
    encode('subw', { rd: A0, rs1: A0, rs2: A1 }),
    encode('addi', { rd: A1, rs1: A1, imm: -1 }),
    encode('bne', { rs1: A1, imm: -20 }),
    encode('jalr', { rs1: OUTSIDE }),
  ];
  const around = [
    encode('addi', { rd: A1, imm: 50 }),
    encode('rori', { rd: S1, rs1: S1, imm: 7 }),
    wide ? encode('binvi', { rd: A0, rs1: A0, imm: 40 }) : encode('addi', {}),
    encode('jalr', { rs1: INSIDE }),
  ];
  place(pair, loop);
  place(pair, around, CODE + 0x1000);
  pair.both(({ hart }) => {
    hart.setX(INSIDE, BigInt(CODE));
    hart.setX(OUTSIDE, BigInt(CODE + 0x1000));
    hart.setX(A1, 50n);
  });
}

test('a loop entered with numbers where it makes words is refused at first, and is made to expect them', () => {
  const pair = new Pair({ ramBytes: 0x8000 });
  summing(pair, true);
  for (let run = 0; run < 60; run++) expect(pair.run(3000)).toEqual([]);
  const { droppedRegions, translatedInstructions } = pair.cores[1].counters();
  expect(droppedRegions).toBeGreaterThan(0);
  const before = translatedInstructions;
  expect(pair.run(20_000)).toEqual([]);
  // Nothing is refused any more.
  expect(pair.cores[1].counters().translatedInstructions - before).toBeGreaterThan(15_000);
});

test('a loop entered with words is never refused', () => {
  const pair = new Pair({ ramBytes: 0x8000 });
  summing(pair, false);
  for (let run = 0; run < 60; run++) expect(pair.run(3000)).toEqual([]);
  expect(pair.cores[1].counters().droppedRegions).toBe(0);
});

/** A frame of four doublewords, written and read again; sp is where it lies. */
const FRAME = [
  encode('sd', { rs1: SP, rs2: S0 }),
  encode('sd', { rs1: SP, rs2: S1, imm: 8 }),
  encode('sd', { rs1: SP, rs2: A0, imm: -8 }),
  encode('lw', { rd: A0, rs1: SP, imm: 4 }),
  encode('ld', { rd: S0, rs1: SP, imm: 8 }),
  encode('lbu', { rd: S1, rs1: SP, imm: -5 }),
  encode('ld', { rd: A1, rs1: SP, imm: -8 }),
  encode('addi', { rd: S0, rs1: S0, imm: 77 }),
  encode('rori', { rd: S1, rs1: S1, imm: 3 }),
  encode('add', { rd: S1, rs1: S1, rs2: A1 }),
  encode('jal', { imm: -40 }),
];

test.each([
  ['within a page', 0x4100, false],
  ['up to the end of a page', 0x4ff0, false],
  ['from the beginning of a page', 0x5008, false],
  ['misaligned within a page', 0x4103, false],
  ['across two pages', 0x5000, true],
  ['misaligned across two pages', 0x4ffb, true],
])('loads and stores of a frame %s do what they do one by one', (_, at, apart) => {
  const pair = new Pair({ ramBytes: 0x8000 });
  place(pair, FRAME);
  pair.both(({ hart }) => hart.setX(SP, BigInt(RAM + at)));
  for (let run = 0; run < 60; run++) expect(pair.run(3000)).toEqual([]);
  const before = pair.cores[1].counters();
  expect(before.droppedRegions > 0).toBe(apart);
  expect(pair.run(20_000)).toEqual([]);
  const after = pair.cores[1].counters();
  expect(after.droppedRegions).toBe(before.droppedRegions);
  // An access across two pages is the interpreter's; all others are translated.
  if (at !== 0x4ffb) {
    expect(after.translatedInstructions - before.translatedInstructions).toBeGreaterThan(15_000);
  }
});
