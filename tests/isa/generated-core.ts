// The generated AssemblyScript decoder, compiled by itself and called from tests.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { generateCompressed } from '../../src/isa/generate-compressed.ts';
import { generateDecoder, generateOpcodes } from '../../src/isa/generate-decoder.ts';

export interface GeneratedCore {
  decodeOp(word: number): number;
  formatOf(op: number): number;
  operandFlags(op: number): number;
  expandCompressed(halfword: number): number;
  field(which: number, word: number): number;
}

/** Names of the functions of assembly/isa/fields.ts, in the order of `field`'s first argument. */
export const FIELD_NAMES = [
  ...['rd', 'rs1', 'rs2', 'rs3', 'rm', 'immI', 'immS', 'immB', 'immU', 'immJ', 'shamt6', 'csrNumber'],
];

export async function compileGenerated(): Promise<GeneratedCore> {
  const root = resolve(import.meta.dirname, '../..');
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-isa-'));
  try {
    mkdirSync(join(folder, 'generated'));
    writeFileSync(join(folder, 'generated/opcodes.ts'), generateOpcodes());
    writeFileSync(join(folder, 'generated/decoder.ts'), generateDecoder());
    writeFileSync(join(folder, 'generated/compressed.ts'), generateCompressed());
    writeFileSync(join(folder, 'fields.ts'), readFileSync(resolve(root, 'assembly/isa/fields.ts')));
    const cases = FIELD_NAMES.map((name, index) => `if (which == ${index}) return <i32>${name}(word);`);
    writeFileSync(
      join(folder, 'index.ts'),
      `export { decodeOp, formatOf, operandFlags } from './generated/decoder';
export { expandCompressed } from './generated/compressed';
import { ${FIELD_NAMES.join(', ')} } from './fields';
export function field(which: i32, word: u32): i32 { ${cases.join('\n')} return 0; }\n`,
    );
    const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
    const options = ['--runtime', 'stub', '--bindings', 'raw', '-O2', '-o', 'core.wasm'];
    execFileSync(process.execPath, [asc, 'index.ts', ...options], { cwd: folder, stdio: 'pipe' });
    const module = await WebAssembly.compile(readFileSync(join(folder, 'core.wasm')));
    const exports = (await WebAssembly.instantiate(module, {})).exports as unknown as GeneratedCore;
    return {
      decodeOp: exports.decodeOp,
      formatOf: exports.formatOf,
      operandFlags: exports.operandFlags,
      expandCompressed: (halfword) => exports.expandCompressed(halfword) >>> 0,
      field: exports.field,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
