// Compares our disassembler with GNU objdump over whole files, line by line:
//   node scripts/check-disassembly.mjs FILE…
// FILE is an ELF file or a bare RISC-V Image (a kernel). Needs the Debian package binutils-riscv64-linux-gnu and a build.
import { closeSync, openSync, readSync } from 'node:fs';
import { compareWithObjdump } from '../build/src/isa/objdump-comparison-node.js';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('check-disassembly: give files: node scripts/check-disassembly.mjs FILE…');
  process.exit(2);
}

function isElf(/** @type {string} */ path) {
  const file = openSync(path, 'r');
  const magic = Buffer.alloc(4);
  readSync(file, magic, 0, 4, 0);
  closeSync(file);
  return magic.toString('latin1') === '\x7fELF';
}

let failed = false;
for (const file of files) {
  const args = isElf(file) ? ['-d', file] : ['-D', '-b', 'binary', '-m', 'riscv:rv64', file];
  const { lines, different, differences } = await compareWithObjdump(args);
  console.log(`${file}: ${lines} lines, ${different} differences`);
  for (const one of differences)
    console.log(`  ${one.address}: ${one.word}  ours: ${one.ours}  objdump: ${one.theirs}`);
  if (different > 0 || lines === 0) failed = true;
}
process.exit(failed ? 1 : 0);
