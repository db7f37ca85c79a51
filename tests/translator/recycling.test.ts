// More code than there is room for: regions take each other's place, and decoded pages are given up.
import { expect, test } from 'vitest';
import { REGION_COUNT, SLOT_COUNT } from '../../assembly/layout.ts';
import { encode } from '../diff/encode.ts';
import { RAM } from '../support/core.ts';
import { Pair } from './pair.ts';

const START = 0x1000;
const COUNTER = 5;
const SUM = 6;

/** Pages with `loops` small loops each; from the last loop of a page to the first of the page `stride` further. */
function fill(ram: Uint8Array, pages: number, loops: number, stride: number): void {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  const distance = Math.floor(4096 / loops) & ~63;
  for (let page = 0; page < pages; page++) {
    for (let loop = 0; loop < loops; loop++) {
      const at = START + page * 4096 + loop * distance;
      const next = loop + 1 < loops ? at + distance : START + ((page + stride) % pages) * 4096;
      const words = [
        // Some run for long enough to be translated while they do.
        encode('addi', { rd: COUNTER, imm: page % 16 === 0 ? 2000 : 3 + ((page + loop) % 5) }),
        encode('addi', { rd: SUM, rs1: SUM, imm: page & 1023 }),
        encode('rori', { rd: SUM, rs1: SUM, imm: 1 + loop }),
        encode('addi', { rd: COUNTER, rs1: COUNTER, imm: -1 }),
        encode('bne', { rs1: COUNTER, imm: -12 }),
        encode('jal', { imm: 0 }),
      ];
      for (const [index, word] of words.entries()) view.setUint32(at + 4 * index, word, true);
      // Too far for jal at times: through a register.
      const from = at + 20;
      const low = ((next - from) << 20) >> 20;
      view.setUint32(from, encode('auipc', { rd: 7, imm: next - from - low }), true);
      view.setUint32(from + 4, encode('jalr', { rs1: 7, imm: low }), true);
    }
  }
}

function compare(pages: number, loops: number, runs: number): ReturnType<Pair['cores'][1]['counters']> {
  const pair = new Pair({ ramBytes: START + pages * 4096 });
  pair.both(({ ram, hart }) => {
    fill(ram, pages, loops, 1);
    hart.pc = BigInt(RAM + START);
  });
  for (let run = 0; run < runs; run++) expect(pair.run(run % 7 === 3 ? 2500 : 12_000)).toEqual([]);
  return pair.cores[1].counters();
}

test('regions beyond the last take the place of the first ones, and code goes on as before', () => {
  const counters = compare(1100, 5, 320);
  expect(counters.regions).toBeGreaterThan(REGION_COUNT + 500);
  expect(counters.droppedRegions).toBeGreaterThan(400);
  expect(counters.evictedPages).toBe(0);
});

test('pages of code beyond the last decoded page drop others with their regions, and code goes on as before', () => {
  const counters = compare(SLOT_COUNT + 100, 2, 260);
  expect(counters.evictedPages).toBeGreaterThan(200);
  expect(counters.droppedRegions).toBeGreaterThan(100);
  expect(counters.translatedInstructions).toBeGreaterThan(1000);
});
