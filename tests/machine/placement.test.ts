import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, LoadError } from '../../src/machine/errors.ts';
import { DEVICE_TREE_BYTES, placeAll } from '../../src/machine/placement.ts';
import { parseRiscvImage } from '../../src/machine/riscv-image.ts';
import { buildElf, buildImage, RAM } from './elf-builder.ts';

const MIB = 1 << 20;

describe('placement', () => {
  it('puts kernel, initrd and device tree apart from each other inside RAM', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 16, max: 3072 }),
        fc.integer({ min: 1, max: 300_000 }),
        fc.integer({ min: 64, max: 20_000 }),
        fc.bigInt({ min: 0n, max: 32n << 20n }),
        (mib, initrdBytes, kernelBytes, imageSize) => {
          const kernel = buildImage(kernelBytes, 0x200000n, imageSize);
          const input = { memory: mib * MIB, kernel, initrd: new Uint8Array(initrdBytes) };
          const end = 0x80000000 + input.memory;
          try {
            const { kernel: program, initrd, deviceTree } = placeAll(input);
            const piece = program!.pieces[0]!;
            expect(piece.physical).toBe(0x80200000);
            expect(piece.memoryBytes).toBe(Math.max(kernelBytes, Number(imageSize)));
            expect(initrd!.end - initrd!.start).toBe(initrdBytes);
            expect(initrd!.start % 4096).toBe(0);
            expect(initrd!.start).toBeGreaterThanOrEqual(piece.physical + piece.memoryBytes);
            expect(deviceTree).toBeGreaterThanOrEqual(initrd!.end);
            expect(deviceTree % 8).toBe(0);
            expect(deviceTree + DEVICE_TREE_BYTES).toBeLessThanOrEqual(end);
          } catch (error) {
            if (!(error instanceof ConfigError)) throw error;
            // What it says it needs is enough.
            const needed = Number(/at least (\d+) MiB/.exec(error.message)![1]);
            expect(needed).toBeGreaterThan(mib);
            placeAll({ ...input, memory: needed * MIB });
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([0, 1, 15 * MIB, 3073 * MIB, 16 * MIB + 4096, Number.NaN, -1, 1.5 * MIB + 0.5])(
    'refuses %d bytes of memory',
    (memory) => {
      expect(() => placeAll({ memory, kernel: buildImage() })).toThrow(ConfigError);
    },
  );

  it('refuses a machine with nothing to boot', () => {
    expect(() => placeAll({ memory: 64 * MIB })).toThrow(/nothing to boot/);
  });

  it('loads a raw bios at the start of RAM and a kernel behind it', () => {
    const { bios, kernel } = placeAll({
      memory: 64 * MIB,
      bios: Uint8Array.of(1, 2, 3, 4),
      kernel: buildImage(),
    });
    expect([bios!.entry, kernel!.entry]).toEqual([0x80000000, 0x80200000]);
  });

  it('loads a raw payload where firmware expects one, but no raw kernel without firmware', () => {
    const payload = new Uint8Array(5000).fill(0x13);
    const { kernel } = placeAll({ memory: 64 * MIB, bios: new Uint8Array(64), kernel: payload });
    expect(kernel).toMatchObject({
      entry: 0x80200000,
      pieces: [{ physical: 0x80200000, memoryBytes: 5000 }],
    });
    expect(() => placeAll({ memory: 64 * MIB, kernel: payload })).toThrow(LoadError);
    expect(() => placeAll({ memory: 64 * MIB, bios: payload, kernel: new Uint8Array(0) })).toThrow(/empty/);
  });

  it('refuses a kernel that lies on its firmware', () => {
    const kernel = buildElf({ segments: [{ physical: RAM, contents: new Uint8Array(8) }] });
    expect(() => placeAll({ memory: 64 * MIB, bios: new Uint8Array(64), kernel })).toThrow(
      /inside the firmware/,
    );
    const long = new Uint8Array(3 * MIB);
    expect(() => placeAll({ memory: 64 * MIB, bios: long, kernel: buildImage() })).toThrow(/overlaps/);
  });

  it('refuses an Image given as bios', () => {
    expect(() => placeAll({ memory: 64 * MIB, bios: buildImage() })).toThrow(/give it as the kernel/);
  });
});

describe('kernel formats', () => {
  const at = (offset: number, text: string, length = 4096) => {
    const file = new Uint8Array(length);
    file.set(new TextEncoder().encode(text), offset);
    return file;
  };
  it.each([
    ['an empty file', new Uint8Array(0), /empty/],
    [
      'text',
      new TextEncoder().encode('#!/bin/sh\necho hello, this is no kernel at all, really not, no no\n'),
      /not a RISC-V/,
    ],
    ['gzip', new Uint8Array(gzipSync(buildImage())), /gzip/],
    ['xz', at(0, '\u00fd7zXZ').fill(0xfd, 0, 1).copyWithin(1, 2), /xz/],
    ['zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0), /zstd/],
    ['zboot', at(0, 'MZ\0\0zimg'), /zboot/],
    ['ARM64', at(56, 'ARMd'), /ARM64/],
    ['x86', at(0x202, 'HdrS'), /x86/],
    ['a text_offset not at 2 MiB', buildImage(4096, 0x201000n), /text_offset/],
    ['an absurd size', buildImage(4096, 0x200000n, 1n << 60n), /image_size/],
  ])('refuses %s by name', (_what, file, message) => {
    expect(() => parseRiscvImage(file, 'kernel')).toThrow(LoadError);
    expect(() => parseRiscvImage(file, 'kernel')).toThrow(message);
  });

  it('refuses an Image that is cut off before the end of its EFI sections', () => {
    const file = buildImage(8192, 0x200000n, 16384n);
    const view = new DataView(file.buffer);
    file.set(new TextEncoder().encode('MZ'), 0);
    view.setUint32(60, 64, true); // where the PE header is
    file.set(new TextEncoder().encode('PE\0\0'), 64);
    view.setUint16(64 + 6, 2, true); // sections
    view.setUint16(64 + 20, 8, true); // bytes of the optional header
    for (const [index, [bytes, offset]] of [
      [1000, 4096],
      [3000, 5096],
    ].entries()) {
      view.setUint32(96 + 40 * index + 16, bytes!, true);
      view.setUint32(96 + 40 * index + 20, offset!, true);
    }
    for (const length of [8192, 8096]) {
      expect(parseRiscvImage(file.subarray(0, length), 'kernel').imageBytes).toBe(16384);
    }
    for (const length of [8095, 5000, 4096, 130]) {
      expect(() => parseRiscvImage(file.subarray(0, length), 'kernel')).toThrow(/get the file again/);
    }
  });

  it('answers any bytes with an image or a LoadError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.boolean(), fc.nat(90), (bytes, magic, header) => {
        const file = bytes.slice();
        if (header >= 64 && file.length >= header + 4) {
          file.set(new TextEncoder().encode('MZ'), 0);
          file.set([header, 0, 0, 0], 60);
          file.set(new TextEncoder().encode('PE\0\0'), header);
        }
        if (magic && file.length >= 64) file.set([0x52, 0x53, 0x43, 0x05], 56);
        try {
          expect(parseRiscvImage(file, 'kernel').imageBytes).toBeGreaterThanOrEqual(file.length);
        } catch (error) {
          if (!(error instanceof LoadError)) throw error;
        }
      }),
    );
  });
});
