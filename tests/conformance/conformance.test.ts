import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { INSTRUCTIONS } from '../../src/isa/instruction-table.ts';
import { SUBJECT_NAMES } from '../diff/generator.ts';
import { PRIVILEGED, WHOLE, WITHOUT_QEMU } from './features.ts';
import { conformancePage } from './page.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = resolve(ROOT, 'docs/conformance.md');

test('docs/conformance.md is what the table, the core and the claims say', () => {
  const page = conformancePage();
  if (process.env.HYPERTAB_WRITE === '1') writeFileSync(PAGE, page);
  expect(readFileSync(PAGE, 'utf8')).toBe(page);
});

test('every claim of the page names tests that exist', () => {
  const all = [...PRIVILEGED, ...WHOLE].flatMap(({ proofs }) => proofs);
  for (const [file, title] of [...all, ...Object.values(WITHOUT_QEMU).flat()]) {
    const path = resolve(ROOT, file);
    expect(existsSync(path), file).toBe(true);
    expect(readFileSync(path, 'utf8').replaceAll("\\'", "'"), `${file} has no test "${title}"`).toContain(
      title,
    );
  }
});

test('every instruction that is not compared with QEMU in random sequences has a test of its own on the page', () => {
  const compared = new Set(SUBJECT_NAMES);
  for (const { mnemonic, extension } of INSTRUCTIONS) {
    if (!compared.has(mnemonic)) expect(WITHOUT_QEMU[extension], mnemonic).toBeDefined();
  }
});
