import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { coveragePage } from '../../src/isa/coverage-page.ts';
import { INSTRUCTIONS } from '../../src/isa/instruction-table.ts';

test('docs/coverage.md is what the instruction table says', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/coverage.md'), 'utf8');
  expect(page).toBe(coveragePage());
});

test('every extension of the table has a title on the page', () => {
  const page = coveragePage();
  for (const extension of new Set(INSTRUCTIONS.map((one) => one.extension))) {
    expect(page).not.toContain(`\n## ${extension}\n`);
  }
});
