import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, DamagedFileError, LoadError } from '../../src/machine/errors.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { MachineConfig } from '../../src/machine/machine-types.ts';
import { loadPieces, placeAll } from '../../src/machine/placement.ts';
import { buildElf, buildImage, RAM } from './elf-builder.ts';
import { FakeCore, wfi } from './fake-core.ts';

const MIB = 1 << 20;
const EMPTY_MODULE = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));

/** A kernel with something on some of its pages. */
function kernelOf(bytes: number, filled: number[]): Uint8Array {
  const file = buildImage(bytes, 0x200000n, BigInt(bytes));
  for (const page of filled) file.fill(page + 1, 4096 + page * 4096, 4096 + page * 4096 + 3000);
  return file;
}

function make(config: Partial<MachineConfig>): { machine: Machine; core: FakeCore } {
  let core: FakeCore | undefined;
  const machine = new Machine(
    { core: EMPTY_MODULE, memory: 16 * MIB, engine: 'auto', ...config },
    (_module, options) => {
      core = new FakeCore(options);
      core.steps = [wfi];
      return core;
    },
  );
  return { machine, core: core! };
}

describe('files to boot from', () => {
  it('are the same in RAM whether they come gzipped or not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 64, max: 400_000 }),
        fc.uniqueArray(fc.nat(90), { maxLength: 20 }),
        fc.uint8Array({ minLength: 1, maxLength: 20_000 }),
        (bytes, filled, initrd) => {
          const kernel = kernelOf(bytes, filled);
          fc.pre(!(initrd[0] === 0x1f && initrd[1] === 0x8b));
          const rams = [
            { kernel, initrd },
            { kernel: gzip(kernel), initrd: gzip(initrd) },
          ].map((files) => {
            const placement = placeAll({ memory: 16 * MIB, ...files });
            expect(placement.initrd!.end - placement.initrd!.start).toBe(initrd.length);
            const ram = new Uint8Array(16 * MIB);
            loadPieces(ram, placement.pieces);
            return ram;
          });
          expect(Buffer.compare(rams[0]!, rams[1]!)).toBe(0);
          expect(Buffer.compare(rams[0]!.subarray(0x200000, 0x200000 + bytes), kernel)).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('write no page of RAM on which they have nothing but zeros', () => {
    const kernel = kernelOf(40 * 4096, [3, 20]);
    for (const file of [kernel, gzip(kernel)]) {
      const { pieces } = placeAll({ memory: 16 * MIB, kernel: file });
      const ram = new Uint8Array(16 * MIB).fill(0xaa);
      loadPieces(ram, pieces);
      const written = [];
      for (let page = 0; page < 40; page++)
        if (ram[0x200000 + page * 4096 + 4000] !== 0xaa) written.push(page);
      expect(written).toEqual([0, 4, 21]);
    }
  });

  it('may be gzipped ELF files', () => {
    const segments = [{ physical: RAM, contents: Uint8Array.of(1, 2, 3, 4) }];
    const elf = buildElf({ entry: RAM, segments, symbols: { tohost: RAM + 64n } });
    const { bios, pieces } = placeAll({ memory: 16 * MIB, bios: gzip(elf) });
    expect(bios!.elf!.symbol('tohost')).toBe(RAM + 64n);
    const ram = new Uint8Array(16 * MIB);
    loadPieces(ram, pieces);
    expect([...ram.subarray(0, 5)]).toEqual([1, 2, 3, 4, 0]);
  });

  it('are refused as what they are inside', () => {
    const text = new TextEncoder().encode(
      '#!/bin/sh\necho hello, this is no kernel at all, really not, no no\n',
    );
    expect(() => placeAll({ memory: 16 * MIB, kernel: gzip(text) })).toThrow(LoadError);
    expect(() => placeAll({ memory: 16 * MIB, kernel: gzip(text) })).toThrow(/not a RISC-V/);
    expect(() => placeAll({ memory: 16 * MIB, kernel: gzip(gzip(buildImage())) })).toThrow(/gzip/);
    expect(() => placeAll({ memory: 16 * MIB, bios: gzip(buildImage()) })).toThrow(/give it as the kernel/);
    expect(() => placeAll({ memory: 16 * MIB, bios: gzip(new Uint8Array()) })).toThrow(/empty/);
    const large = gzip(kernelOf(20 * MIB, []));
    expect(() => placeAll({ memory: 16 * MIB, kernel: large })).toThrow(ConfigError);
  });

  it('that are damaged make no machine', () => {
    const kernel = gzip(kernelOf(300_000, [1, 5, 9]));
    for (const end of [9, 30, kernel.length >> 1, kernel.length - 1]) {
      expect(() => make({ kernel: kernel.subarray(0, end) })).toThrow(
        /^kernel is gzipped but damaged; is it complete\?$|too little|damaged/,
      );
    }
    const damaged = kernel.slice();
    damaged[kernel.length - 5]! ^= 1;
    expect(() => make({ kernel: damaged })).toThrow(DamagedFileError);
  });

  it('an initrd of several archives is left to the kernel', () => {
    const one = gzipSync('one');
    for (const rest of [gzipSync('two'), Buffer.from('070701 and so on')]) {
      const several = new Uint8Array(Buffer.concat([one, rest]));
      const { initrd, pieces } = placeAll({ memory: 16 * MIB, kernel: buildImage(), initrd: several });
      expect(initrd!.end - initrd!.start).toBe(several.length);
      const ram = new Uint8Array(16 * MIB);
      loadPieces(ram, pieces);
      const at = initrd!.start - 0x80000000;
      expect(Buffer.compare(ram.subarray(at, at + several.length), several)).toBe(0);
    }
  });

  it('an initrd that unpacks to more than the memory is refused by its size', () => {
    const initrd = gzip(new Uint8Array(40 * MIB));
    expect(() => make({ kernel: buildImage(), initrd })).toThrow(/needs at least 43 MiB/);
  });
});

describe('a reset', () => {
  it('loads gzipped files again into clean RAM', () => {
    const kernel = kernelOf(100_000, [2]);
    const { machine, core } = make({ kernel: gzip(kernel), initrd: gzip(Uint8Array.of(1, 2, 3)), seed: 1 });
    const before = core.ram.slice();
    core.ram.fill(0x55);
    machine.reset();
    expect(Buffer.compare(core.ram, before)).toBe(0);
  });

  it('says so when a file has been damaged since, and the machine stands still', () => {
    const kernel = gzip(kernelOf(300_000, [1, 5, 9]));
    const { machine, core } = make({ kernel });
    expect(machine.runSlice(1).state).toBe('idle');
    const good = kernel.slice();
    kernel[kernel.length - 8]! ^= 1;
    expect(() => machine.reset()).toThrow(DamagedFileError);
    const { resets } = core;
    expect(machine.runSlice(1)).toMatchObject({ state: 'stopped', reason: { kind: 'fault' } });
    kernel.set(good);
    machine.reset();
    expect(core.resets).toBe(resets + 1);
    expect(machine.runSlice(1).state).toBe('idle');
  });
});
