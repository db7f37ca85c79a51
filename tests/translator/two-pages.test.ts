// An instruction that lies across two pages is executed from a slot of its own, which is no page: nothing in it may
// become the head of a region.
import { expect, test } from 'vitest';
import { encode } from '../diff/encode.ts';
import { RAM } from '../support/core.ts';
import { Pair } from './pair.ts';

const A0 = 10;
const A1 = 11;
/** c.addi a5, 1 */
const C_ADDI = 0x0785;
/** Halfwords before the end of the first page: 2 bytes of the instruction lie there. */
const CODE = 0x1ffa;

test.each([
  ['fence.i', encode('fence.i', {})],
  ['csrr', encode('csrrs', { rd: A1, csr: 0x340 })],
  ['csrw', encode('csrrw', { rs1: A0, csr: 0x340 })],
  ['sfence.vma', encode('sfence.vma', {})],
  ['addi', encode('addi', { rd: A1, rs1: A1, imm: 1 })],
])('%s across two pages, in a loop, goes the way the interpreter goes', (_, across) => {
  const pair = new Pair({ ramBytes: 0x8000 });
  pair.both(({ ram, hart }) => {
    const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
    const words = [
      encode('addi', { rd: A0, rs1: A0, imm: 1 }),
      across,
      encode('xor', { rd: A1, rs1: A1, rs2: A0 }),
      encode('jal', { imm: -12 }),
    ];
    // Code in the first page of RAM, which nothing goes to: what took that slot for a page would find it.
    for (let at = 0; at < 4096; at += 2) view.setUint16(at, C_ADDI, true);
    for (const [index, word] of words.entries()) view.setUint32(CODE + 4 * index, word, true);
    hart.pc = BigInt(RAM + CODE);
  });
  for (let run = 0; run < 40; run++) expect(pair.run(3000)).toEqual([]);
  // The first page ends in half an instruction: its own one and the other page's are what can be translated.
  expect(pair.cores[1].counters().regions).toBeLessThan(4);
});
