import { expect, test } from 'vitest';
import { decodeCompressed } from '../../src/isa/compressed-table.ts';
import { decode } from '../../src/isa/decode.ts';
import { disassemble } from '../../src/isa/disassemble.ts';
import { rdOf } from '../../src/isa/fields.ts';
import { isFloatOperand } from '../../src/isa/instruction-table.ts';
import { resolve } from './case.ts';
import { accessBytes, generateCase, SUBJECT_NAMES } from './generator.ts';
import { differences } from './outcome.ts';
import { DATA, RECORD_BYTES } from './program.ts';

const CASES = Array.from({ length: 3000 }, (_, seed) => generateCase(seed, BigInt(DATA)));

const nameOf = (raw: number): string | undefined => {
  if ((raw & 3) !== 3) return decodeCompressed(raw)?.mnemonic;
  const one = decode(raw);
  return one?.hintOf ?? one?.mnemonic;
};

test('the cases of a few thousand seeds have every instruction that can be compared, each many times', () => {
  const counts = new Map<string, number>();
  for (const raw of CASES.flatMap((one) => resolve(one.units))) {
    const name = nameOf(raw);
    if (name === undefined) expect.fail(`${raw.toString(16)} is no instruction`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  expect(SUBJECT_NAMES.filter((name) => (counts.get(name) ?? 0) < 20)).toEqual([]);
  expect(SUBJECT_NAMES.length).toBeGreaterThan(190);
});

test('a case never writes its anchor, whatever its branches do', () => {
  for (const one of CASES) {
    for (const raw of resolve(one.units)) {
      const instruction = decode(raw);
      if ((raw & 3) !== 3 || instruction === undefined) continue;
      if (!instruction.fields.some((field) => field.name === 'rd') || isFloatOperand(instruction, 'rd'))
        continue;
      if (rdOf(raw) === one.anchor) expect.fail(`seed ${one.seed}: ${disassemble(raw)}`);
    }
  }
});

test('a seed gives the same case each time', () => {
  const [one, two] = [generateCase(77, BigInt(DATA)), generateCase(77, BigInt(DATA))];
  expect(resolve(one.units)).toEqual(resolve(two.units));
  expect([one.x, one.f, one.data]).toEqual([two.x, two.f, two.data]);
});

test.each([
  ['lbu', 1],
  ['lh', 2],
  ['lwu', 4],
  ['sd', 8],
  ['flh', 2],
  ['fsw', 4],
  ['amomaxu.d', 8],
  ['sc.w', 4],
  ['slli', 0],
])('%s has an operand of %i bytes in memory', (mnemonic, bytes) => {
  expect(accessBytes(mnemonic)).toBe(bytes);
});

test('a difference is told by the name of what differs', () => {
  const [one, two] = [new Uint8Array(RECORD_BYTES), new Uint8Array(RECORD_BYTES)];
  expect(differences(one, two)).toEqual([]);
  two[8 * 10] = 1;
  two[8 * (32 + 10)] = 2;
  two[8 * 64] = 3;
  two[RECORD_BYTES - 1] = 4;
  expect(differences(one, two).map((line) => line.replace(/:.*/, ''))).toEqual([
    'a0',
    'fa0',
    'fcsr',
    `memory 0x${(DATA + 504).toString(16)} (data + 504 of 512)`,
  ]);
});
