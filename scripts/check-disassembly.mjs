// Compares our disassembler with GNU objdump over whole files, line by line:
//   node scripts/check-disassembly.mjs FILE…
// FILE is an ELF file or a bare RISC-V Image (a kernel). Needs a build, and the Debian package
// binutils-riscv64-linux-gnu.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareWithObjdump } from '../build/src/isa/objdump-comparison-node.js';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('check-disassembly: give files: node scripts/check-disassembly.mjs FILE…');
  process.exit(2);
}

// objdump shows only what the file says it uses; code that finds out at run time (a kernel's) uses more.
const march = `rv64gc_${'zicbom zicbop zicboz zihintpause zawrs zfhmin zba zbb zbc zbs svinval'.replaceAll(' ', '_')}`;

/** Runs a program of binutils for RISC-V. */
function binutils(/** @type {string} */ name, /** @type {string[]} */ ...args) {
  const { error, status } = spawnSync(`riscv64-linux-gnu-${name}`, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error === undefined && status === 0) return;
  const advice = error === undefined ? '' : ': install the Debian package binutils-riscv64-linux-gnu';
  console.error(`check-disassembly: riscv64-linux-gnu-${name} failed${advice}`);
  process.exit(1);
}

/** The code of a bare Image: its PE section .text, or all of it. */
function codeOfImage(/** @type {Buffer} */ image) {
  const header = image.length > 0x40 ? image.readUInt32LE(0x3c) : 0;
  if (image.toString('latin1', header, header + 4) !== 'PE\0\0') return image;
  const section = header + 24 + image.readUInt16LE(header + 20);
  const offset = image.readUInt32LE(section + 20);
  return image.subarray(offset, offset + image.readUInt32LE(section + 16));
}

/** Writes an ELF file with the code of `file` that claims all extensions we know; returns its path. */
function prepare(/** @type {string} */ file, /** @type {string} */ folder) {
  const source = join(folder, 'wrap.s');
  const object = join(folder, 'wrap.o');
  const code = join(folder, 'code.bin');
  const bytes = readFileSync(file);
  const isElf = bytes.toString('latin1', 0, 4) === '\x7fELF';
  writeFileSync(code, isElf ? '' : codeOfImage(bytes));
  writeFileSync(source, `.text\n.incbin "${code}"\n`);
  binutils('as', `-march=${march}`, '-o', object, source);
  if (!isElf) {
    // Without its symbols, nothing says that the included bytes are data.
    binutils('objcopy', '--strip-all', object);
    return object;
  }
  const attributes = join(folder, 'attributes.bin');
  const copy = join(folder, 'copy.elf');
  binutils(
    'objcopy',
    '-O',
    'binary',
    '--only-section=.riscv.attributes',
    '--set-section-flags',
    '.riscv.attributes=alloc',
    object,
    attributes,
  );
  writeFileSync(copy, bytes);
  binutils('objcopy', '--update-section', `.riscv.attributes=${attributes}`, copy);
  return copy;
}

let failed = false;
for (const file of files) {
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-disassembly-'));
  try {
    const { lines, different, differences, explained } = await compareWithObjdump([
      '-d',
      prepare(file, folder),
    ]);
    console.log(`${file}: ${lines} lines, ${different} differences`);
    for (const [reason, count] of explained) console.log(`  ${count} lines: ${reason}`);
    for (const one of differences) {
      console.log(`  ${one.address}: ${one.word}  ours: ${one.ours}  objdump: ${one.theirs}`);
    }
    if (different > 0 || lines === 0) failed = true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.exit(failed ? 1 : 0);
