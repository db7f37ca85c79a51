import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseElf } from '../../src/machine/elf.ts';
import { ConfigError, LoadError } from '../../src/machine/errors.ts';
import { placeAll } from '../../src/machine/placement.ts';
import { buildElf, RAM } from './elf-builder.ts';

const good = buildElf({
  entry: RAM + 4n,
  segments: [
    { physical: RAM, contents: Uint8Array.from({ length: 64 }, (_, i) => i), memoryBytes: 128n },
    { physical: RAM + 0x1000n, contents: Uint8Array.of(9, 9), memoryBytes: 0x100n },
  ],
  symbols: { main: RAM, tohost: RAM + 0x1000n, begin_signature: RAM + 0x1010n },
});

describe('ELF loader', () => {
  it('reads entry, segments and symbols', () => {
    const elf = parseElf(good, 'bios');
    expect(elf.entry).toBe(0x80000004);
    expect(elf.segments.map((s) => [s.physical, s.fileBytes, s.memoryBytes])).toEqual([
      [0x80000000, 64, 128],
      [0x80001000, 2, 256],
    ]);
    expect(elf.symbol('tohost')).toBe(RAM + 0x1000n);
    expect(elf.symbol('begin_signature')).toBe(RAM + 0x1010n);
    expect(elf.symbol('tohos')).toBeUndefined();
    expect(elf.symbol('fromhost')).toBeUndefined();
  });

  it('starts at the physical place of a virtual entry point', () => {
    const virtual = 0xffffffff80000000n;
    const file = buildElf({
      entry: virtual + 8n,
      segments: [{ physical: RAM + 0x200000n, virtual, contents: new Uint8Array(16) }],
    });
    expect(parseElf(file, 'kernel').entry).toBe(0x80200008);
  });

  it('agrees with binutils on a linked program', () => {
    if (!existsSync('/usr/bin/riscv64-linux-gnu-gcc')) {
      throw new Error('riscv64-linux-gnu-gcc is missing: install the Debian package gcc-riscv64-linux-gnu');
    }
    const folder = mkdtempSync(join(tmpdir(), 'hypertab-elf-'));
    try {
      const [source, binary] = [join(folder, 'a.S'), join(folder, 'a.elf')];
      writeFileSync(
        source,
        '.globl _start, tohost\n.text\nnop\n_start: j _start\n.data\n.balign 64\ntohost: .dword 7\n.bss\n.space 4096\n',
      );
      const flags = ['-nostdlib', '-static', '-march=rv64gc', '-Wl,-Ttext=0x80000000', '-Wl,--build-id=none'];
      execFileSync('riscv64-linux-gnu-gcc', [...flags, '-o', binary, source]);
      const elf = parseElf(readFileSync(binary), 'bios');
      const symbols = execFileSync('riscv64-linux-gnu-nm', [binary], { encoding: 'utf8' });
      for (const name of ['_start', 'tohost']) {
        const address = new RegExp(`^([0-9a-f]+) . ${name}$`, 'm').exec(symbols)![1]!;
        expect(elf.symbol(name)).toBe(BigInt(`0x${address}`));
      }
      expect(BigInt(elf.entry)).toBe(elf.symbol('_start'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['x86-64', buildElf({ machine: 62 }), /x86-64, not for RISC-V/],
    ['an unknown machine', buildElf({ machine: 999 }), /ELF machine 999, not for RISC-V/],
    ['rv32', patch(buildElf(), 4, 1), /not a 64-bit ELF/],
    ['big-endian', patch(buildElf(), 5, 2), /big-endian/],
    ['an object file', buildElf({ type: 1 }), /not an executable/],
    ['a core dump', buildElf({ type: 4 }), /not an executable/],
    [
      'no segments',
      buildElf({ segments: [{ physical: RAM, contents: new Uint8Array(0) }] }),
      /nothing to load/,
    ],
    ['a cut-off header', buildElf().subarray(0, 40), /cut off after 40 bytes/],
    ['an entry point in no segment', buildElf({ entry: RAM + 0x5000n }), /lies in no segment/],
    ['an odd entry point', buildElf({ entry: RAM + 1n }), /is odd/],
    ['a segment beyond the file', buildElf().subarray(0, 122), /beyond the end of the file/],
  ])('refuses %s by name', (_what, file, message) => {
    expect(() => parseElf(file, 'kernel')).toThrow(LoadError);
    expect(() => parseElf(file, 'kernel')).toThrow(message);
  });

  it.each([
    ['below RAM', [{ physical: 0x1000n, contents: new Uint8Array(4) }], /below RAM/],
    [
      'far above RAM',
      [{ physical: RAM, contents: new Uint8Array(4), memoryBytes: 1n << 40n }],
      /more than a machine/,
    ],
    [
      'over each other',
      [
        { physical: RAM, contents: new Uint8Array(64) },
        { physical: RAM + 32n, contents: new Uint8Array(64) },
      ],
      /segments overlap/,
    ],
  ])('refuses segments %s', (_what, segments, message) => {
    expect(() => placeAll({ memory: 32 << 20, bios: buildElf({ segments }) })).toThrow(message);
  });

  it('leaves out a read-only segment of notes where no RAM is', () => {
    const segments = [
      { physical: 0x10000n, contents: new Uint8Array(4), flags: 4 },
      { physical: RAM, contents: new Uint8Array(4) },
    ];
    const { pieces } = placeAll({ memory: 32 << 20, bios: buildElf({ entry: RAM, segments }) });
    expect(pieces.map((piece) => piece.physical)).toEqual([0x80000000]);
    const alone = buildElf({ segments: segments.slice(0, 1) });
    expect(() => placeAll({ memory: 32 << 20, bios: alone })).toThrow(/below RAM/);
  });

  it('answers any damage with a LoadError or a ConfigError, never another error', () => {
    const mutation = fc.record({
      cut: fc.option(fc.nat(good.length), { freq: 3 }),
      bytes: fc.array(fc.tuple(fc.oneof(fc.nat(64 + 112), fc.nat(good.length - 1)), fc.nat(255)), {
        maxLength: 8,
      }),
    });
    let loaded = 0;
    fc.assert(
      fc.property(mutation, fc.constantFrom('bios' as const, 'kernel' as const), ({ cut, bytes }, as) => {
        const file = good.slice();
        for (const [at, value] of bytes) file[at] = value;
        const input = { memory: 16 << 20, [as]: cut === null ? file : file.subarray(0, cut) };
        try {
          const placement = placeAll(input);
          for (const piece of placement.pieces) {
            expect(piece.physical).toBeGreaterThanOrEqual(0x80000000);
            expect(piece.physical + piece.memoryBytes).toBeLessThanOrEqual(0x81000000);
            expect(piece.contents.length).toBeLessThanOrEqual(piece.memoryBytes);
          }
          for (const name of ['tohost', 'nothing']) (placement.bios ?? placement.kernel)?.elf?.symbol(name);
          loaded++;
        } catch (error) {
          if (!(error instanceof LoadError || error instanceof ConfigError)) throw error;
          expect(error.message).not.toContain('\n');
        }
      }),
      { numRuns: 3000 },
    );
    expect(loaded).toBeGreaterThan(0);
  });
});

function patch(file: Uint8Array, at: number, value: number): Uint8Array {
  file[at] = value;
  return file;
}
