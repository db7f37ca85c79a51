// Node only. Writes the core's generated sources: node build/src/isa/generate.js OUTDIR
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateCompressed } from './generate-compressed.ts';
import { generateDecoder, generateOpcodes } from './generate-decoder.ts';

const sources = {
  'opcodes.ts': generateOpcodes(),
  'decoder.ts': generateDecoder(),
  'compressed.ts': generateCompressed(),
};

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const folder = process.argv[2];
if (folder === undefined) {
  console.error('generate: give the folder to write to: node build/src/isa/generate.js OUTDIR');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(sources)) {
  // Left alone when unchanged, so that what is built from it stays current.
  if (current(join(folder, name)) !== text) writeFileSync(join(folder, name), text);
}
