import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALIASES } from '../../src/isa/aliases.ts';
import { type AssembleOptions, assemble } from '../../src/isa/assembler/assemble.ts';
import { AssemblyError } from '../../src/isa/assembler/assembly-error.ts';
import { loadImmediate } from '../../src/isa/assembler/pseudo.ts';
import { COMPRESSED, decodeCompressed } from '../../src/isa/compressed-table.ts';
import { disassemble } from '../../src/isa/disassemble.ts';
import { HINT_INSTRUCTIONS, INSTRUCTIONS, type Instruction } from '../../src/isa/instruction-table.ts';
import { gnuText } from './oracle.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });

const words = (bytes: Uint8Array): number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(4 * index, true));
};
const text = (source: string, options?: AssembleOptions) => assemble(source, options).text;
const hexBytes = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** A word of this instruction that has a spelling: ignored fields and reserved rounding modes are not random. */
function spellable(one: Instruction, random: number): number {
  let word = ((random & ~one.mask) | one.match) >>> 0;
  for (const { name, low, width } of one.fields) {
    if (name === 'fm' || name.startsWith('any')) word = (word & ~((2 ** width - 1) << low)) >>> 0;
    if (name === 'rm' && (((word >>> 12) & 7) === 5 || ((word >>> 12) & 7) === 6))
      word = (word & ~(7 << 12)) >>> 0;
  }
  return word;
}

const all = [...INSTRUCTIONS, ...HINT_INSTRUCTIONS];

for (const aliases of [true, false]) {
  test(`what the disassembler writes ${aliases ? 'with' : 'without'} aliases assembles to the same word`, () => {
    fc.assert(
      fc.property(
        fc.nat(all.length - 1),
        fc.array(u32, { minLength: 8, maxLength: 8 }),
        fc.boolean(),
        (index, randoms, zero) => {
          const expected = randoms.map((random) => spellable(all[index]!, zero ? random & ~0xf8000 : random));
          const source = expected.map((word) => disassemble(word, undefined, { aliases })).join('\n');
          expect([source, words(text(source))]).toEqual([source, expected]);
        },
      ),
      { numRuns: 4_000 },
    );
  });
}

test('every table line survives disassembly and assembly', () => {
  for (const one of all) {
    const expected = [0, -1, 0x0a552f80, 0x55555555].map((random) => spellable(one, random));
    const source = expected.map((word) => disassemble(word)).join('\n');
    expect([source, words(text(source))]).toEqual([source, expected]);
  }
});

test('all legal compressed encodings survive disassembly and assembly', () => {
  const halfwords = Array.from({ length: 0x10000 }, (_, index) => index).filter(
    (one) => (one & 3) !== 3 && decodeCompressed(one) !== undefined,
  );
  expect(halfwords.length).toBeGreaterThan(40_000);
  const source = halfwords.map((one) => disassemble(one, undefined, { aliases: false })).join('\n');
  const bytes = text(source);
  const found = new DataView(bytes.buffer);
  expect(bytes.length).toBe(2 * halfwords.length);
  for (const [index, halfword] of halfwords.entries()) {
    if (found.getUint16(2 * index, true) !== halfword) {
      expect([disassemble(halfword), found.getUint16(2 * index, true)]).toEqual([
        disassemble(halfword),
        halfword,
      ]);
    }
  }
});

test('GNU as gives every table line the encoding we give', async () => {
  const operandOf: Record<string, string> = {
    ...{
      rd: 'a0',
      rs1: 's3',
      rs2: 't6',
      fd: 'fa0',
      fs1: 'fs3',
      fs2: 'ft11',
      fs3: 'ft8',
      imm: '-37',
      off: '-64',
    },
    ...{
      shamt: '13',
      upper: '0xabcde',
      csr: 'mscratch',
      zimm: '19',
      pred: 'io',
      succ: 'rw',
      target: '1b',
      rm: 'rtz',
    },
  };
  const spell = (mnemonic: string, operands: readonly string[]): string =>
    `${mnemonic} ${operands
      .filter((operand) => operand !== 'rmx')
      .map((operand) => operand.replaceAll(/[a-z]+[0-9]?/g, (name) => operandOf[name] ?? name))
      .join(',')}`;
  const lines = [
    ...all.filter((one) => one.extension !== 'Zicond').map((one) => spell(one.mnemonic, one.operands)),
    ...INSTRUCTIONS.filter((one) => one.format === 'AMO').flatMap((one) =>
      ['aq', 'rl', 'aqrl'].map((suffix) => spell(`${one.mnemonic}.${suffix}`, one.operands)),
    ),
    ...ALIASES.filter((one) => one.assembled).map((one) => spell(one.mnemonic, one.operands)),
    // Forms that GNU as takes besides
    ...[
      'add a0,a1,5',
      'sll a0,a1,5',
      'csrw mepc,3',
      'csrs mepc,3',
      'addw a0,a1,-5',
      'lb a0,(a1)',
      'li a0,-1',
    ],
    ...[
      'jalr a0,8(a1)',
      'fadd.s fa0,fa1,fa2,rne',
      'fcvt.w.d a0,fa1',
      'fence rw,w',
      'sub x31,x1,fp',
      'csrr a0,0x7c0',
    ],
    ...['amoadd.w a0,a1,(a2)', 'lr.d.aqrl a0,(a1)', 'and a0,a0,-16', 'fsrmi 3', 'jalr a5'],
  ];
  const source = `1:\n${lines.join('\n')}\n`;
  const theirs = words(await gnuText(`.option norvc\n${source}`, 0x8000_0000));
  const ours = words(text(source));
  expect(ours.length).toBe(lines.length);
  const differing = lines.filter((_, index) => ours[index] !== theirs[index]);
  expect(differing).toEqual([]);
});

test('GNU as gives compressed mnemonics the encodings we give', async () => {
  const operandOf: Record<string, string> = {
    ...{ "rd'": 'a0', "rs1'": 's1', "rs2'": 'a5', "rw'": 'a3', rd: 't3', rs1: 's7', rs2: 't6', rw: 'gp' },
    ...{
      "fd'": 'fa4',
      "fs2'": 'fs1',
      fd: 'ft9',
      fs2: 'fa7',
      imm: '16',
      upper: '0xffff1',
      target: '1b',
      x2: 'sp',
    },
  };
  const lines = COMPRESSED.map((one) => {
    const operands = one.operands.map((operand) =>
      operand.replaceAll(/[a-z]+[0-9]?'?/g, (name) => operandOf[name] ?? name),
    );
    return `${one.mnemonic} ${operands.join(',')}`;
  });
  const source = `1:\n${lines.join('\n')}\n`;
  expect(hexBytes(text(source))).toBe(hexBytes(await gnuText(source, 0x8000_0000)));
});

test('a program with labels, data and relocations is laid out as GNU as and ld do', async () => {
  const source = `
        .equ    SIZE, table_end - table
        .equ    later, 3 * (4 + 1) << 2
        .globl  _start
_start: la      a0, table
        li      a1, later
1:      lw      a2, (a0)          # comment
        beqz    a2, 2f ; addi a0, a0, 4
        bnez    a2, 1b
2:      lui     a3, %hi(small)
        lw      a4, %lo(small)(a3)
        sw      a4, %lo(small+4)(a3)
pair:   auipc   a5, %pcrel_hi(word)
        ld      a6, %pcrel_lo(pair)(a5)
        sd      a6, word, t0
        ld      a7, word
        fld     fa0, word, t1
        call    far
        tail    far
        jump    far, t2
        j       1b
        jal     far
        .balign 16
far:    ret  /* block
comment */
        addi    a0, a0, 'a' - 10
        addi    a0, a0, ~0x0f & 0x7ff
        .align  3
        li      t0, 0x123456789abcdef0
        li      t0, -1
        li      t0, 0x80000000
        li      t0, 0x7fffffff
        .word   SIZE, 1b - _start
        .dword  word, far + 8
        .asciz  "a\\tb\\"#;\\x41\\101"
        .ascii  "x", "yz"
        .byte   1, -1, 255, 'z', '\\n'
        .half   0xffff
        .space  3
        .equ    small, 0x1234
        .section .rodata
table:  .word   1, 2, 3, 0
table_end:
        .data
word:   .dword  0x1122334455667788
        .bss
room:   .space  100
`;
  // GNU as has its own sequences for constants of more than 32 bits; another test executes ours.
  const comparable = source.replaceAll(/^.*li {6}t0, 0x[18].*\n/gm, '');
  expect(comparable.split('\n').length).toBe(source.split('\n').length - 2);
  const ours = text(comparable);
  // ld fills the section up to its alignment.
  const theirs = await gnuText(`.option norvc\n${comparable}`, 0x8000_0000);
  expect(theirs.length - ours.length).toBeLessThan(16);
  expect(hexBytes(ours)).toBe(hexBytes(theirs.subarray(0, ours.length)));
});

test('li loads any 64-bit constant, in at most eight instructions', () => {
  const interesting = fc.oneof(
    fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
    fc
      .tuple(fc.nat(63), fc.integer({ min: -4096, max: 4096 }))
      .map(([shift, near]) => BigInt.asIntN(64, (1n << BigInt(shift)) + BigInt(near))),
  );
  fc.assert(
    fc.property(interesting, (value) => {
      const steps = loadImmediate('t0', value);
      expect(steps.length).toBeLessThanOrEqual(8);
      let register = 0n;
      for (const { name, operands } of steps) {
        const number = BigInt(operands.at(-1)!);
        if (name === 'lui') register = BigInt.asIntN(32, number << 12n);
        else if (name === 'slli') register = BigInt.asIntN(64, register << number);
        else if (name === 'addiw') register = BigInt.asIntN(32, register + number);
        else register = BigInt.asIntN(64, (operands[1] === 'x0' ? 0n : register) + number);
      }
      expect(register).toBe(value);
      // and each of its instructions can be encoded
      expect(text(`li t0, ${value}`).length).toBe(4 * steps.length);
    }),
    { numRuns: 2_000 },
  );
});

test('mistakes are reported with their line and what to do', () => {
  const mistakes: [source: string, line: number, message: RegExp][] = [
    ['nop\nadd a0,a1', 2, /write "add rd,rs1,rs2"/],
    ['\n\nfrobnicate a0', 3, /no instruction "frobnicate"/],
    ['addi a0,a0,2048', 1, /-2048 to 2047/],
    ['addi a0,a9,1', 1, /does not take/],
    ['slli a0,a0,64', 1, /0 to 63/],
    ['slliw a0,a0,32', 1, /0 to 31/],
    ['lui a0,0x100000', 1, /0 to 1048575/],
    ['csrwi mstatus,32', 1, /0 to 31/],
    ['csrr a0,4096', 1, /0 to 4095/],
    ['beqz a0,nowhere', 1, /no symbol "nowhere"/],
    ['beqz a0,far\n.space 5000\nfar:', 1, /too far/],
    ['beqz a0,.+3', 1, /odd distance/],
    ['x: nop\nx: nop', 2, /there already/],
    ['j 1f', 1, /no label 1: below/],
    ['li a0,label\nlabel:', 1, /no symbol "label" before/],
    ['label: li a0,label', 1, /use la/],
    ['.word label * 2\nlabel:', 1, /plain number/],
    ['.byte 256', 1, /does not fit/],
    ['.word (1', 1, /\)/],
    ['.word 1 +', 1, /the end/],
    ['.word 1 / 0', 1, /division by zero/],
    ['.equ a, b\n.equ b, a\n.word a', 1, /by itself/],
    ['.asciz "abc', 1, /does not end/],
    ['.asciz abc', 1, /double quotes/],
    ['.balign 12', 1, /power of two/],
    ['.frobnicate', 1, /unknown directive/],
    ['.bss\nnop', 2, /holds no bytes/],
    ['.bss\n.word 1', 2, /holds no bytes/],
    ['c.addi a0,32', 1, /cannot encode/],
    ['c.lw a0,0(t0)', 1, /cannot encode/],
    ['fadd.s fa0,fa1,fa2,xyz', 1, /rounding mode/],
    ['fence iorx,w', 1, /letters of iorw/],
    ['prefetch.r 8(a0)', 1, /multiple of 32/],
    ['lr.w a0,4(a1)', 1, /out of range/],
    ['la a0,far\n.equ far, 0x180000000000', 1, /out of reach/],
  ];
  for (const [source, line, message] of mistakes) {
    let error: unknown;
    try {
      assemble(source);
    } catch (caught) {
      error = caught;
    }
    expect(error, source).toBeInstanceOf(AssemblyError);
    expect([source, (error as AssemblyError).line]).toEqual([source, line]);
    expect((error as AssemblyError).message).toMatch(message);
  }
});

test('text that is no program gives a program or an AssemblyError, never another error', () => {
  const pieces = [
    'addi',
    'a0',
    ',',
    ' ',
    '(',
    ')',
    '1',
    '0x',
    '%lo',
    '"',
    "'",
    '\n',
    ':',
    '.word',
    '.equ',
    '-',
    '1b',
    '\\',
    'li',
    '/*',
    ';',
    '=',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (list) => {
      try {
        assemble(list.join(''));
      } catch (error) {
        expect(error, list.join('')).toBeInstanceOf(AssemblyError);
      }
    }),
    { numRuns: 5_000 },
  );
});
