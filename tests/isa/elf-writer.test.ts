import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assemble } from '../../src/isa/assembler/assemble.ts';
import { writeElf } from '../../src/isa/elf-writer.ts';
import { runTool, withFolder } from './oracle.ts';

const SOURCE = `
        .equ    constant, 42
        .globl  start, table
        nop
start:  la      a0, table
local:  ret
        .section .rodata
table:  .word   1, 2, 3
        .data
value:  .dword  table
        .bss
        .balign 64
room:   .space  5000
`;

const binutils = (program: string, args: readonly string[]) =>
  runTool('binutils-riscv64-linux-gnu', `riscv64-linux-gnu-${program}`, args);

test('readelf, nm and objcopy read the file as it was assembled', async () => {
  await withFolder((folder) => {
    const file = join(folder, 'a.elf');
    const assembly = assemble(SOURCE, { origin: 0x8020_0000, entry: 'start' });
    writeFileSync(file, writeElf(assembly));

    const header = binutils('readelf', ['-hW', file]);
    expect(header).toMatch(/Type: +EXEC/);
    expect(header).toMatch(/Machine: +RISC-V/);
    expect(header).toMatch(/Entry point address: +0x80200004/);
    expect(binutils('readelf', ['-aW', file])).not.toMatch(/warning|error/i);

    const segments = [
      ...binutils('readelf', ['-lW', file]).matchAll(/LOAD +(\S+) (\S+) (\S+) (\S+) (\S+) ([RWE ]{3})/g),
    ];
    expect(segments.map((one) => [Number(one[2]), Number(one[4]), Number(one[5]), one[6]])).toEqual(
      assembly.sections.map((one) => [
        Number(one.address),
        one.bytes.length,
        one.size,
        `R${one.writable ? 'W' : ' '}${one.executable ? 'E' : ' '}`,
      ]),
    );
    // A loader may map pages: offset and address agree in their low bits.
    for (const one of segments) expect(Number(one[1]) % 4096).toBe(Number(one[2]) % 4096);

    const symbols = binutils('nm', [file]).trim().split('\n');
    const named = new Map(symbols.map((line) => [line.slice(19), [line.slice(0, 16), line[17]]] as const));
    const at = (name: string) => assembly.symbols.get(name)!.value.toString(16).padStart(16, '0');
    expect(named).toEqual(
      new Map([
        ['constant', [at('constant'), 'a']],
        ['start', [at('start'), 'T']],
        ['table', [at('table'), 'R']],
        ['local', [at('local'), 't']],
        ['value', [at('value'), 'd']],
        ['room', [at('room'), 'b']],
      ]),
    );
    expect(assembly.symbols.get('room')!.value % 64n).toBe(0n);
    expect(binutils('objdump', ['-d', file])).toContain('ret');
  });
});
