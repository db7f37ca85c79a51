import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCompressed } from '../../src/isa/compressed-table.ts';
import { disassemble } from '../../src/isa/disassemble.ts';
import { HINT_INSTRUCTIONS, INSTRUCTIONS, type Instruction } from '../../src/isa/instruction-table.ts';
import { type Comparison, compareWithObjdump } from '../../src/isa/objdump-comparison-node.ts';
import { gnuAssemble, withFolder } from './oracle.ts';

/** A library of the cross-compiler: real code. */
function library(name: string): string {
  const path = join('/usr/riscv64-linux-gnu/lib', name);
  if (!existsSync(path))
    throw new Error(`${path} is missing: install the Debian package libc6-riscv64-cross`);
  return path;
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** A reproducible stream of 32-bit numbers. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Words of an instruction with random fields, now and then with x0 or all ones in them, where aliases are. */
function samples(one: Instruction, count: number, next: () => number): number[] {
  return Array.from({ length: count }, (_, index) => {
    let word = next();
    if (index % 4 === 1) word &= ~(31 << 7);
    if (index % 4 === 2) word &= ~(31 << 15);
    if (index % 5 === 3) word &= ~(31 << 20);
    if (index % 7 === 0) word |= 7 << 12;
    if (index === 4) word = 0;
    if (index === 5) word = -1;
    return ((word & ~one.mask) | one.match) >>> 0;
  });
}

/** Compares encodings, put into an object file as they are. */
async function compareEncodings(words: readonly number[], bytes: 2 | 4): Promise<Comparison> {
  return withFolder(async (folder) => {
    const object = join(folder, 'words.o');
    gnuAssemble(words.map((word) => `.insn ${bytes}, ${hex(word)}\n`).join(''), object);
    const comparison = await compareWithObjdump(['-d', object]);
    expect(comparison.lines).toBe(words.length);
    return comparison;
  });
}

test('objdump spells every instruction of libc as we do', async () => {
  const { lines, differences, explained } = await compareWithObjdump(['-d', library('libc.so.6')]);
  expect([differences, [...explained]]).toEqual([[], []]);
  expect(lines).toBeGreaterThan(200_000);
}, 120_000);

test('objdump spells every instruction of the dynamic linker as we do, with and without aliases', async () => {
  const file = library('ld-linux-riscv64-lp64d.so.1');
  const { lines, differences, explained } = await compareWithObjdump(['-d', file]);
  expect([differences, [...explained]]).toEqual([[], []]);
  expect(lines).toBeGreaterThan(10_000);
  const plain = await compareWithObjdump(['-d', '-M', 'no-aliases', file], false);
  expect([plain.lines, plain.differences]).toEqual([lines, []]);
}, 120_000);

test('objdump spells random operands of every table line as we do, but for known reasons', async () => {
  const next = randoms(0x2545f491);
  const words = [...INSTRUCTIONS, ...HINT_INSTRUCTIONS].flatMap((one) => samples(one, 60, next));
  const { differences, explained } = await compareEncodings(words, 4);
  expect(differences).toEqual([]);
  // two instructions of Zicond; the five conversions; a few numbers of CSRs
  const few = [...explained.values()].reduce((sum, count) => sum + count, 0);
  expect(few).toBeLessThan(60 * 10);
}, 120_000);

test('objdump names all 4,096 CSR numbers as we do, but for those of RV32', async () => {
  const { differences, explained } = await compareEncodings(
    Array.from({ length: 4096 }, (_, csr) => ((csr << 20) | 0x2573) >>> 0),
    4,
  );
  expect(differences).toEqual([]);
  expect([...explained.keys()]).toEqual(['the CSR exists in RV32 only']);
});

test('objdump spells all 49,152 compressed encodings as we do, but for known reasons', async () => {
  const halfwords = Array.from({ length: 0x10000 }, (_, index) => index).filter((one) => (one & 3) !== 3);
  const { differences, explained } = await compareEncodings(halfwords, 2);
  expect(differences).toEqual([]);
  // 48 shifts by 0, and c.addi16sp 0
  expect([...explained.values()]).toEqual([48, 1]);
}, 120_000);

test('Zicond, unknown to older objdumps, has its names', () => {
  expect(disassemble(0x0ec5d533)).toBe('czero.eqz a0,a1,a2');
  expect(disassemble(0x0ec5f533)).toBe('czero.nez a0,a1,a2');
});

test('targets are absolute with a pc and relative without', () => {
  expect(disassemble(0xfe0518e3, 0x8000_0010)).toBe('bnez a0,0x80000000');
  expect(disassemble(0xfe0518e3)).toBe('bnez a0,.-16');
  expect(disassemble(0x0080006f, 0xffff_ffff_8000_0000n)).toBe('j 0xffffffff80000008');
  expect(disassemble(0xffdff06f, 0)).toBe('j 0xfffffffffffffffc');
  expect(disassemble(0xa001)).toBe('j .+0');
});

test('every word has a spelling, and exactly the illegal ones are shown as data', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (word) => {
      const text = disassemble(word, 0);
      expect(text).toMatch(/^[a-z.0-9]+( [-a-z0-9(),.]+)?$/);
      if ((word & 3) !== 3) {
        const halfword = word & 0xffff;
        expect(text.startsWith('.2byte')).toBe(halfword !== 0 && decodeCompressed(halfword) === undefined);
      }
    }),
    { numRuns: 20_000 },
  );
});
