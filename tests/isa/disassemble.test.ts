import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCompressed } from '../../src/isa/compressed-table.ts';
import { disassemble } from '../../src/isa/disassemble.ts';
import { HINT_INSTRUCTIONS, INSTRUCTIONS, type Instruction } from '../../src/isa/instruction-table.ts';
import { compareWithObjdump, type Difference } from '../../src/isa/objdump-comparison-node.ts';
import { gnuAssemble, withFolder } from './oracle.ts';

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

/** RV32 names of CSRs (high halves, odd pmpcfg) that binutils gives although RV64 has none there. */
const isRv32Csr = ({ ours, theirs }: Difference): boolean =>
  ours.replace(/0x[0-9a-f]+/, '') === theirs.replace(/\b([a-z]\w*h|pmpcfg\d?[13579])(?=,|$)/, '');

test('objdump spells every instruction of libc as we do', async () => {
  const { lines, differences } = await compareWithObjdump(['-d', '/usr/riscv64-linux-gnu/lib/libc.so.6']);
  expect(differences).toEqual([]);
  expect(lines).toBeGreaterThan(200_000);
}, 120_000);

test('objdump spells every instruction of libm and the dynamic linker as we do, without aliases too', async () => {
  for (const name of ['libm.so.6', 'ld-linux-riscv64-lp64d.so.1']) {
    const file = join('/usr/riscv64-linux-gnu/lib', name);
    const { lines, differences } = await compareWithObjdump(['-d', file]);
    expect(differences).toEqual([]);
    expect(lines).toBeGreaterThan(10_000);
    const plain = await compareWithObjdump(['-d', '-M', 'no-aliases', file], false, 100_000);
    // The one name we give that binutils does not: it has no c.nop of its own.
    expect(plain.differences.filter((one) => one.theirs !== 'c.addi zero,0')).toEqual([]);
  }
}, 120_000);

test('objdump spells random operands of every table line as we do', async () => {
  const next = randoms(0x2545f491);
  const words = [...INSTRUCTIONS, ...HINT_INSTRUCTIONS]
    .filter((one) => one.extension !== 'Zicond') // unknown to binutils 2.40
    .flatMap((one) => samples(one, 60, next));
  const differences = await withFolder(async (folder) => {
    const object = join(folder, 'words.o');
    gnuAssemble(words.map((word) => `.insn 4, ${hex(word)}\n`).join(''), object);
    const comparison = await compareWithObjdump(['-d', object], true, 100_000);
    expect(comparison.lines).toBe(words.length);
    return comparison.differences;
  });
  const unexplained = differences.filter((one) => {
    // Conversions that are always exact: binutils 2.40 has no spelling for a rounding mode on them.
    if (
      one.theirs.startsWith('.4byte') &&
      /^fcvt\.[sd]\.(wu?|s|h) .*,(rtz|rdn|rup|rmm|dyn|unknown)$/.test(one.ours)
    )
      return false;
    return !isRv32Csr(one);
  });
  expect(unexplained).toEqual([]);
}, 120_000);

test('objdump names all 4,096 CSR numbers as we do', async () => {
  const names = await withFolder(async (folder) => {
    const object = join(folder, 'csrs.o');
    gnuAssemble(
      Array.from({ length: 4096 }, (_, csr) => `.insn 4, ${hex((csr << 20) | 0x2573)}\n`).join(''),
      object,
    );
    const comparison = await compareWithObjdump(['-d', object], true, 100_000);
    expect(comparison.lines).toBe(4096);
    return comparison.differences;
  });
  expect(names.filter((one) => !isRv32Csr(one))).toEqual([]);
});

test('objdump spells all 49,152 compressed encodings as we do', async () => {
  const halfwords = Array.from({ length: 0x10000 }, (_, index) => index).filter((one) => (one & 3) !== 3);
  const differences = await withFolder(async (folder) => {
    const object = join(folder, 'halfwords.o');
    gnuAssemble(halfwords.map((one) => `.insn 2, ${hex(one)}\n`).join(''), object);
    const comparison = await compareWithObjdump(['-d', object], true, 100_000);
    expect(comparison.lines).toBe(halfwords.length);
    return comparison.differences;
  });
  const unexplained = differences.filter(({ ours, theirs, word }) => {
    // Shifts by 0 are hints; binutils calls them by a name of RV128.
    if (/^c\.(slli|srli|srai)64 /.test(theirs)) return ours !== `${theirs.replace('64', '')},0x0`;
    // c.addi16sp with 0 is reserved: unprivileged ISA, section 27.5.
    return !(word === '6101' && ours === '.2byte 0x6101');
  });
  expect(unexplained).toEqual([]);
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
