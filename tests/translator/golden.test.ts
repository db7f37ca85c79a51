// The code that small regions become, as text beside this file, so that a change of the translator shows what it
// changes. HYPERTAB_UPDATE_GOLDEN=1 npx vitest run tests/translator/golden writes the files anew: read the difference.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import createWabt from 'wabt';
import { MODULE_BUFFER } from '../../assembly/layout.ts';
import { Core } from '../../src/core/core.ts';
import { assemble } from '../../src/isa/assembler/assemble.ts';
import { BareHost, poke, RAM } from '../support/core.ts';
import { coreUnderTest } from './pair.ts';

const FOLDER = new URL('golden/', import.meta.url);
const UPDATE = process.env.HYPERTAB_UPDATE_GOLDEN !== undefined;
/** The first jump target that has been executed so often is translated, alone as a rule. */
const THRESHOLD = 400;
/** Far more instructions than that takes. */
const MOST = 20_000;

const wabt = await createWabt();

/** Programs by name; x8 (s0) and x9 (s1) point to data. None of them ends. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'count-down': `
again:
  li a0, 5
loop:
  addi a0, a0, -1
  add a1, a1, a0
  bnez a0, loop
  j again
`,
  words: `
loop:
  addw a0, a0, a1
  slliw a2, a0, 3
  mulw a1, a2, a1
  sraw a3, a1, a0
  addiw a1, a1, 1
  zext.h a4, a3
  j loop
`,
  'copy-bytes': `
again:
  mv a0, s0
  mv a1, s1
  addi a2, a0, 16
loop:
  lbu a3, 0(a0)
  sb a3, 0(a1)
  addi a0, a0, 1
  addi a1, a1, 1
  bltu a0, a2, loop
  j again
`,
  'one-structure': `
loop:
  ld a0, 0(s0)
  ld a1, 8(s0)
  lw a2, 16(s0)
  add a0, a0, a1
  sd a0, 24(s0)
  sw a2, 32(s0)
  j loop
`,
  diamond: `
loop:
  addi a0, a0, 1
  andi a1, a0, 3
  beqz a1, other
  xor a2, a2, a0
  j join
other:
  sub a2, a2, a0
join:
  rol a3, a2, a0
  j loop
`,
  'nested-loops': `
outer:
  li a0, 3
middle:
  li a1, 4
inner:
  add a2, a2, a1
  addi a1, a1, -1
  bnez a1, inner
  addi a0, a0, -1
  bnez a0, middle
  j outer
`,
  'two-entries': `
start:
  addi a0, a0, 1
  andi a1, a0, 1
  beqz a1, second
first:
  addi a2, a2, 3
  andi a3, a2, 8
  bnez a3, start
second:
  addi a2, a2, 5
  andi a3, a2, 4
  beqz a3, first
  j start
`,
  call: `
loop:
  call double
  addi a0, a0, 1
  j loop
double:
  slli a0, a0, 1
  ret
`,
  switch: `
loop:
  addi a0, a0, 1
  andi a1, a0, 3
  slli a1, a1, 3
  la a2, cases
  add a2, a2, a1
  jr a2
cases:
  addi a3, a3, 1
  j loop
  addi a3, a3, 2
  j loop
  addi a3, a3, 3
  j loop
  addi a3, a3, 4
  j loop
`,
  'dot-product': `
again:
  mv a0, s0
  addi a1, a0, 64
loop:
  fld fa0, 0(a0)
  fld fa1, 8(a0)
  fmadd.d fa2, fa0, fa1, fa2
  fadd.d fa3, fa3, fa0
  addi a0, a0, 16
  bltu a0, a1, loop
  j again
`,
  'leave-for-csr': `
loop:
  addi a0, a0, 1
  csrr a1, instret
  sub a2, a1, a0
  j loop
`,
  atomics: `
loop:
  addi a0, a0, 1
  amoadd.w a1, a0, (s0)
  lr.d a2, (s1)
  sc.d a3, a0, (s1)
  j loop
`,
};

/** The functions of the one module that a program becomes. */
function translate(source: string): string {
  const core = Core.create(coreUnderTest(), {
    ramBytes: 1 << 20,
    host: new BareHost(),
    hotThreshold: THRESHOLD,
  });
  const { hart } = core;
  poke(core, RAM, assemble(source).text);
  hart.writeCsr(0x300, 0x6000n);
  hart.pc = BigInt(RAM);
  hart.setX(8, BigInt(RAM + 0x8000));
  hart.setX(9, BigInt(RAM + 0x9000));
  for (let count = 0; count < MOST && core.counters().modules === 0; count++) core.run(3);
  const { modules, moduleBytes } = core.counters();
  expect(modules).toBe(1);
  const bytes = new Uint8Array(core.ram.buffer, MODULE_BUFFER, moduleBytes).slice();
  const features = { tail_call: true, bulk_memory: true, sign_extension: true, sat_float_to_int: true };
  const module = wabt.readWasm(bytes, { readDebugNames: false, ...features });
  const text = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  // What every module has in common is left out: types, imports, the table's elements.
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('  (func '));
  const last = lines.findIndex((line) => line.startsWith('  (elem '));
  expect(last).toBeGreaterThan(first);
  return lines.slice(first, last).join('\n');
}

test.each(Object.entries(PROGRAMS))('%s becomes the code in its file', (name, source) => {
  const header = source
    .trim()
    .split('\n')
    .map((line) => `;; ${line}`);
  const text = `${header.join('\n')}\n${translate(source)}\n`;
  const file = new URL(`${name}.wat`, FOLDER);
  if (UPDATE) writeFileSync(file, text);
  expect(text, 'emitted code has changed: see the head of this test').toBe(readFileSync(file, 'utf8'));
});
