// Node only. Writes docs/coverage.md from the instruction table, or checks that it is up to date:
//   node build/src/isa/coverage.js [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { coveragePage } from './coverage-page.ts';

const path = resolve('docs/coverage.md');
const page = coveragePage();

function current(): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (!process.argv.includes('--check')) writeFileSync(path, page);
else if (current() !== page) {
  console.error(
    'docs/coverage.md is not what the instruction table says: run node build/src/isa/coverage.js',
  );
  process.exit(1);
}
