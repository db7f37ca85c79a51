// Wrong arguments and bad files: exit status 2, one line on stderr that says what is wrong, no stack, no hang.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { hypertab, oracle, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A small RISC-V ELF from the reference toolchain. */
function referenceElf(): Buffer {
  const source = file('loop.S', '.global _start\n_start: j _start\n');
  const output = join(folder, 'loop.elf');
  oracle('riscv64-linux-gnu-gcc', 'gcc-riscv64-linux-gnu', [
    ...[
      '-nostdlib',
      '-static',
      '-Wl,--build-id=none',
      '-Wl,-N',
      '-Wl,-Ttext=0x80000000',
      '-o',
      output,
      source,
    ],
  ]);
  return readFileSync(output);
}

const elf = referenceElf();
/** The ELF with one byte changed. */
const patched = (offset: number, value: number) => {
  const copy = Buffer.from(elf);
  copy[offset] = value;
  return copy;
};
// Offsets of the ELF header: e_ident[EI_CLASS] 4, e_machine 18, e_phnum 56; p_filesz at e_phoff + 32.
const EM_X86_64 = 62;
const firstHeader = Number(elf.readBigUInt64LE(32));
const HEADER_BYTES = 56;
const PT_LOAD = 1;
let programHeader = firstHeader;
while (elf.readUInt32LE(programHeader) !== PT_LOAD) programHeader += HEADER_BYTES;
const hugeSegment = Buffer.from(elf);
hugeSegment.writeBigUInt64LE(1n << 62n, programHeader + 32);
hugeSegment.writeBigUInt64LE(1n << 62n, programHeader + 40);

const bios = (bytes: Uint8Array, name: string) => ['run', '--bios', file(name, bytes)];
const kernel = (bytes: Uint8Array, name: string) => ['run', '--kernel', file(name, bytes)];

const CASES: [string, string[], RegExp][] = [
  ['no command', [], /a command is needed/],
  ['an unknown command', ['rnu'], /there is no command 'rnu'; did you mean run\?/],
  ['nothing to boot', ['run'], /there is nothing to boot/],
  [
    'an unknown option',
    ['run', 'busybox', '--memry', '1G'],
    /unknown option '--memry'; did you mean --memory\?/,
  ],
  ['an option of a later day', ['run', 'busybox', '--smp', '2'], /unknown option '--smp'/],
  ['an option without its value', ['run', 'busybox', '--memory'], /--memory needs a value/],
  ['a memory that is no size', ['run', 'busybox', '--memory', 'lots'], /memory: 'lots' is not a size/],
  ['too little memory', ['run', 'busybox', '--memory', '1M'], /memory: 1M cannot be given/],
  ['too much memory', ['run', 'busybox', '--memory', '64G'], /memory: .* cannot be given/],
  ['an unknown engine', ['run', 'busybox', '--engine', 'warp'], /--engine: 'warp' is none of/],
  ['a bad time-out', ['run', 'busybox', '--timeout', '-5'], /--timeout: '-5' is not a time/],
  [
    'a bad limit',
    ['run', 'busybox', '--max-instructions', '1e9'],
    /--max-instructions: '1e9' is not a count/,
  ],
  ['an unknown guest', ['run', 'nosuchguest'], /nosuchguest/],
  ['an unknown guest to prepare', ['guest', 'prepare', 'nosuchguest'], /nosuchguest/],
  ['an unknown guest command', ['guest', 'lst'], /there is no 'guest lst'; did you mean ls\?/],
  ['an unknown benchmark', ['bench', 'intger'], /there is no benchmark 'intger'; did you mean integer\?/],
  [
    'a missing file',
    ['run', '--kernel', join(folder, 'nothing')],
    /kernel: cannot read .*nothing: no such file/,
  ],
  ['a folder', ['run', '--bios', folder], /bios: cannot read .*: it is a directory/],
  ['an empty file', kernel(Buffer.alloc(0), 'empty'), /empty is empty/],
  ['a text', kernel(Buffer.from('this is not a kernel\n'.repeat(100)), 'text'), /kernel: /],
  [
    'noise',
    kernel(Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) >> 3)), 'noise'),
    /kernel: /,
  ],
  ['an ELF header alone', bios(elf.subarray(0, 64), 'header.elf'), /bios: /],
  ['half an ELF header', bios(elf.subarray(0, 20), 'half.elf'), /bios: /],
  ['a truncated ELF', bios(elf.subarray(0, firstHeader + 20), 'cut.elf'), /bios: /],
  ['an ELF for x86-64', bios(patched(18, EM_X86_64), 'x86.elf'), /bios: .*(x86|RISC-V)/],
  ['a 32-bit ELF', bios(patched(4, 1), 'rv32.elf'), /bios: .*(32|64)-bit/],
  ['an ELF with a segment of 4 EiB', bios(hugeSegment, 'huge.elf'), /bios: /],
  [
    'a raw image larger than RAM',
    ['run', '--memory', '16M', '--bios', file('large.bin', Buffer.alloc(17 * 1024 ** 2, 1))],
    /too little for bios/,
  ],
  [
    'an initrd larger than RAM',
    [...kernel(elf, 'k.elf'), '--memory', '16M', '--initrd', file('i', Buffer.alloc(17 * 1024 ** 2, 1))],
    /too little for .*initrd/,
  ],
  [
    'a truncated Linux Image',
    kernel(readFileSync('build/guests/busybox/kernel').subarray(0, 3_000_000), 'cut.Image'),
    /kernel: it has 3000000 bytes of the \d+ that its header speaks of; get the file again/,
  ],
  ['a damaged gzip file', kernel(gzipSync(elf).subarray(0, 100), 'cut.gz'), /gzipped but damaged/],
  [
    'a command line that is too long',
    [...kernel(elf, 'a.elf'), '--append', 'x'.repeat(2000)],
    /append: 2000 bytes/,
  ],
  [
    'a command that is too long',
    ['run', 'busybox', '--exec', 'x'.repeat(5000)],
    /the command has 5000 bytes/,
  ],
  ['an engine that is none', [...bios(elf, 't.elf'), '--engine', 'jit'], /--engine.*jit/],
];

describe('hypertab refuses', () => {
  it.each(CASES)('%s', async (_title, args, message) => {
    const { status, stdout, stderr } = await hypertab(args, { hangMs: 20_000 });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^hypertab: [^\n]+\n$/);
    expect(stderr).not.toMatch(/\bat .*:\d+:\d+|internal fault/);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('a known guest that is not prepared, and says how to prepare it', async () => {
    const result = await hypertab(['run', 'busybox'], { env: { HYPERTAB_GUESTS: join(folder, 'none') } });
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/^hypertab: .*hypertab guest prepare busybox.*\n$/);
  });
});

describe('hypertab', () => {
  it('prints its help and version on stdout', async () => {
    for (const args of [
      ['--help'],
      ['run', '--help'],
      ['guest', '-h'],
      ['bench', '--help'],
      ['snapshot', '--help'],
      ['image', '--help'],
      ['top', '--help'],
      ['help', 'run'],
    ]) {
      const { status, stdout, stderr } = await hypertab(args);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: hypertab/);
      // Fits a terminal.
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
    }
    expect((await hypertab(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
